"""A service whose model answers from a script, and negotiations that were held with it."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from agent.service import Negotiations, connect
from agent.service.batch import run_job, simulated_jobs
from agent.settings import AgentSettings
from tests.training.data.data_scenes import ScriptedClient
from training.demo.loop import TODAY


@pytest.fixture
def negotiations(database_url: str) -> Iterator[Negotiations]:
    with connect(database_url, settings=AgentSettings(_env_file=None), client=ScriptedClient()) as service:  # pyright: ignore[reportCallIssue]
        yield service


@pytest.fixture
def held(negotiations: Negotiations) -> list[UUID]:
    """Three conversations that have come to their end."""
    outcomes = [run_job(negotiations, job, seed=3) for job in simulated_jobs(n=3, seed=3, today=TODAY)]
    assert [outcome.error for outcome in outcomes] == ["", "", ""]
    return [outcome.view.id for outcome in outcomes if outcome.view is not None]
