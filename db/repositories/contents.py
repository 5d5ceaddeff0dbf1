"""Queries on a whole database: what is in it, and who else uses it. For backups, which must know what they hold."""

from collections.abc import Mapping

from sqlalchemy import cast, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from db.models import Base, PolicyVersion


def hold_a_snapshot(session: Session) -> str:
    """Let this transaction see one moment from here on, and return the name by which ``pg_dump`` sees the same."""
    session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
    return str(session.scalar(text("SELECT pg_export_snapshot()")))


def count_rows(session: Session) -> Mapping[str, int]:
    """How many rows each of our tables has; a table that this database does not have yet is left out."""
    present = set(
        session.scalars(text("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"))
    )
    tables = [table for table in Base.metadata.sorted_tables if table.name in present]
    return {table.name: session.scalars(select(func.count()).select_from(table)).one() for table in tables}


def place_adapters(session: Session, paths: Mapping[str, str]) -> None:
    """Say where the adapters of these versions lie now, by the version's name."""
    places = func.jsonb_extract_path_text(cast(dict(paths), JSONB), PolicyVersion.name)
    session.execute(update(PolicyVersion).where(PolicyVersion.name.in_(paths)).values(adapter_path=places))


def count_other_clients(session: Session) -> int:
    """How many other connections this database has."""
    statement = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    return int(session.scalar(statement) or 0)
