"""From settings to a ready service: engine, checkpointer, model client. One per process, shared by its threads."""

import gc
from collections.abc import Generator
from contextlib import contextmanager

import psycopg
from langgraph.checkpoint.postgres import PostgresSaver
from psycopg import sql
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool

from agent.language.client import ModelClient
from agent.service.negotiations import Negotiations
from agent.service.routing import ensure_first_version
from agent.settings import AgentSettings
from db.engine import create_engine_from, psycopg_url, session_factory
from db.errors import ParleyError
from db.settings import DatabaseSettings

CHECKPOINT_SCHEMA = "langgraph"
"""LangGraph keeps its tables in a schema of its own, so that our migrations and its own never meet."""

_SETUP_LOCK = 7_274_411_001


class NoDatabase(ParleyError):
    """Nothing says which database to use."""


@contextmanager
def connect(
    database_url: str | None = None, *, settings: AgentSettings | None = None, client: ModelClient | None = None
) -> Generator[Negotiations]:
    """A service on the migrated database at ``database_url`` (``PARLEY_DATABASE_URL`` where it is left out); it closes its ``client``.

    Raises NoDatabase where neither names one, and what ``db.engine.create_engine_from`` raises.
    """
    chosen = settings or AgentSettings()
    url = database_url or DatabaseSettings().database_url
    if not url:
        raise NoDatabase("No database is named. Start Parley with `parley up`, or set PARLEY_DATABASE_URL.")
    _collect_rarely()
    engine = create_engine_from(url)
    client = client or ModelClient(chosen.model_url, timeout=chosen.model_timeout_s, retries=chosen.model_retries)
    try:
        prepare_checkpoints(url)
        with session_factory(engine).begin() as session:
            ensure_first_version(session, chosen.model_name)
        kwargs = {"autocommit": True, "row_factory": dict_row, "prepare_threshold": 0, "options": f"-c search_path={CHECKPOINT_SCHEMA}"}
        with ConnectionPool(psycopg_url(url), min_size=1, max_size=8, kwargs=kwargs, check=ConnectionPool.check_connection) as pool:
            yield Negotiations(engine, client, PostgresSaver(pool), chosen)  # pyright: ignore[reportArgumentType] - the row factory is dict_row
    finally:
        client.close()
        engine.dispose()


def _collect_rarely() -> None:
    """Spare the libraries, which live as long as the process, from every garbage collection: a turn makes thousands of small objects.

    Measured by ``benchmarks.turn``: a quarter of what a turn costs beside the model.
    """
    if not gc.get_freeze_count():
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)


def prepare_checkpoints(url: str) -> None:
    """Create LangGraph's own tables where they are missing; safe from several processes at once."""
    with psycopg.Connection[DictRow].connect(psycopg_url(url), autocommit=True, row_factory=dict_row) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_SETUP_LOCK,))
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(CHECKPOINT_SCHEMA)))
        connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(CHECKPOINT_SCHEMA)))
        PostgresSaver(connection).setup()
