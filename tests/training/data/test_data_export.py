"""What goes out comes in, and goes out again the same, byte for byte; and nothing half-made is ever left."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from data_scenes import Judge, judged_talks
from sqlalchemy import select

from agent.service import Negotiations
from db.embedded import EmbeddedPostgres
from db.engine import SessionFactory, create_engine_from, session_factory
from db.models import AuditEvent, User
from db.repositories import users
from db.vocabulary import Role
from training.data import Chosen, ExportRefused, Filing, Format, export_examples, import_examples
from training.data.export import packed
from training.starter.progress import BuildEvent


def rows(folder: Path, kind: Format) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{kind}.jsonl").read_text().splitlines()]


def every_file(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_an_export_imported_into_an_empty_instance_exports_the_same_bytes(
    negotiations: Negotiations, sessions: SessionFactory, embedded: EmbeddedPostgres, migrated_template: str, tmp_path: Path
) -> None:
    judged_talks(negotiations)
    for filing, shown in itertools.product(Filing, (False, True)):
        chosen = Chosen(filing=filing, with_personal_data=shown)
        first = export_examples(sessions, tmp_path / f"{filing}-{shown}", chosen)
        assert all(first.rows[kind] >= 3 for kind in Format), first.rows
        name = f"empty_{os.urandom(6).hex()}"
        engine = create_engine_from(embedded.create_database(name, template=migrated_template))
        try:
            empty = session_factory(engine)
            told = import_examples(empty, first.folder)
            assert told.errors == []
            assert told.added == sum(first.rows.values())
            second = export_examples(empty, tmp_path / f"{filing}-{shown}-again", chosen)
            assert every_file(second.folder) == every_file(first.folder)
            assert import_examples(empty, first.folder).added == 0
        finally:
            engine.dispose()
            embedded.drop_database(name)


def test_the_same_moment_gives_the_same_bytes_packed_or_not(negotiations: Negotiations, sessions: SessionFactory, tmp_path: Path) -> None:
    judged_talks(negotiations)
    first, second = (export_examples(sessions, tmp_path / name) for name in ("a", "b"))
    assert first.sha256 == second.sha256
    for folder in ("a", "b"):
        packed(tmp_path / folder, tmp_path / f"{folder}.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    before = {kind: rows(tmp_path / "a", kind) for kind in Format}
    assert import_examples(sessions, tmp_path / "a.zip").errors == []
    again = export_examples(sessions, tmp_path / "c")
    assert {kind: rows(again.folder, kind) for kind in Format} == before, "what is here already is not there twice"


def test_simulated_judgements_can_be_left_out(negotiations: Negotiations, sessions: SessionFactory, tmp_path: Path) -> None:
    judged_talks(negotiations)
    whole = export_examples(sessions, tmp_path / "whole")
    people = export_examples(sessions, tmp_path / "people", Chosen(people_only=True))
    assert any(row["simulated_rater"] for row in rows(whole.folder, Format.UNPAIRED_PREFERENCE))
    assert not any(row["simulated_rater"] for kind in Format for row in rows(people.folder, kind))
    assert 0 < people.rows[Format.UNPAIRED_PREFERENCE] < whole.rows[Format.UNPAIRED_PREFERENCE]


def test_exports_and_imports_are_written_down(negotiations: Negotiations, sessions: SessionFactory, tmp_path: Path) -> None:
    judged_talks(negotiations, talks=1)
    with sessions.begin() as session:
        person = users.create(session, email="ops@example.com", name="Ops", roles=[Role.OPS])[0].id
    done = export_examples(sessions, tmp_path / "out", actor=person)
    import_examples(sessions, tmp_path / "out", actor=person)
    import_examples(sessions, tmp_path / "out", actor=person, dry_run=True)
    with sessions() as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.action.like("data.%")).order_by(AuditEvent.created_at)).all()
    assert [(event.action, event.actor_id) for event in events] == [("data.export", person), ("data.import", person)]
    out, came = (event.after or {} for event in events)
    assert out["files"]["preference"] == {
        "file": "preference.jsonl",
        "rows": done.rows[Format.PREFERENCE],
        "sha256": done.sha256[Format.PREFERENCE],
    }
    assert came["sha256"]["preference.jsonl"] == done.sha256[Format.PREFERENCE], "for JSON Lines it is the file's own"
    assert came["added"] == sum(done.rows.values())


def test_only_an_administrator_may_show_personal_data(sessions: SessionFactory, tmp_path: Path) -> None:
    with sessions.begin() as session:
        people: dict[Role, User] = {
            role: users.create(session, email=f"{role}@example.com", name="N", roles=[role])[0] for role in (Role.OPS, Role.ADMIN)
        }
    chosen = Chosen(with_personal_data=True)
    with pytest.raises(ExportRefused, match="Only an administrator"):
        export_examples(sessions, tmp_path / "out", chosen, actor=people[Role.OPS].id)
    assert not (tmp_path / "out").exists()
    assert export_examples(sessions, tmp_path / "out", chosen, actor=people[Role.ADMIN].id).folder.is_dir()


def test_what_is_in_the_way_is_left_alone(sessions: SessionFactory, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    with pytest.raises(ExportRefused, match="is no export"):
        export_examples(sessions, tmp_path / "out", replace=True)
    assert (tmp_path / "out" / "thesis.txt").read_text() == "years of work"
    export_examples(sessions, tmp_path / "new")
    with pytest.raises(ExportRefused, match="--replace"):
        export_examples(sessions, tmp_path / "new")
    export_examples(sessions, tmp_path / "new", replace=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "out"]


@pytest.mark.parametrize("phase", ["reading", "writing preference"])
def test_an_interrupt_leaves_nothing(negotiations: Negotiations, sessions: SessionFactory, tmp_path: Path, phase: str) -> None:
    judged_talks(negotiations, talks=1)

    def interrupt(event: BuildEvent) -> None:
        if event.phase == phase:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_examples(sessions, tmp_path / "out", report=interrupt)
    assert list(tmp_path.iterdir()) == []
    export_examples(sessions, tmp_path / "in")
    with pytest.raises(KeyboardInterrupt):
        import_examples(sessions, tmp_path / "in", report=_interrupt_at("unpaired_preference.jsonl"))
    assert import_examples(sessions, tmp_path / "in", dry_run=True).known == 0, "what came before the interrupt is not kept"


def _interrupt_at(phase: str) -> Any:
    def interrupt(event: BuildEvent) -> None:
        if event.phase == phase:
            raise KeyboardInterrupt

    return interrupt


def test_a_killed_export_leaves_no_file_under_its_name(negotiations: Negotiations, database_url: str, tmp_path: Path) -> None:
    judged_talks(negotiations, talks=1)
    program = (
        "import sys, time; from pathlib import Path\n"
        "from db.engine import create_engine_from, session_factory\n"
        "from training.data import export_examples\n"
        "def slow(event): print(event.phase, flush=True); time.sleep(60)\n"
        "export_examples(session_factory(create_engine_from(sys.argv[1])), Path(sys.argv[2]), report=slow)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program, database_url, str(tmp_path / "out")], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline().strip() == "reading"
    time.sleep(0.1)
    os.kill(child.pid, signal.SIGKILL)
    child.wait(timeout=20)
    child.stdout.close()
    assert not (tmp_path / "out").exists()


def test_an_empty_instance_exports_empty_files(sessions: SessionFactory, tmp_path: Path) -> None:
    for filing in Filing:
        done = export_examples(sessions, tmp_path / filing, Chosen(filing=filing))
        assert done.rows == dict.fromkeys(Format, 0)
        assert import_examples(sessions, done.folder).good == 0


def test_a_judgement_taken_back_is_no_example(negotiations: Negotiations, sessions: SessionFactory, tmp_path: Path) -> None:
    (conversation_id,) = judged_talks(negotiations, talks=1)
    before = export_examples(sessions, tmp_path / "before")
    with negotiations.transaction() as session:
        judge = Judge(session)
        rating = judge.rate(judge.turns(conversation_id)[0], 1)
    added = export_examples(sessions, tmp_path / "added")
    with negotiations.transaction() as session:
        Judge(session).withdraw(rating)
    assert added.sha256 != before.sha256
    assert export_examples(sessions, tmp_path / "after").sha256 == before.sha256
