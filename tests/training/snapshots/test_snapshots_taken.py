"""Snapshots of a database: one moment, what is kept out, and the same bytes whenever it is taken again."""

import json
import os
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from agent.records import to_json
from agent.service import Negotiations
from db.embedded import EmbeddedPostgres
from db.engine import SessionFactory, create_engine_from, session_factory
from db.models import AuditEvent, BadCase, Conversation, Draft, Rating, Turn
from db.vocabulary import DraftStatus, JudgementKind, JudgementSource, Preferred
from tests.training.data.data_scenes import Judge, add_contact, talk
from training.data import Chosen, Format, export_examples, import_examples
from training.data.columns import TRAINED, Source, pseudonym
from training.data.examples import LeftOut
from training.quality.trust import trust_weights
from training.snapshots import (
    EmptySnapshot,
    OneRater,
    Quarantine,
    Snapshot,
    SnapshotError,
    SnapshotInTheWay,
    SnapshotSettings,
    Split,
    context_id,
    open_snapshot,
    take,
)
from training.snapshots.splits import split_of
from training.starter.progress import BuildEvent

HALF = SnapshotSettings(validation_share=0.5)


def taken(sessions: SessionFactory, folder: Path, settings: SnapshotSettings = HALF) -> Snapshot:
    take(sessions, folder, settings)
    return open_snapshot(folder)


def rows(snapshot: Snapshot, table: str) -> list[dict[str, Any]]:
    """Of both splits; none where the table is empty."""
    if not snapshot.manifest.rows(table):
        return []
    read = {
        Format.PREFERENCE: snapshot.preferences, Format.PROMPT_COMPLETION: snapshot.demonstrations,
        Format.UNPAIRED_PREFERENCE: snapshot.stars, "contexts": snapshot.contexts,
    }[table]  # fmt: skip
    return [row for split in Split for row in read(split).to_list()]


def every_file(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def conversations(sessions: SessionFactory) -> list[UUID]:
    with sessions() as session:
        return list(session.scalars(select(Conversation.id).order_by(Conversation.id)))


def moment(sessions: SessionFactory) -> datetime:
    with sessions() as session:
        return session.scalars(select(func.clock_timestamp())).one()


@pytest.fixture
def empty(embedded: EmbeddedPostgres, migrated_template: str) -> Iterator[SessionFactory]:
    with another(embedded, migrated_template) as sessions:
        yield sessions


def _other(session: Session, turn: Turn, number: int) -> Draft:
    """One more draft of the turn, in words of its own."""
    used = session.get_one(Draft, turn.draft_id)
    draft = Draft(
        conversation_id=turn.conversation_id, for_turn=turn.number, attempt=50 + number, origin=used.origin, status=DraftStatus.REJECTED,
        text=f"Dear colleagues, {'very ' * number}many thanks.", move=used.move, allowed=used.allowed, brief=used.brief,
    )  # fmt: skip
    session.add(draft)
    session.flush()
    return draft


@contextmanager
def another(embedded: EmbeddedPostgres, template: str) -> Generator[SessionFactory]:
    name = f"empty_{os.urandom(6).hex()}"
    engine = create_engine_from(embedded.create_database(name, template=template))
    try:
        yield session_factory(engine)
    finally:
        engine.dispose()
        embedded.drop_database(name)


def test_that_a_snapshot_holds_what_an_export_holds_and_the_place_of_every_turn(judged: SessionFactory, tmp_path: Path) -> None:
    snapshot = taken(judged, tmp_path / "a")
    exported = export_examples(judged, tmp_path / "export")
    for kind in TRAINED:
        ids = {json.loads(line)["id"] for line in (tmp_path / "export" / f"{kind}.jsonl").read_text().splitlines()}
        found = rows(snapshot, kind)
        assert ids == {row["id"] for row in found}
        assert exported.rows[kind] == len(found) > 0
    contexts = {row["id"]: row for row in rows(snapshot, "contexts")}
    with judged() as session:
        ours = session.scalars(select(Turn.id).where(Turn.move.is_not(None), Turn.speaker == "bd")).all()
    assert {row["turn_id"] for row in contexts.values()} == {str(turn_id) for turn_id in ours}
    for kind in TRAINED:
        for row in rows(snapshot, kind):
            context = contexts[str(context_id(row["prompt"]))]
            assert (context["prompt"], context["hotel"], context["split"]) == (row["prompt"], row["hotel"], row["split"])
    hotels = [{row["hotel"] for row in snapshot.contexts(split).to_list()} for split in Split]
    assert not hotels[0] & hotels[1]
    for split, own in zip(Split, hotels, strict=True):
        assert {split_of(hotel, HALF.validation_share) for hotel in own} <= {split}, "a hotel's place follows from its name alone"
    for split in Split:
        for context in snapshot.context_rows(split):
            assert contexts[context.id]["context"] == json.dumps(to_json(context.context), ensure_ascii=False, separators=(",", ":"))
            assert context.simulation is None
            assert "mandate" not in contexts[context.id]["context"]
    with judged() as session:
        (event,) = session.scalars(select(AuditEvent).where(AuditEvent.action == "data.snapshot")).all()
    assert (event.after or {})["sha256"] == snapshot.manifest.sha256


def test_that_the_same_instant_gives_the_same_bytes_whatever_came_later(
    judged: SessionFactory, negotiations: Negotiations, tmp_path: Path
) -> None:
    at = moment(judged)
    settings = replace(HALF, as_of=at)
    first = taken(judged, tmp_path / "a", settings)
    talk(negotiations, seed=7, references=["DEMO-107"], turns=3)
    with negotiations.transaction() as session:
        cat, known = Judge(session, "Cat Egory"), session.scalars(select(Rating).where(Rating.turn_id.is_not(None))).first()
        assert known is not None
        turn = session.get_one(Turn, known.turn_id)
        cat.rate(turn, 5, excellent=True, rewrite="Entirely other words.")
        judge = Judge(session)
        judge.withdraw(judge.rate(turn, 1))
        session.add(
            Rating(
                kind=known.kind, rater_id=known.rater_id, conversation_id=known.conversation_id, turn_id=known.turn_id,
                idempotency_key="later", supersedes_id=known.id, stars=3,
            )
        )  # fmt: skip
        session.add(BadCase(turn_id=turn.id, context={}, reply={}))
    taken(judged, tmp_path / "b", settings)
    assert every_file(tmp_path / "a") == every_file(tmp_path / "b")
    later = taken(judged, tmp_path / "c")
    assert later.manifest.row_ids_sha256 != first.manifest.row_ids_sha256
    assert later.manifest.quarantined[Quarantine.BAD_CASE]["conversations"] == 1


def test_that_an_instant_before_everything_holds_nothing(judged: SessionFactory, tmp_path: Path) -> None:
    with pytest.raises(EmptySnapshot, match="Nothing is left to train on"):
        take(judged, tmp_path / "a", replace(HALF, as_of=datetime(2020, 1, 1, tzinfo=UTC)))
    assert list(tmp_path.iterdir()) == []


def test_that_whole_conversations_are_quarantined_with_the_reason(judged: SessionFactory, tmp_path: Path) -> None:
    flagged, case, measured = conversations(judged)
    with judged.begin() as session:
        turn_id = session.scalars(select(Turn.id).where(Turn.conversation_id == case, Turn.number == 1)).one()
        session.add(BadCase(turn_id=turn_id, context={}, reply={}))
        session.execute(update(Conversation).where(Conversation.id == measured).values(persona="sceptic"))
    whole = taken(judged, tmp_path / "flagged", SnapshotSettings(validation_share=0, flagged=(measured,)))
    assert not any(row["conversation_id"] == str(case) for table in (*TRAINED, "contexts") for row in rows(whole, table))
    assert {row["conversation_id"] for row in rows(whole, "contexts")} == {str(flagged)}
    told = whole.manifest.quarantined
    assert {reason: told[reason]["conversations"] for reason in told} == {
        Quarantine.FLAGGED: 1, Quarantine.BAD_CASE: 1, Quarantine.HELD_OUT: 0, Quarantine.LOW_TRUST: 0,
    }  # fmt: skip
    with judged() as session:
        of_replies = Rating.kind != JudgementKind.DIALOGUE
        judgements = session.scalars(select(func.count()).where(Rating.conversation_id == case, of_replies)).one()
    assert told[Quarantine.BAD_CASE]["judgements"] == judgements + 1, "and one edit"
    with pytest.raises(EmptySnapshot, match=r"judgements: in a conversation with a simulated hotel.*Widen"):
        take(judged, tmp_path / "nothing", SnapshotSettings(validation_share=0, flagged=(flagged,)))


def test_that_judgements_of_careless_people_are_quarantined_and_counted(
    judged: SessionFactory, negotiations: Negotiations, tmp_path: Path
) -> None:
    with negotiations.transaction() as session:
        people = [Judge(session, name) for name in ("One", "Two", "Three", "Careless")]
        turns = [turn for conversation_id in conversations(judged) for turn in people[0].turns(conversation_id)]
        pairs = [(session.get_one(Draft, turn.draft_id), _other(session, turn, number)) for turn in turns for number in range(4)]
        for number, (first, second) in enumerate(pairs):
            sides = (Preferred.FIRST, Preferred.SECOND) if number % 2 else (Preferred.SECOND, Preferred.FIRST)
            for person in people[:3]:
                person.compare(first, second, sides[0])
            people[3].compare(first, second, sides[1])
        weights = trust_weights(session)
        careless = people[3].user.id
    middle = (weights[careless] + min(weights[person.user.id] for person in people[:3])) / 2
    assert weights[careless] < middle
    trusting = taken(judged, tmp_path / "all", replace(HALF, min_trust=0.0))
    careful = taken(judged, tmp_path / "careful", replace(HALF, min_trust=middle))
    name = pseudonym("rater", careless)
    assert any(row["rater"] == name for row in rows(trusting, Format.PREFERENCE))
    assert not any(row["rater"] == name for kind in TRAINED for row in rows(careful, kind))
    assert trusting.manifest.quarantined[Quarantine.LOW_TRUST] == {"conversations": 0, "judgements": 0}
    low = [rater for rater, weight in weights.items() if weight < middle]
    with judged() as session:
        theirs = session.scalars(select(func.count()).where(Rating.rater_id.in_(low))).one()
    assert careful.manifest.quarantined[Quarantine.LOW_TRUST]["judgements"] == theirs >= len(pairs)
    # The same people's rows keep out when they come back as a file.
    export_examples(judged, tmp_path / "export")
    import_examples(judged, tmp_path / "export")
    again = taken(judged, tmp_path / "again", replace(HALF, min_trust=middle))
    assert not any(row["rater"] == name for kind in TRAINED for row in rows(again, kind))


def test_that_filters_let_through_what_they_name(judged: SessionFactory, tmp_path: Path) -> None:
    whole = taken(judged, tmp_path / "whole")
    edits = taken(judged, tmp_path / "edits", replace(HALF, sources=(Source.EDIT,)))
    assert {row["source"] for kind in TRAINED for row in rows(edits, kind)} == {"edit"}
    assert edits.manifest.rows("contexts") == whole.manifest.rows("contexts")
    people = taken(judged, tmp_path / "people", replace(HALF, people_only=True))
    assert any(row["simulated_rater"] for row in rows(whole, Format.UNPAIRED_PREFERENCE))
    assert not any(row["simulated_rater"] for kind in TRAINED for row in rows(people, kind))
    with pytest.raises(EmptySnapshot):
        take(judged, tmp_path / "chinese", replace(HALF, languages=("zh",)))
    since = taken(judged, tmp_path / "since", replace(HALF, since=moment(judged)))
    assert not any(rows(since, kind) for kind in TRAINED)
    assert since.manifest.rows("contexts") > 0
    assert whole.manifest.settings["sources"] == [str(source) for source in Source]


def test_that_examples_that_came_in_files_are_there_once(judged: SessionFactory, empty: SessionFactory, tmp_path: Path) -> None:
    export_examples(judged, tmp_path / "export")
    native = taken(judged, tmp_path / "native")
    import_examples(judged, tmp_path / "export")
    import_examples(empty, tmp_path / "export")
    both, imported = taken(judged, tmp_path / "both"), taken(empty, tmp_path / "imported")
    for kind in TRAINED:
        assert rows(both, kind) == rows(native, kind) == rows(imported, kind)
        assert both.manifest.duplicates[kind] == native.manifest.duplicates[kind] + native.manifest.rows(kind)
    with pytest.raises(EmptySnapshot, match="no rows in contexts"):
        imported.contexts(Split.TRAIN)


def test_that_personal_data_is_masked_in_rows_and_contexts(judged: SessionFactory, negotiations: Negotiations, tmp_path: Path) -> None:
    with negotiations.transaction() as session:
        turn = session.scalars(select(Turn).where(Turn.speaker == "hotel", Turn.text != "").order_by(Turn.id)).first()
        assert turn is not None
        word = max(re.findall(r"[a-z]+", turn.text), key=len)
        add_contact(session, turn.conversation_id, name=word)
    snapshot = taken(judged, tmp_path / "a")
    hidden = [row for row in rows(snapshot, "contexts") if row["conversation_id"] == str(turn.conversation_id)]
    told = [said["text"] for row in hidden for said in json.loads(row["context"])["history"]]
    assert any("[name]" in text for text in told)
    assert not any(re.search(rf"\b{word}\b", text) for text in told)


def test_that_disputes_and_their_like_are_counted(judged: SessionFactory, tmp_path: Path) -> None:
    exported = export_examples(judged, tmp_path / "export", Chosen())
    assert taken(judged, tmp_path / "a").manifest.left_out == {str(reason): count for reason, count in exported.left_out.items()}
    assert set(exported.left_out) <= set(LeftOut)


def test_that_one_persons_preferences_are_refused_unless_allowed(judged: SessionFactory, tmp_path: Path) -> None:
    comparisons = replace(HALF, sources=(Source.COMPARISON,))
    with pytest.raises(OneRater, match="preferences are of one person"):
        take(judged, tmp_path / "a", comparisons)
    with judged() as session:
        assert session.scalars(select(AuditEvent).where(AuditEvent.action == "data.snapshot")).all() == []
    assert rows(taken(judged, tmp_path / "a", replace(comparisons, allow_one_rater=True)), Format.PREFERENCE)


def test_that_bad_settings_and_folders_are_refused_before_anything_is_read(judged: SessionFactory, tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="lies in the future"):
        take(judged, tmp_path / "a", replace(HALF, as_of=datetime.now(UTC) + timedelta(days=2)))
    with pytest.raises(ValueError, match="time zone"):
        SnapshotSettings(as_of=datetime(2027, 1, 1))
    for wrong in ({"min_trust": 1.5}, {"validation_share": -0.1}):
        with pytest.raises(ValueError, match=r"in \[0, 1\]"):
            replace(HALF, **wrong)
    (tmp_path / "b").mkdir()
    with pytest.raises(SnapshotInTheWay):
        take(judged, tmp_path / "b", HALF)
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


@pytest.mark.parametrize("phase", ["reading", "writing"])
def test_that_an_interrupt_leaves_nothing(judged: SessionFactory, tmp_path: Path, phase: str) -> None:
    def interrupt(event: BuildEvent) -> None:
        if event.phase == phase:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take(judged, tmp_path / "a", HALF, report=interrupt)
    assert list(tmp_path.iterdir()) == []
    with judged() as session:
        assert session.scalars(select(AuditEvent).where(AuditEvent.action == "data.snapshot")).all() == []


def test_that_simulated_judgements_are_labelled(judged: SessionFactory, tmp_path: Path) -> None:
    found = rows(taken(judged, tmp_path / "a"), Format.UNPAIRED_PREFERENCE)
    with judged() as session:
        simulated = set(session.scalars(select(Rating.id).where(Rating.source == JudgementSource.SIMULATED)))
    assert simulated
    for row in found:
        assert row["simulated_rater"] == any(UUID(rating_id) in simulated for rating_id in row["rating_ids"])
