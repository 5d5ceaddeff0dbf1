"""A database with three judged negotiations, played once and cloned for every test."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import date
from uuid import NAMESPACE_DNS, uuid5

import pytest

from agent.service import Negotiations, connect
from agent.service.demo import demo_tickets, seed_demo
from agent.settings import AgentSettings
from db.embedded import EmbeddedPostgres
from db.engine import SessionFactory, create_engine_from, session_factory
from db.models import Hotel
from tests.training.data.data_scenes import ScriptedClient, judged_talks

TODAY = date(2027, 1, 1)


@pytest.fixture(scope="session")
def judged_template(embedded: EmbeddedPostgres, migrated_template: str) -> str:
    """Name of the database that is cloned."""
    database = "template_judged"
    with _service(embedded.create_database(database, template=migrated_template)) as service:
        with service.transaction() as session:
            # Their ids decide on which side of a snapshot they are: drawn at random, all may be on one.
            for name, city, country in sorted({(form.hotel, form.city, form.country) for form in demo_tickets(TODAY)}):
                session.add(Hotel(id=uuid5(NAMESPACE_DNS, name), name=name, city=city, country=country))
            session.flush()
            seed_demo(session, today=TODAY)
        judged_talks(service)
    return database


@pytest.fixture
def judged_url(embedded: EmbeddedPostgres, judged_template: str) -> Iterator[str]:
    """A database of this test's own."""
    name = f"judged_{os.urandom(6).hex()}"
    yield embedded.create_database(name, template=judged_template)
    embedded.drop_database(name)


@pytest.fixture
def negotiations(judged_url: str) -> Iterator[Negotiations]:
    with _service(judged_url) as service:
        yield service


@pytest.fixture
def judged(judged_url: str) -> Iterator[SessionFactory]:
    engine = create_engine_from(judged_url)
    yield session_factory(engine)
    engine.dispose()


def _service(url: str) -> AbstractContextManager[Negotiations]:
    return connect(url, settings=AgentSettings(_env_file=None), client=ScriptedClient())  # pyright: ignore[reportCallIssue]
