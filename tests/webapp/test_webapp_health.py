"""Health on its page: what answers, what is away, and what is at work."""

from pathlib import Path

import pytest
from page_app import OpenPage, words
from training_rows import add_retrain

from db.engine import SessionFactory
from db.models import PolicyVersion
from db.repositories import deployments
from db.vocabulary import DeploymentRole, PolicyStatus, RetrainState, RetrainStep, Role
from training.jobs.app import CONTROL, TRAIN, app
from webapp import backend, workers


@pytest.fixture(autouse=True)
def nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No model server, and no broker unless a test names one."""
    monkeypatch.setenv("PARLEY_MODEL_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setattr(app.conf, "broker_url", None)
    backend.fleet.close()


def test_that_what_is_away_is_told_and_the_rest_is_shown(web_database: SessionFactory, open_page: OpenPage) -> None:
    said = words(open_page("health"))
    assert "answers in" in said
    assert "Does not answer: replies wait" in said
    assert "No broker is named" in said
    assert "No retrain is at work" in said


def test_that_a_silent_worker_is_noticed(web_database: SessionFactory, tmp_path: Path, open_page: OpenPage) -> None:
    add_retrain(web_database, tmp_path / "a", state=RetrainState.RUNNING, step=RetrainStep.POLICY)
    said = words(open_page("health"))
    assert "Policy, by host:1; last heard of 9 min" in said
    assert "look here" in said.partition("Policy, by")[0].rpartition("<section")[2]


def test_that_it_is_for_operations(open_page: OpenPage) -> None:
    assert [title.value for title in open_page("health", role=Role.BD).title] == ["This page is not for your role"]


class TestWorkers:
    def test_that_without_a_worker_what_waits_is_counted(self, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(app.conf, "broker_url", redis_url)
        found = workers.look()
        assert found.workers == ()
        assert set(found.waiting) == {CONTROL, TRAIN}

    def test_that_a_broker_that_is_away_is_a_sentence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(app.conf, "broker_url", "redis://127.0.0.1:9/0")
        with pytest.raises(workers.BrokerAway, match="The broker does not answer"):
            workers.look()


@pytest.mark.model
def test_that_a_model_server_says_what_it_serves(
    web_database: SessionFactory, model_server: str, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_MODEL_URL", model_server)
    with web_database.begin() as session:
        version = PolicyVersion(name="policy-v9", base_model="starter", adapter_path="/nowhere", status=PolicyStatus.PUBLISHED)
        session.add(version)
        session.flush()
        deployments.deploy(session, version.id, DeploymentRole.LIVE)
    assert "It has lost policy-v9" in words(open_page("health"))
    backend.fleet.close()
