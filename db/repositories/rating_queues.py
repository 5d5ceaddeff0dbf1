"""Queries on queues of what is to be judged."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from db.errors import ParleyError
from db.models import Rating, RatingAssignment, RatingItem, RatingQueue, User
from db.repositories.insertion import add_unless_present
from db.repositories.ratings import is_current
from db.vocabulary import AssignmentState, ItemState, JudgementKind


class QueueNotFound(ParleyError):
    """No queue has this id."""


@dataclass(frozen=True, slots=True)
class ActiveQueue:
    """As much of a queue that hands out as a hand-out needs."""

    id: uuid.UUID
    kind: JudgementKind
    gold_share: Decimal
    reservation_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RaterCount:
    """What one person has done in a queue."""

    rater_id: uuid.UUID
    name: str
    judged: int
    skipped: int
    reserved: int
    """In their hands now."""
    expired: int
    """Handed out and not answered in time."""
    last_at: datetime | None
    """When they last judged or skipped."""


def create(session: Session, queue: RatingQueue) -> tuple[RatingQueue, bool]:
    """Add a queue, or find the one of its name (unchanged); says whether it was added."""
    return add_unless_present(session, queue, unique=[RatingQueue.name.expression], same=[RatingQueue.name == queue.name])


def get(session: Session, queue_id: uuid.UUID, *, locked: bool = False) -> RatingQueue:
    """The queue as it is now. ``locked``: nobody else may change or fill it until this transaction ends; its items stay free.

    Raises:
        QueueNotFound: if there is none.
        DatabaseBusy: if somebody else holds it for longer than the lock timeout.
    """
    statement = select(RatingQueue).where(RatingQueue.id == queue_id).execution_options(populate_existing=True)
    found = session.scalars(statement.with_for_update(key_share=True) if locked else statement).one_or_none()
    if found is None:
        raise QueueNotFound(f"there is no queue {queue_id}; choose one from the list of queues")
    return found


def give_up_after(session: Session, seconds: float) -> None:
    """Let no statement of this transaction run, or wait for a lock, for longer (``DatabaseBusy``)."""
    for setting in ("statement_timeout", "lock_timeout"):
        session.execute(select(func.set_config(setting, f"{round(seconds * 1000)}ms", True)))


def find_by_name(session: Session, name: str) -> RatingQueue | None:
    """The queue of this name, closed or not."""
    return session.scalars(select(RatingQueue).where(RatingQueue.name == name)).one_or_none()


def list_active(session: Session, queue_id: uuid.UUID | None = None) -> Sequence[ActiveQueue]:
    """Queues that hand out, the most important first; only the one that is named, where one is."""
    return [ActiveQueue(*row) for row in session.execute(_ACTIVE) if queue_id in (None, row[0])]


def list_all(session: Session) -> Sequence[RatingQueue]:
    """Every queue: those that hand out first, the most important of them first."""
    return session.scalars(
        select(RatingQueue).order_by(RatingQueue.closed_at.is_not(None), RatingQueue.priority.desc(), RatingQueue.created_at)
    ).all()


def count_items(session: Session, queue_id: uuid.UUID) -> dict[ItemState, int]:
    """How many items are in each state, 0 included; those with a known answer are not counted."""
    counted = session.execute(
        select(RatingItem.state, func.count(RatingItem.id))
        .where(RatingItem.queue_id == queue_id, RatingItem.gold_answer_id.is_(None))
        .group_by(RatingItem.state)
    )
    return dict.fromkeys(ItemState, 0) | dict(counted.all())


def count_gold(session: Session, queue_id: uuid.UUID) -> int:
    """How many items with a known answer can be handed out."""
    return session.scalars(
        select(func.count()).where(RatingItem.queue_id == queue_id, RatingItem.open_places > 0, RatingItem.gold_answer_id.is_not(None))
    ).one()


def count_judgements(session: Session, queue_id: uuid.UUID) -> int:
    """How many judgements count, those of items with a known answer included."""
    return session.scalars(
        select(func.count())
        .select_from(Rating)
        .join(RatingItem, RatingItem.id == Rating.item_id)
        .where(RatingItem.queue_id == queue_id, is_current())
    ).one()


def count_by_rater(session: Session, queue_id: uuid.UUID) -> tuple[RaterCount, ...]:
    """What each person has done, the most judgements first."""
    state = RatingAssignment.state
    judged = func.count().filter(state == AssignmentState.DONE)
    rows = session.execute(
        select(
            User.id,
            User.name,
            judged,
            func.count().filter(state == AssignmentState.SKIPPED),
            func.count().filter(state == AssignmentState.RESERVED),
            func.count().filter(state == AssignmentState.EXPIRED),
            func.max(RatingAssignment.ended_at).filter(state.in_((AssignmentState.DONE, AssignmentState.SKIPPED))),
        )
        .select_from(RatingItem)
        .join(RatingAssignment, RatingAssignment.item_id == RatingItem.id)
        .join(User, User.id == RatingAssignment.rater_id)
        .where(RatingItem.queue_id == queue_id)
        .group_by(User.id, User.name)
        .order_by(judged.desc(), User.name, User.id)
    )
    return tuple(
        RaterCount(rater_id=rater, name=name, judged=done, skipped=skipped, reserved=held, expired=expired, last_at=last)
        for rater, name, done, skipped, held, expired, last in rows
    )


# Built once: it runs at every hand-out.
_columns = RatingQueue.__table__.c
_ACTIVE = (
    select(_columns.id, _columns.kind, _columns.gold_share, _columns.reservation_s)
    .where(text("rating_queue.closed_at IS NULL"))
    .order_by(_columns.priority.desc(), _columns.created_at)
)
