"""A service on a database of the test's own and on the session's real model server."""

from collections.abc import Iterator
from datetime import date
from uuid import UUID, uuid4

import pytest

from agent.service import Negotiations, connect
from agent.service.demo import seed_demo
from agent.settings import AgentSettings
from db.repositories import tickets, users
from db.vocabulary import Counterpart, Mode, Role


@pytest.fixture
def agent_settings(model_server: str) -> AgentSettings:
    return AgentSettings(model_url=model_server, busy_wait_s=60, _env_file=None)  # pyright: ignore[reportCallIssue]


@pytest.fixture
def negotiations(database_url: str, agent_settings: AgentSettings) -> Iterator[Negotiations]:
    with connect(database_url, settings=agent_settings) as service:
        with service.transaction() as session:
            seed_demo(session, today=date(2027, 1, 1))
        yield service


@pytest.fixture
def person(negotiations: Negotiations) -> UUID:
    with negotiations.transaction() as session:
        return users.create(session, email="bd@example.com", name="Bea Dee", roles=[Role.BD])[0].id


class Opener:
    """Opens conversations on demo tickets."""

    def __init__(self, negotiations: Negotiations) -> None:
        self._negotiations = negotiations

    def __call__(
        self,
        *references: str,
        mode: Mode = Mode.COPILOT,
        counterpart: Counterpart = Counterpart.HUMAN,
        key: str | None = None,
        seed: int = 3,
    ) -> UUID:
        with self._negotiations.transaction() as session:
            found = [tickets.find_by_reference(session, reference) for reference in references or ("DEMO-101",)]
        return self._negotiations.open(
            ticket_ids=[ticket.id for ticket in found if ticket is not None],
            mode=mode,
            counterpart=counterpart,
            actor=None,
            key=key or f"test:{uuid4()}",
            seed=seed,
        )


@pytest.fixture
def opened(negotiations: Negotiations) -> Opener:
    return Opener(negotiations)
