"""A service whose model answers from a script, on a database of the test's own: whole negotiations in a second."""

from collections.abc import Iterator
from datetime import date

import pytest
from data_scenes import ScriptedClient

from agent.service import Negotiations, connect
from agent.service.demo import seed_demo
from agent.settings import AgentSettings


@pytest.fixture
def client() -> ScriptedClient:
    return ScriptedClient()


@pytest.fixture
def negotiations(database_url: str, client: ScriptedClient) -> Iterator[Negotiations]:
    with connect(database_url, settings=AgentSettings(_env_file=None), client=client) as service:  # pyright: ignore[reportCallIssue]
        with service.transaction() as session:
            seed_demo(session, today=date(2027, 1, 1))
        yield service
