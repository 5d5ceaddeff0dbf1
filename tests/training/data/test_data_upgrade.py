"""An upgrade under traffic: what new migrations may do to a schema that older processes still use, and new code on the schema before."""

import contextlib
import io
import re
from datetime import date

import pytest
from alembic.config import Config
from data_scenes import ScriptedClient, talk
from sqlalchemy import create_engine, inspect

from agent.service import connect
from agent.service.demo import seed_demo
from agent.settings import AgentSettings
from alembic import command
from db import migrate
from db.engine import psycopg_url

BEFORE = "0010"
"""Newest schema of the release before."""
_BREAKS = re.compile(
    r"DROP (?:TABLE|COLUMN)|RENAME |ALTER COLUMN \S+ (?:TYPE|SET NOT NULL)|ADD COLUMN (?!.*(?:DEFAULT|GENERATED)).* NOT NULL", re.IGNORECASE
)


def statements() -> list[str]:
    """What ``parley migrate`` runs on a database of the release before."""
    out = io.StringIO()
    config = Config(output_buffer=out)
    config.set_main_option("script_location", str(migrate.SCRIPTS))
    with contextlib.redirect_stdout(out):
        command.upgrade(config, f"{BEFORE}:head", sql=True)
    return [" ".join(statement.split()) for statement in out.getvalue().split(";")]


@pytest.mark.parametrize(
    ("statement", "breaks"),
    [
        ("ALTER TABLE turn ADD COLUMN mood TEXT", False),
        ("ALTER TABLE turn ADD COLUMN mood TEXT DEFAULT 'calm' NOT NULL", False),
        ("CREATE INDEX ix_turn_mood ON turn (mood)", False),
        ("ALTER TABLE turn ADD COLUMN mood TEXT NOT NULL", True),
        ("ALTER TABLE turn DROP COLUMN text", True),
        ("ALTER TABLE turn RENAME COLUMN text TO words", True),
        ("ALTER TABLE turn ALTER COLUMN text TYPE INTEGER", True),
        ("DROP TABLE draft", True),
    ],
)
def test_that_what_breaks_an_older_process_is_known(statement: str, breaks: bool) -> None:
    assert bool(_BREAKS.search(statement)) == breaks


def test_that_new_migrations_only_add_what_older_processes_do_not_mind() -> None:
    found = statements()
    assert any("CREATE TABLE" in statement for statement in found)
    made = {match[1] for statement in found if (match := re.search(r"CREATE TABLE (\w+)", statement))}
    for statement in found:
        table = re.search(r"ALTER TABLE (\w+)", statement)
        if _BREAKS.search(statement) and not (table and table[1] in made):
            raise AssertionError(f"an older process would break on: {statement}")


@pytest.fixture
def older_database_url(empty_database_url: str) -> str:
    migrate.upgrade(empty_database_url, BEFORE)
    return empty_database_url


def test_that_a_negotiation_goes_on_where_the_schema_is_still_the_one_before(older_database_url: str) -> None:
    with connect(older_database_url, settings=AgentSettings(), client=ScriptedClient()) as negotiations:
        with negotiations.transaction() as session:
            seed_demo(session, today=date(2027, 1, 1))
        assert len(negotiations.view(talk(negotiations, seed=3)).turns) >= 4
    engine = create_engine(psycopg_url(older_database_url).replace("postgresql://", "postgresql+psycopg://", 1))
    assert "retrain" not in inspect(engine).get_table_names()
    engine.dispose()
    migrate.upgrade(older_database_url)
    migrate.check(older_database_url)
