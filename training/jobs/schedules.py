"""Schedules of retrains: written, changed and removed by people, and fired when they are due.

Decided here: what fires (an hour that has come, enough new judgements, enough new bad cases, in this order), that a schedule whose last
retrain is not over yet skips its hour, and that what is counted is what came since it last fired. Each function works in the caller's
transaction; changes are audited.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.errors import ParleyError
from db.models import Json, Retrain, RetrainSchedule
from db.repositories import audit_events, retrain_schedules, retrains
from db.vocabulary import RetrainTrigger
from training.jobs.plan import RetrainPlan, parse_plan
from training.jobs.requests import request_retrain
from training.jobs.schedule import QuietHours, ScheduleRefused, parse_cron, zone_named
from training.jobs.settings import JobSettings

_log = structlog.get_logger(__name__)


class ScheduleNameTaken(ParleyError):
    """Another schedule has the name."""


def quiet_hours(schedule: RetrainSchedule) -> QuietHours | None:
    """Its quiet hours, where it has some. Raises ScheduleRefused."""
    if schedule.quiet_from is None or schedule.quiet_to is None:
        return None
    return QuietHours(start=schedule.quiet_from, end=schedule.quiet_to, zone=zone_named(schedule.timezone))


def add_schedule(
    session: Session,
    name: str,
    plan: RetrainPlan,
    *,
    cron: str | None = None,
    min_ratings: int | None = None,
    min_bad_cases: int | None = None,
    quiet_from: time | None = None,
    quiet_to: time | None = None,
    timezone: str = "UTC",
    actor: uuid.UUID | None = None,
) -> RetrainSchedule:
    """Write a schedule, enabled. What was judged before does not count for it.

    Raises:
        ScheduleRefused: for a condition, an hour or a time zone that cannot be meant.
        ScheduleNameTaken: there is one of this name.
    """
    schedule = RetrainSchedule(
        name=_named(name),
        policy_line=plan.line,
        plan=plan.model_dump(mode="json"),
        cron=cron,
        min_ratings=min_ratings,
        min_bad_cases=min_bad_cases,
        quiet_from=quiet_from,
        quiet_to=quiet_to,
        timezone=timezone,
    )
    now = retrain_schedules.now(session)
    schedule.counted_until = now
    schedule.next_due_at = _checked(schedule, now)
    try:
        with session.begin_nested():
            retrain_schedules.add(session, schedule)
    except IntegrityError as error:
        raise ScheduleNameTaken(f"There is a schedule {schedule.name!r} already: change that one, or give another name.") from error
    _record(session, "retrain_schedule.add", schedule.id, actor, after=_told(schedule))
    return schedule


def change_schedule(session: Session, schedule_id: uuid.UUID, *, actor: uuid.UUID | None = None, **changed: Any) -> RetrainSchedule:
    """Change some of a schedule's columns, ``plan`` as a RetrainPlan; its next hour is reckoned anew from now.

    Raises:
        ScheduleNotFound: there is none.
        ScheduleRefused: as ``add_schedule``.
    """
    schedule = retrain_schedules.get(session, schedule_id)
    before, now = _told(schedule), retrain_schedules.now(session)
    for column, value in changed.items():
        if column == "plan":
            schedule.plan, schedule.policy_line = value.model_dump(mode="json"), value.line
        else:
            setattr(schedule, column, _named(value) if column == "name" else value)
    schedule.next_due_at = _checked(schedule, now)
    session.flush()
    _record(session, "retrain_schedule.change", schedule_id, actor, before=before, after=_told(schedule))
    return schedule


def remove_schedule(session: Session, schedule_id: uuid.UUID, *, actor: uuid.UUID | None = None) -> None:
    """Drop a schedule; what it has begun goes on. Raises ScheduleNotFound."""
    before = _told(retrain_schedules.get(session, schedule_id))
    retrain_schedules.remove(session, schedule_id)
    _record(session, "retrain_schedule.remove", schedule_id, actor, before=before)


def fire_due(session: Session, *, settings: JobSettings | None = None) -> Sequence[Retrain]:
    """Queue a retrain for each schedule that is due, once; what another process is at is left to it."""
    now = retrain_schedules.now(session)
    fired: list[Retrain] = []
    for schedule in retrain_schedules.list_enabled_for_update(session):
        try:
            if (begun := _fired(session, schedule, now, settings)) is not None:
                fired.append(begun)
        except ParleyError as error:
            # Such as a plan that an update has made unknown: the others fire all the same.
            _log.warning("schedule.refused", schedule=schedule.name, error=str(error))
    return fired


def _fired(session: Session, schedule: RetrainSchedule, now: datetime, settings: JobSettings | None) -> Retrain | None:
    quiet = quiet_hours(schedule)
    if quiet is not None and quiet.has(now):
        return None
    trigger = _trigger(session, schedule, now)
    if trigger is None:
        return None
    due = None if schedule.cron is None else parse_cron(schedule.cron, schedule.timezone).after(now)
    if retrains.is_open_of_schedule(session, schedule.id):
        retrain_schedules.change(session, schedule.id, next_due_at=due)
        return None
    plan = parse_plan(schedule.plan)
    retrain_schedules.change(session, schedule.id, next_due_at=due, last_fired_at=now, counted_until=now)
    return request_retrain(session, plan, trigger=trigger, schedule_id=schedule.id, settings=settings)


def _trigger(session: Session, schedule: RetrainSchedule, now: datetime) -> RetrainTrigger | None:
    since = schedule.counted_until
    if schedule.next_due_at is not None and schedule.next_due_at <= now:
        return RetrainTrigger.SCHEDULE
    if schedule.min_ratings is not None and retrain_schedules.count_ratings_since(session, since) >= schedule.min_ratings:
        return RetrainTrigger.RATINGS
    if schedule.min_bad_cases is not None and retrain_schedules.count_bad_cases_since(session, since) >= schedule.min_bad_cases:
        return RetrainTrigger.BAD_CASE
    return None


def _checked(schedule: RetrainSchedule, now: datetime) -> datetime | None:
    """Its next hour. Raises ScheduleRefused for what cannot be meant."""
    if schedule.cron is None and schedule.min_ratings is None and schedule.min_bad_cases is None:
        raise ScheduleRefused("A schedule needs an hour, a number of new ratings, or a number of new bad cases: give one of them.")
    if any(count is not None and count < 1 for count in (schedule.min_ratings, schedule.min_bad_cases)):
        raise ScheduleRefused("A number of new ratings or bad cases is at least 1.")
    if (schedule.quiet_from is None) != (schedule.quiet_to is None):
        raise ScheduleRefused("Quiet hours have a beginning and an end: give both, or neither.")
    zone_named(schedule.timezone)
    quiet_hours(schedule)
    return None if schedule.cron is None else parse_cron(schedule.cron, schedule.timezone).after(now)


def _named(name: str) -> str:
    stripped = name.strip()
    if not 1 <= len(stripped) <= 80 or not stripped.isprintable():
        raise ScheduleRefused("A schedule has a name of 1 to 80 characters, on one line.")
    return stripped


def _told(schedule: RetrainSchedule) -> Json:
    columns = ("name", "policy_line", "enabled", "cron", "min_ratings", "min_bad_cases", "quiet_from", "quiet_to", "timezone", "plan")
    values = {column: getattr(schedule, column) for column in columns}
    return {column: value.isoformat("minutes") if isinstance(value, time) else value for column, value in values.items()}


def _record(
    session: Session, action: str, schedule_id: uuid.UUID, actor: uuid.UUID | None, *, before: Json | None = None, after: Json | None = None
) -> None:
    audit_events.record(
        session, actor_id=actor, action=action, subject_type="retrain_schedule", subject_id=schedule_id, before=before, after=after
    )
