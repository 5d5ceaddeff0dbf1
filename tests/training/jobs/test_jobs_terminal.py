"""Retrains on the command line: what is asked for becomes a plan, what is done is said, and who acts is named."""

from datetime import timedelta

import pytest
from rich.console import Console

from db.engine import SessionFactory
from db.models import User
from db.repositories import audit_events, retrain_schedules, retrains, users
from db.repositories.retrains import RetrainNotFound
from db.vocabulary import RetrainState, Role
from training.jobs import terminal
from training.jobs.plan import Budget, Effort, PlanRefused, RetrainPlan, Simulated, parse_plan
from training.jobs.requests import request_retrain
from training.jobs.terminal import PersonRefused, planned
from training.objectives.settings import SettingsError
from training.runs import RunRefused

VERDICT = {"criteria": [{"name": "better", "title": "rated better", "met": False, "says": "+0.01 stars", "figures": {}}]}


@pytest.fixture
def console() -> Console:
    return Console(record=True, width=200, color_system=None)


@pytest.fixture
def ada(sessions: SessionFactory) -> User:
    with sessions.begin() as session:
        return users.create(session, email="ada@example.com", name="Ada", roles=[Role.OPS])[0]


def asked(**changed: object) -> RetrainPlan:
    known: dict[str, object] = {"objective": "repo", "settings": [], "simulated": None, "values": [], "minutes": None}
    return planned(**{**known, **changed})  # pyright: ignore[reportArgumentType]


class TestPlans:
    def test_that_a_command_line_becomes_a_plan(self) -> None:
        plan = asked(settings=["steps=30", "beta=0.1"], simulated=60, values=["effort.dialogues=50", "seed=4"], minutes=9, line="other")
        assert plan == RetrainPlan(
            line="other",
            settings={"steps": 30, "beta": 0.1},
            seed=4,
            material=Simulated(contexts=60),
            effort=Effort(dialogues=50),
            budget=Budget(minutes=9),
        )
        assert plan.policy_settings == {"steps": 30, "beta": 0.1, "seed": 4}
        assert parse_plan(plan.model_dump(mode="json")) == plan

    def test_that_a_budget_of_steps_caps_them_whatever_the_settings_say(self) -> None:
        assert asked(values=["budget.steps=5"]).policy_settings["steps"] == 5
        assert asked(values=["budget.steps=500"], settings=["steps=7"]).policy_settings["steps"] == 7
        assert asked(values=["budget.steps=50"], objective="sft").policy_settings["steps"] == 50

    def test_that_it_may_imitate_before_the_objective(self) -> None:
        plan = asked(values=["imitate=20", "imitation.learning_rate=0.002", "judge=none"])
        assert (plan.imitate, plan.imitation, plan.judge) == (20, {"learning_rate": 0.002}, "none")
        with pytest.raises(PlanRefused, match="fields of the plan"):
            asked(values=["imitation.steps=5"])
        with pytest.raises(SettingsError, match="no setting 'betta'"):
            asked(values=["imitation.betta=5"])

    def test_that_what_cannot_be_meant_is_refused(self) -> None:
        with pytest.raises(RunRefused, match="no objective 'repp'"):
            asked(objective="repp")
        with pytest.raises(SettingsError, match="no setting 'betta'"):
            asked(settings=["betta=1"])
        with pytest.raises(PlanRefused, match=r"effort\.dialogues"):
            asked(values=["effort.dialogues=1"])
        with pytest.raises(PlanRefused, match="seed is a field of the plan"):
            asked(settings=["seed=1"])
        with pytest.raises(PlanRefused, match="line"):
            asked(line="Not A Line")


def test_that_a_retrain_is_asked_for_shown_and_cancelled(sessions: SessionFactory, console: Console, ada: User) -> None:
    plan = RetrainPlan()
    assert terminal.request_command(sessions, plan, email=ada.email, here=False, model_url=None, console=console) == 0
    with sessions() as session:
        (row,) = retrains.list_newest(session)
    assert row.requested_by == ada.id
    named = str(row.id)[:30]
    terminal.list_command(sessions, limit=5, console=console)
    terminal.show_command(sessions, named, console=console)
    assert terminal.cancel_command(sessions, named, email=ada.email, console=console) == 0
    assert terminal.again_command(sessions, named, email="", console=console) == 0
    said = console.export_text()
    for words in (f"{row.id} of the line main is queued", "Ada", "reward_model", "It ends within seconds", "goes on after its last step"):
        assert words in said
    with sessions() as session:
        trail = [(event.action, event.actor_id) for event in audit_events.list_of_subject(session, "retrain", row.id)]
    assert trail == [("retrain.request", ada.id), ("retrain.cancel", ada.id), ("retrain.again", None)]


def test_that_a_rejected_one_is_let_past_with_a_reason_that_is_shown(sessions: SessionFactory, console: Console, ada: User) -> None:
    with sessions.begin() as session:
        row = request_retrain(session, RetrainPlan())
        token = retrains.claim(session, row.id, owner="a:1:2:3", lasting=timedelta(minutes=1))
        retrains.hand_back(session, row.id, token, RetrainState.REJECTED, verdict=VERDICT)
    terminal.override_command(sessions, str(row.id), reason="The new hotels are harder.", email=ada.email, console=console)
    terminal.show_command(sessions, str(row.id), console=console)
    said = console.export_text()
    assert "✗ rated better: +0.01 stars" in said
    assert "Let past the gate by Ada: The new hotels are harder." in said


def test_that_nobody_else_acts_and_nothing_else_is_meant(sessions: SessionFactory, console: Console) -> None:
    with sessions.begin() as session:
        users.create(session, email="bo@example.com", name="Bo", roles=[Role.BD])
    for email, says in (("bo@example.com", "neither of operations"), ("who@example.com", "Nobody who may sign in")):
        with pytest.raises(PersonRefused, match=says):
            terminal.request_command(sessions, RetrainPlan(), email=email, here=False, model_url=None, console=console)
    with pytest.raises(RetrainNotFound, match="no retrain 'abc'"):
        terminal.show_command(sessions, "abc", console=console)


def test_that_schedules_are_written_listed_switched_and_removed(sessions: SessionFactory, console: Console) -> None:
    terminal.add_schedule_command(
        sessions,
        "nightly",
        RetrainPlan(),
        cron="0 3 * * *",
        ratings=50,
        bad_cases=None,
        quiet="07:00-20:00",
        timezone="Europe/Berlin",
        email="",
        console=console,
    )
    terminal.list_schedules_command(sessions, console=console)
    terminal.enable_schedule_command(sessions, "nightly", enabled=False, email="", console=console)
    terminal.list_schedules_command(sessions, console=console)
    terminal.remove_schedule_command(sessions, "nightly", email="", console=console)
    said = console.export_text()
    for words in ("nightly is on; its next hour is", "0 3 * * * (Europe/Berlin)", "07:00-20:00", "nightly is off", "nightly is removed"):
        assert words in said
    with sessions() as session:
        assert list(retrain_schedules.list_all(session)) == []
