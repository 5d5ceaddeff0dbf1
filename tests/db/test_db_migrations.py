"""Migrations lead up, down and up again on a real server, agree with the models, and never run twice at once."""

import os
import subprocess
import sys
import threading
from enum import StrEnum
from pathlib import Path

import pytest
from sqlalchemy import Enum, inspect, text

from db import migrate
from db.engine import DatabaseBusy, create_engine_from
from db.models import Base
from db.models import base as models_base

ROOT = Path(migrate.__file__).resolve().parent.parent


def tables(url: str) -> set[str]:
    engine = create_engine_from(url, pooled=False)
    return set(inspect(engine).get_table_names())


def up_down_up(url: str) -> None:
    assert migrate.current(url) is None
    migrate.upgrade(url)
    assert migrate.current(url) == migrate.head()
    assert set(Base.metadata.tables) <= tables(url)
    migrate.check(url)
    migrate.downgrade(url, "base")
    assert migrate.current(url) is None
    assert tables(url) == {"alembic_version"}
    assert functions(url) == set()
    migrate.upgrade(url)
    migrate.upgrade(url)
    migrate.check(url)


def functions(url: str) -> set[str]:
    engine = create_engine_from(url, pooled=False)
    with engine.connect() as connection:
        return set(connection.scalars(text("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace")))


def test_up_down_up_leaves_the_schema_of_the_models(empty_database_url: str) -> None:
    up_down_up(empty_database_url)


@pytest.mark.production
def test_up_down_up_on_the_named_server(production_postgres_url: str) -> None:
    up_down_up(production_postgres_url)


JUDGED = """
INSERT INTO hotel (id, name, city, country, timezone) VALUES (md5('h')::uuid, 'Grand', 'Rome', 'IT', 'Europe/Rome');
INSERT INTO conversation (id, hotel_id, mode, counterpart, language, stage, state, turn_count)
    VALUES (md5('c')::uuid, md5('h')::uuid, 'copilot', 'human', 'en', 'opening', '{}', 0);
INSERT INTO draft (id, conversation_id, for_turn, attempt, origin, text, status)
    VALUES (md5('d')::uuid, md5('c')::uuid, 1, 1, 'policy', 'Hello', 'pending');
INSERT INTO guard_verdict (id, draft_id, rule, passed, severity, message, of_edit)
    VALUES (md5('1')::uuid, md5('d')::uuid, 'length', true, NULL, '', false),
           (md5('2')::uuid, md5('d')::uuid, 'promises', false, 'major', 'a promise', false),
           (md5('3')::uuid, md5('d')::uuid, 'promises', false, 'major', 'and another', false);
"""


def test_what_the_guard_said_survives_the_way_to_one_row_for_one_breach_and_back(empty_database_url: str) -> None:
    engine = create_engine_from(empty_database_url, pooled=False)

    def rows(statement: str) -> list[tuple[object, ...]]:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]

    migrate.upgrade(empty_database_url, "0003")
    with engine.begin() as connection:
        connection.execute(text(JUDGED))
    migrate.upgrade(empty_database_url)
    assert rows("SELECT rules_checked FROM draft") == [(["length", "promises"],)]
    assert rows("SELECT rule, message FROM guard_verdict ORDER BY id = md5('3')::uuid") == [
        ("promises", "a promise"),
        ("promises", "and another"),
    ]
    migrate.downgrade(empty_database_url, "0003")
    assert rows("SELECT rule, passed, count(*) FROM guard_verdict GROUP BY 1, 2 ORDER BY 1") == [
        ("length", True, 1),
        ("promises", False, 2),
    ]


def test_every_word_of_the_vocabulary_is_admitted_and_no_other(database_url: str) -> None:
    """``alembic check`` does not compare CHECK constraints, so a new word without a migration would be found by users."""
    engine = create_engine_from(database_url, pooled=False)
    with engine.connect() as connection:
        rules = dict(connection.execute(text("SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c'")).all())
    checked = 0
    for table in Base.metadata.tables.values():
        for column in table.columns:
            if isinstance(column.type, Enum):
                vocabulary = column.type.enum_class
                assert vocabulary is not None
                assert issubclass(vocabulary, StrEnum)
                quoted = set(rules[f"ck_{table.name}_{column.name}"].split("'")[1::2])
                assert quoted == {str(word) for word in vocabulary}, f"{table.name}.{column.name}"
                checked += 1
    assert checked == 32
    assert set(rules["ck_app_user_roles"].split("'")[1::2]) == {"bd", "annotator", "ops", "admin"}


def test_tables_of_the_checkpointer_are_left_alone(database_url: str) -> None:
    engine = create_engine_from(database_url, pooled=False)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE checkpoint_writes (thread_id text)"))
    migrate.check(database_url)


def test_a_column_that_no_migration_has_made_is_reported(database_url: str) -> None:
    engine = create_engine_from(database_url, pooled=False)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE hotel DROP COLUMN star"))
    with pytest.raises(migrate.MigrationFailed, match="star"):
        migrate.check(database_url)


def test_a_database_of_a_newer_release_is_not_touched(database_url: str) -> None:
    engine = create_engine_from(database_url, pooled=False)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(migrate.MigrationFailed, match=r"9999.*newer Parley"):
        migrate.upgrade(database_url)
    assert migrate.current(database_url) == "9999"


def test_processes_that_start_together_migrate_once(empty_database_url: str) -> None:
    command = [sys.executable, "-c", "import sys; from db import migrate; migrate.upgrade(sys.argv[1])", empty_database_url]
    starting = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) for _ in range(3)]
    for process in starting:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()
    migrate.check(empty_database_url)


def test_it_works_from_any_folder(empty_database_url: str, tmp_path: Path) -> None:
    code = "import sys; from db import migrate; migrate.upgrade(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, empty_database_url], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)
    assert migrate.current(empty_database_url) == migrate.head()


def test_the_alembic_command_reads_the_settings(database_url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "alembic", "-c", str(ROOT / "alembic.ini"), "check"]
    ran = subprocess.run(command, cwd=tmp_path, env=os.environ | {"PARLEY_DATABASE_URL": database_url}, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "No new upgrade operations" in ran.stdout


def test_a_migration_gives_up_rather_than_queue_up_live_traffic(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_MIGRATION_LOCK_TIMEOUT_S", "0.2")
    holder = create_engine_from(database_url, pooled=False)
    with holder.begin() as connection:
        connection.execute(text("LOCK TABLE turn IN ACCESS SHARE MODE"))
        with pytest.raises(DatabaseBusy):
            migrate.downgrade(database_url, "0001")
    assert migrate.current(database_url) == migrate.head()


def test_a_migration_waits_for_another_one(empty_database_url: str) -> None:
    holder = create_engine_from(empty_database_url, pooled=False)
    with holder.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(x'7061726C6579'::bigint)"))
        waiting = threading.Thread(target=migrate.upgrade, args=(empty_database_url,))
        waiting.start()
        waiting.join(timeout=0.5)
        assert waiting.is_alive()
        assert tables(empty_database_url) == set()
    waiting.join(timeout=60)
    assert migrate.current(empty_database_url) == migrate.head()


def test_missing_scripts_are_named(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path) -> None:
    monkeypatch.setattr(migrate, "SCRIPTS", tmp_path)
    with pytest.raises(migrate.MigrationFailed, match=str(tmp_path)):
        migrate.upgrade(database_url)


def test_ids_are_made_here_and_sort_by_time() -> None:
    made = [models_base.uuid7() for _ in range(1000)]
    assert made == sorted(made)
    assert {identity.version for identity in made} == {7}
