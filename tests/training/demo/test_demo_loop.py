"""The demo's order of steps, and that it goes on after any stop; the retrain itself is played here."""

from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

import pytest
from sqlalchemy import func, select

from agent.service import Negotiations
from agent.settings import AgentSettings
from db.engine import SessionFactory
from db.models import Conversation, PolicyVersion, Retrain, RetrainStepRow
from db.repositories import deployments
from db.vocabulary import DeploymentRole, PolicyStatus, RetrainState
from tests.training.data.data_scenes import ScriptedClient
from training.demo.loop import DemoFailed, DemoSettings, demo_settings, run_demo
from training.jobs.plan import Logged
from training.objectives.settings import SettingsError
from training.release.fleet import Fleet

SMALL = DemoSettings(lessons=8, shown=2, measured=2, at_once=2)


class Stopped(BaseException):
    """As Ctrl-C."""


class Heard:
    """An audience that can leave before the nth step."""

    def __init__(self, leave_before: int | None = None) -> None:
        self.steps: list[str] = []
        self.said: list[str] = []
        self._leave_before = leave_before

    def step(self, title: str, says: str) -> None:
        del says
        if len(self.steps) == self._leave_before:
            raise Stopped
        self.steps.append(title)

    def progress(self, done: int, of: int) -> None:
        assert done <= of

    def retraining(self, row: Retrain, steps: Sequence[RetrainStepRow]) -> None:
        del row, steps

    def done(self, says: str) -> None:
        self.said.append(says)


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    with Fleet(["http://127.0.0.1:9/v1"]) as fleet:  # the base needs no adapter, so nobody is asked
        yield fleet


Worker = Callable[[UUID], None]


def works(sessions: SessionFactory, state: RetrainState) -> Worker:
    """A worker that has always just come to this state."""

    def wake(retrain_id: UUID) -> None:
        with sessions.begin() as session:
            row = session.get_one(Retrain, retrain_id)
            if state is RetrainState.LIVE:
                version = PolicyVersion(name="policy-v2", base_model="parley-starter", status=PolicyStatus.PUBLISHED)
                session.add(version)
                session.flush()
                deployments.deploy(session, version.id, DeploymentRole.LIVE)
                row.candidate_id = version.id
            else:
                row.verdict = {"criteria": [{"name": "better", "title": "rated better", "met": False, "says": "-0.10 stars"}]}
            row.state = state

    return wake


def test_it_begins_with_the_base_and_ends_with_the_better_version(
    negotiations: Negotiations, sessions: SessionFactory, fleet: Fleet
) -> None:
    heard = Heard()
    came = run_demo(negotiations, sessions, ScriptedClient(), fleet, heard, settings=SMALL, wake=works(sessions, RetrainState.LIVE))
    assert heard.steps == ["Begin", "Negotiate", "Negotiate and rate", "Colleagues", "Retrain", "Negotiate again"]
    assert (came.before, came.after) == (AgentSettings().model_name, "policy-v2")
    assert came.compared["stars"].hotels == 2
    with sessions() as session:
        retrain = session.get_one(Retrain, came.retrain_id)
        held = session.scalars(select(func.count()).select_from(Conversation)).one()
        by = session.execute(select(PolicyVersion.name, func.count()).join(Conversation).group_by(PolicyVersion.name)).all()
    assert retrain.plan["material"]["kind"] == Logged().kind
    assert held == 8 + 2 + 2 + 2
    assert dict(by) == {AgentSettings().model_name: 12, "policy-v2": 2}


@pytest.mark.parametrize("leave_before", [3, 5])
def test_it_goes_on_after_a_stop(leave_before: int, negotiations: Negotiations, sessions: SessionFactory, fleet: Fleet) -> None:
    worker = works(sessions, RetrainState.LIVE)
    with pytest.raises(Stopped):
        run_demo(negotiations, sessions, ScriptedClient(), fleet, Heard(leave_before), settings=SMALL, wake=worker)
    came = run_demo(negotiations, sessions, ScriptedClient(), fleet, Heard(), settings=SMALL, wake=worker)
    assert came.after == "policy-v2"
    with sessions() as session:
        assert session.scalars(select(func.count()).select_from(Conversation)).one() == 14
        assert session.scalars(select(func.count()).select_from(Retrain)).one() == 1


def test_a_candidate_that_is_refused_ends_it_with_the_reason(negotiations: Negotiations, sessions: SessionFactory, fleet: Fleet) -> None:
    with pytest.raises(DemoFailed, match=r"rejected: rated better: -0\.10 stars"):
        run_demo(negotiations, sessions, ScriptedClient(), fleet, Heard(), settings=SMALL, wake=works(sessions, RetrainState.REJECTED))


def test_settings_are_read_from_what_is_typed() -> None:
    assert demo_settings(["lessons=20", "judge=none"]) == DemoSettings(lessons=20, judge="none")
    assert demo_settings(["steps=5"]).plan.settings["steps"] == 5
    with pytest.raises(SettingsError, match="lessons cannot be 2"):
        demo_settings(["lessons=2"])
    with pytest.raises(SettingsError, match="There are lessons, shown"):
        demo_settings(["lesson=20"])
