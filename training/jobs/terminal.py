"""Retrains in a terminal: asked for, listed, followed, ended, let past the gate, and scheduled.

Decided here: what is shown. An act of a person names them (``--as``); without a name the trail says that the system acted. A retrain is
named by its id or the beginning of it.
"""

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy.orm import Session

from agent.settings import AgentSettings
from db.engine import SessionFactory
from db.errors import ParleyError
from db.models import Retrain
from db.repositories import retrain_schedules, retrains, users
from db.repositories.retrains import RetrainNotFound
from db.vocabulary import RetrainState, Role, StepState
from training.jobs import requests
from training.jobs.outlet import FleetOutlet
from training.jobs.plan import RetrainPlan, parse_plan
from training.jobs.schedule import parse_quiet
from training.jobs.schedules import add_schedule, change_schedule, remove_schedule
from training.jobs.work import work
from training.runs.terminal import interrupts
from training.runs.values import typed

_MAY = frozenset({Role.OPS, Role.ADMIN})
_MANY = 1_000
_LOOK_S = 0.2
_COLOURS = {
    RetrainState.LIVE: "green",
    RetrainState.FAILED: "red",
    RetrainState.REJECTED: "yellow",
    RetrainState.ROLLED_BACK: "yellow",
    RetrainState.RUNNING: "cyan",
    RetrainState.CANARY: "cyan",
}
_MARKS = {StepState.DONE: "[green]✓[/]", StepState.FAILED: "[red]✗[/]", StepState.RUNNING: "[cyan]…[/]", StepState.SKIPPED: "–"}
_HIDDEN = ("sha256", "training_run", "version_id")


class PersonRefused(ParleyError):
    """Nobody who may act on retrains has this address."""


def planned(
    *, objective: str, settings: Sequence[str], simulated: int | None, values: Sequence[str], minutes: float | None, **named: Any
) -> RetrainPlan:
    """The plan of a command line; ``values`` are fields of the plan, ``key=value`` with dots for what is inside (``effort.dialogues=50``).

    Raises:
        PlanRefused, SettingsError, RunRefused: for a plan that cannot be meant.
    """
    plan: dict[str, Any] = {"objective": objective, "settings": typed(settings), **named}
    if simulated is not None:
        plan["material"] = {"kind": "simulated", "contexts": simulated}
    if minutes is not None:
        plan["budget"] = {"minutes": minutes}
    for key, value in typed(values).items():
        at = plan
        *outer, last = key.split(".")
        for name in outer:
            at = at.setdefault(name, {})
        at[last] = value
    return parse_plan(plan)


def request_command(sessions: SessionFactory, plan: RetrainPlan, *, email: str, here: bool, model_url: str | None, console: Console) -> int:
    """Queue a retrain; with ``here`` this process works on it, and Ctrl-C gives it back. Raises PersonRefused."""
    with sessions.begin() as session:
        row = requests.request_retrain(session, plan, requested_by=_person(session, email))
        retrain_id = row.id
    _say(console, f"Retrain [b]{retrain_id}[/] of the line {escape(plan.line)} is queued.")
    if not here:
        _say(console, f"A worker takes it within a minute. [b]parley retrain show {str(retrain_id)[:13]}[/] says how far it is.")
        return 0
    shutdown = threading.Event()
    with interrupts(console) as asked, _set_when(asked, shutdown), console.status("Working on it …"):
        outlet = FleetOutlet(sessions=sessions, model_url=model_url or AgentSettings().model_url)
        state = work(sessions, retrain_id, outlet=outlet, shutdown=shutdown)
    show_command(sessions, str(retrain_id), console=console)
    return 0 if state in (RetrainState.CANARY, RetrainState.LIVE) else 1


def list_command(sessions: SessionFactory, *, limit: int, console: Console) -> int:
    """The newest retrains."""
    table = Table("retrain", "line", "asked for", "by", "objective", "state", "step", "version")
    with sessions() as session:
        for row in retrains.list_newest(session, limit=limit):
            table.add_row(
                str(row.id)[:13],
                escape(row.policy_line),
                f"{row.created_at:%Y-%m-%d %H:%M}",
                escape(_asker(row)),
                escape(str(row.plan.get("objective", ""))),
                _coloured(row.state),
                str(row.step or ""),
                escape(row.candidate.name) if row.candidate is not None else "",
            )
    console.print(table)
    return 0


def show_command(sessions: SessionFactory, named: str, *, console: Console) -> int:
    """One retrain, step by step, with its verdict. Raises RetrainNotFound."""
    with sessions() as session:
        row = retrains.get_with_people(session, _found(session, named))
        steps = retrains.steps(session, row.id)
    _say(console, f"Retrain [b]{row.id}[/] of the line {escape(row.policy_line)}: {_coloured(row.state)}")
    _say(console, f"Asked for at {row.created_at:%Y-%m-%d %H:%M} UTC by {escape(_asker(row))}; in {escape(row.folder)}")
    if row.error:
        _say(console, f"[red]{escape(row.error)}[/]")
    table = Table("", "step", "took", "found")
    for step in steps:
        share = f" {step.progress:.0%}" if step.state is StepState.RUNNING and step.progress else ""
        took = step.ended_at - step.started_at if step.ended_at and step.started_at else None
        table.add_row(
            _MARKS.get(step.state, ""), f"{step.step}{share}", "" if took is None else f"{took.total_seconds():.0f} s", _told(step.figures)
        )
    console.print(table)
    if row.verdict is not None:
        for one in row.verdict["criteria"]:
            _say(console, f"{'[green]✓[/]' if one['met'] else '[red]✗[/]'} {escape(one['title'])}: {escape(one['says'])}")
    if row.override_reason is not None:
        by = row.overrider.name if row.overrider is not None else "the system"
        _say(console, f"Let past the gate by {escape(by)}: {escape(row.override_reason)}")
    return 0


def act_command(
    sessions: SessionFactory, act: Callable[[Session, UUID, UUID | None], None], named: str, *, email: str, says: str, console: Console
) -> int:
    """Do something to one retrain, and say so. Raises PersonRefused, RetrainNotFound, RequestRefused."""
    with sessions.begin() as session:
        act(session, _found(session, named), _person(session, email))
    _say(console, says)
    return 0


def cancel_command(sessions: SessionFactory, named: str, *, email: str, console: Console) -> int:
    """End it."""
    says = "It ends within seconds. What is done stands: [b]parley retrain again[/] goes on."
    return act_command(sessions, lambda s, i, a: requests.cancel(s, i, actor=a), named, email=email, says=says, console=console)


def again_command(sessions: SessionFactory, named: str, *, email: str, console: Console) -> int:
    """Queue one that has failed or was cancelled."""
    says = "It is queued, and goes on after its last step that is whole."
    return act_command(sessions, lambda s, i, a: requests.begin_again(s, i, actor=a), named, email=email, says=says, console=console)


def override_command(sessions: SessionFactory, named: str, *, reason: str, email: str, console: Console) -> int:
    """Let a rejected one past the gate."""
    says = "It is queued, to be published and given its canary. The reason stands in the audit trail."

    def act(session: Session, retrain_id: UUID, actor: UUID | None) -> None:
        requests.override_gate(session, retrain_id, actor=actor, reason=reason)

    return act_command(sessions, act, named, email=email, says=says, console=console)


# -- schedules --------------------------------------------------------------------------------------------------------------------------


def add_schedule_command(
    sessions: SessionFactory,
    name: str,
    plan: RetrainPlan,
    *,
    cron: str,
    ratings: int | None,
    bad_cases: int | None,
    quiet: str,
    timezone: str,
    email: str,
    console: Console,
) -> int:
    """Write a schedule. Raises ScheduleRefused, ScheduleNameTaken, PersonRefused."""
    hours = parse_quiet(quiet, timezone) if quiet else None
    with sessions.begin() as session:
        schedule = add_schedule(
            session,
            name,
            plan,
            cron=cron or None,
            min_ratings=ratings,
            min_bad_cases=bad_cases,
            quiet_from=hours.start if hours else None,
            quiet_to=hours.end if hours else None,
            timezone=timezone,
            actor=_person(session, email),
        )
        due = schedule.next_due_at
    _say(console, f"[b]{escape(name)}[/] is on{f'; its next hour is {due:%Y-%m-%d %H:%M} UTC' if due else ''}.")
    return 0


def list_schedules_command(sessions: SessionFactory, *, console: Console) -> int:
    """Every schedule."""
    table = Table("schedule", "line", "on", "hour", "new ratings", "new bad cases", "quiet", "next", "last")
    with sessions() as session:
        for one in retrain_schedules.list_all(session):
            quiet = f"{one.quiet_from:%H:%M}-{one.quiet_to:%H:%M}" if one.quiet_from and one.quiet_to else ""
            table.add_row(
                escape(one.name),
                escape(one.policy_line),
                "[green]yes[/]" if one.enabled else "no",
                f"{one.cron} ({one.timezone})" if one.cron else "",
                str(one.min_ratings or ""),
                str(one.min_bad_cases or ""),
                quiet,
                _minute(one.next_due_at) if one.enabled else "",
                _minute(one.last_fired_at),
            )
    console.print(table)
    return 0


def enable_schedule_command(sessions: SessionFactory, name: str, *, enabled: bool, email: str, console: Console) -> int:
    """Switch a schedule on or off. Raises ScheduleNotFound, PersonRefused."""
    with sessions.begin() as session:
        schedule = retrain_schedules.get_by_name(session, name)
        change_schedule(session, schedule.id, enabled=enabled, actor=_person(session, email))
    _say(console, f"[b]{escape(name)}[/] is {'on' if enabled else 'off'}.")
    return 0


def remove_schedule_command(sessions: SessionFactory, name: str, *, email: str, console: Console) -> int:
    """Drop a schedule. Raises ScheduleNotFound, PersonRefused."""
    with sessions.begin() as session:
        remove_schedule(session, retrain_schedules.get_by_name(session, name).id, actor=_person(session, email))
    _say(console, f"[b]{escape(name)}[/] is removed; what it has begun goes on.")
    return 0


def _person(session: Session, email: str) -> UUID | None:
    if not email:
        return None
    user = users.find_by_email(session, email)
    if user is None or user.disabled_at is not None:
        raise PersonRefused(f"Nobody who may sign in has the address {email}: name the account of whoever answers for it (--as).")
    if not _MAY.intersection(user.roles):
        raise PersonRefused(f"{user.name} is neither of operations nor an administrator, who alone may act on retrains.")
    return user.id


def _found(session: Session, named: str) -> UUID:
    found = [row.id for row in retrains.list_newest(session, limit=_MANY) if str(row.id).startswith(named.lower())]
    if len(found) != 1 or not named:
        many = f"{len(found)} retrains begin with" if found else "there is no retrain"
        raise RetrainNotFound(f"{many} {named!r}; `parley retrain list` shows which there are")
    return found[0]


def _asker(row: Retrain) -> str:
    if row.requester is not None:
        return row.requester.name
    return f"{row.trigger}: {row.schedule.name}" if row.schedule is not None else str(row.trigger)


def _coloured(state: RetrainState) -> str:
    return f"[{_COLOURS.get(state, 'white')}]{state}[/]"


def _told(figures: Mapping[str, Any]) -> str:
    shown = {name: value for name, value in figures.items() if name not in _HIDDEN and value not in (None, "")}
    words = [f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in shown.items()]
    return escape("  ".join(words[:8]))


def _minute(instant: datetime | None) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}" if instant is not None else ""


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, soft_wrap=True)


@contextmanager
def _set_when(asked: Callable[[], int], event: threading.Event) -> Generator[None]:
    """Sets the event once Ctrl-C was pressed."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(_LOOK_S):
            if asked():
                event.set()
                return

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
