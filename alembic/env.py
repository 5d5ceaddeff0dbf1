"""How migrations run: one at a time across all processes, and never waiting long behind (and so before) live traffic.

An advisory lock makes starting processes queue up instead of migrating twice; a lock timeout lets a migration give up rather than block
every query behind its own wait. Tables of the LangGraph checkpointer live in the same database and are its own business.
"""

from sqlalchemy import Connection, text

from alembic import context
from db.engine import create_engine_from
from db.errors import ParleyError
from db.models import Base
from db.settings import DatabaseSettings

ADVISORY_LOCK = 0x7061726C6579  # "parley"
QUEUE_TIMEOUT_S = 600
"""How long a process waits for another one that is migrating."""


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """False for the checkpointer's tables, which autogenerate would otherwise drop."""
    return not (kind == "table" and name is not None and name.startswith("checkpoint"))


def run_on(connection: Connection) -> None:
    """Bring the database behind ``connection`` to the wanted revision, in one transaction, under the advisory lock."""
    settings = DatabaseSettings()
    context.configure(connection=connection, target_metadata=Base.metadata, include_name=is_ours, compare_server_default=True)
    with context.begin_transaction():
        connection.execute(text(f"SET LOCAL statement_timeout = {QUEUE_TIMEOUT_S * 1000}"))
        connection.execute(text(f"SET LOCAL lock_timeout = {QUEUE_TIMEOUT_S * 1000}"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        connection.execute(text(f"SET LOCAL statement_timeout = {round(settings.migration_statement_timeout_s * 1000)}"))
        connection.execute(text(f"SET LOCAL lock_timeout = {round(settings.migration_lock_timeout_s * 1000)}"))
        context.run_migrations()


def run_from_command_line() -> None:
    """Take the database from ``-x url=…`` or from the settings.

    Raises:
        ParleyError: if neither names one.
    """
    url = context.get_x_argument(as_dictionary=True).get("url") or DatabaseSettings().database_url
    if not url:
        raise ParleyError("alembic needs a database: set PARLEY_DATABASE_URL or pass -x url=postgresql://…")
    with create_engine_from(url, pooled=False).connect() as connection:
        run_on(connection)


if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
elif (given := context.config.attributes.get("connection")) is not None:
    run_on(given)
else:
    run_from_command_line()
