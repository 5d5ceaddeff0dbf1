"""A session on a migrated database of the test's own."""

from collections.abc import Iterator

import pytest
from db_rows import Rows
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import SessionFactory, create_engine_from, session_factory


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine_from(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> SessionFactory:
    return session_factory(engine)


@pytest.fixture
def session(sessions: SessionFactory) -> Iterator[Session]:
    """One transaction, never committed."""
    with sessions() as session:
        yield session


@pytest.fixture
def rows(session: Session) -> Rows:
    """Writes rows into ``session``."""
    return Rows(session)
