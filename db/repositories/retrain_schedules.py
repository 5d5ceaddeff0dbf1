"""Queries on when retrains are begun without a person."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from db.errors import ParleyError
from db.models import BadCase, Rating, RetrainSchedule
from db.repositories.ratings import is_current


class ScheduleNotFound(ParleyError):
    """No schedule has this name or id."""


def add(session: Session, schedule: RetrainSchedule) -> RetrainSchedule:
    """Write a schedule; a name that is taken is refused (``IntegrityError``)."""
    session.add(schedule)
    session.flush()
    return schedule


def get(session: Session, schedule_id: uuid.UUID) -> RetrainSchedule:
    """The schedule as it is now. Raises ScheduleNotFound."""
    found = session.get(RetrainSchedule, schedule_id, populate_existing=True)
    if found is None:
        raise ScheduleNotFound(f"there is no schedule {schedule_id}; `parley retrain schedule list` shows which there are")
    return found


def get_by_name(session: Session, name: str) -> RetrainSchedule:
    """The schedule of this name. Raises ScheduleNotFound."""
    found = session.scalars(select(RetrainSchedule).where(RetrainSchedule.name == name)).one_or_none()
    if found is None:
        raise ScheduleNotFound(f"there is no schedule {name!r}; `parley retrain schedule list` shows which there are")
    return found


def list_all(session: Session) -> Sequence[RetrainSchedule]:
    """Every schedule, by name."""
    return session.scalars(select(RetrainSchedule).order_by(RetrainSchedule.name)).all()


def list_enabled_for_update(session: Session) -> Sequence[RetrainSchedule]:
    """Every schedule that is enabled, by name, locked until this transaction ends; what another transaction is at is left to it."""
    enabled = select(RetrainSchedule).where(RetrainSchedule.enabled).order_by(RetrainSchedule.name)
    return session.scalars(enabled.with_for_update(skip_locked=True)).all()


def change(session: Session, schedule_id: uuid.UUID, **values: Any) -> None:
    """Set columns of a schedule."""
    session.execute(update(RetrainSchedule).where(RetrainSchedule.id == schedule_id).values(**values))


def remove(session: Session, schedule_id: uuid.UUID) -> None:
    """Drop a schedule; its retrains stay, and no longer name it."""
    session.execute(delete(RetrainSchedule).where(RetrainSchedule.id == schedule_id))


def now(session: Session) -> datetime:
    """The database's time: the start of this transaction, UTC."""
    return session.scalars(select(func.now())).one()


def count_ratings_since(session: Session, instant: datetime | None) -> int:
    """Judgements after the instant that stand: neither taken back nor replaced since; all there are where it is None."""
    counted = select(func.count()).select_from(Rating).where(is_current())
    if instant is not None:
        counted = counted.where(Rating.created_at > instant)
    return session.scalars(counted).one()


def count_bad_cases_since(session: Session, instant: datetime | None) -> int:
    """Bad cases that were made after the instant; all there are where it is None."""
    counted = select(func.count()).select_from(BadCase)
    if instant is not None:
        counted = counted.where(BadCase.created_at > instant)
    return session.scalars(counted).one()
