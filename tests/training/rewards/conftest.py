"""A database of the test's own, with people who propose and approve, and negotiations of a scripted model."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from reward_talks import Talks, negotiating, person, three_talks
from sqlalchemy.orm import Session

from db.embedded import EmbeddedPostgres
from db.engine import SessionFactory, create_engine_from, session_factory


@pytest.fixture
def sessions(database_url: str) -> Iterator[SessionFactory]:
    engine = create_engine_from(database_url)
    yield session_factory(engine)
    engine.dispose()


@pytest.fixture
def session(sessions: SessionFactory) -> Iterator[Session]:
    """One transaction, never committed."""
    with sessions() as session:
        yield session


@pytest.fixture
def ops(session: Session) -> UUID:
    """Who proposes."""
    return person(session, "Olive Ops")


@pytest.fixture
def admin(session: Session) -> UUID:
    """Who approves."""
    return person(session, "Ada Admin")


@pytest.fixture
def talks(database_url: str) -> Iterator[Talks]:
    with negotiating(database_url) as talks:
        yield talks


@pytest.fixture(scope="module")
def spoken(embedded: EmbeddedPostgres, migrated_template: str) -> Iterator[SessionFactory]:
    """A database with three negotiations of two turns, that tests only read."""
    name = f"spoken_{uuid4().hex}"
    url = embedded.create_database(name, template=migrated_template)
    with negotiating(url) as talks:
        three_talks(talks)
        engine = create_engine_from(url)
        yield session_factory(engine)
        engine.dispose()
    embedded.drop_database(name)
