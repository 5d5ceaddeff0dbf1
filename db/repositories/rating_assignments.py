"""Queries on leases: who holds what, until when, and what came of it.

Who acts for a person takes that person's seat first (``take_seat``), so that what one person does in two windows happens one after the
other. Items are locked before leases are changed; only ``expire_some`` takes both at once, and waits for neither.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Boolean, Integer, Interval, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, contains_eager
from uuid_utils.compat import uuid7

from db.errors import ParleyError
from db.models import Base, RatingAssignment, RatingItem
from db.repositories import rating_items
from db.vocabulary import AssignmentState

# In the statement itself and not as a parameter, as in rating_items.
_HELD = text("rating_assignment.state = 'reserved'")
_HAD = text("rating_assignment.state IN ('reserved', 'done', 'skipped')")

NOBODY = uuid.UUID(int=0)

ENDED_BY_A_PERSON = (AssignmentState.DONE, AssignmentState.SKIPPED)


class RaterNotFound(ParleyError):
    """Nobody has this id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """One item to be handed out."""

    item_id: uuid.UUID
    swapped: bool = False
    adjudicates: bool = False
    takes_place: bool = False
    """One of the item's free places is taken with it; the caller has locked the item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What one person has done, all queues together."""

    judged: int
    judged_today: int
    """Since midnight UTC."""
    skipped: int


def take_seat(session: Session, rater_id: uuid.UUID, *, hastily: bool = False) -> None:
    """Make whatever else acts for this person wait until the transaction ends.

    ``hastily``: its commit does not wait for the disk. Should the database's machine fail within the next second, it may never have been;
    whatever is committed later, and waits, brings it along. Fit for handing out, where no more is lost than a lease with its place.

    Raises:
        RaterNotFound: if there is no such person.
        DatabaseBusy: if it takes longer than the lock timeout.
    """
    if session.execute(_SEAT_HASTILY if hastily else _SEAT, {"rater": rater_id}).one_or_none() is None:
        raise RaterNotFound(f"there is no person {rater_id}; sign in again")


def expire_some(session: Session, *, limit: int = 20, other_than: uuid.UUID | None = None) -> int:
    """End leases whose time is over, longest overdue first, and give their places back; how many.

    What somebody else works on at this moment is left for the next time.
    """
    rows = session.execute(_OVERDUE, {"other_than": other_than or NOBODY, "at_most": limit}).all()
    if not rows:
        return 0
    _end(session, [row[0] for row in rows], AssignmentState.EXPIRED)
    rating_items.give_back(session, [item_id for _, item_id, gold, adjudicates in rows if gold is None and not adjudicates])
    return len(rows)


def list_held(session: Session, rater_id: uuid.UUID, *, queue_id: uuid.UUID | None = None, adjudicates: bool = False) -> list[uuid.UUID]:
    """Ids of what the person holds, the longest held first.

    What has run out, and nobody has taken back, gets its time once more: whoever asks for work is still at the desk.
    """
    rows = session.execute(_HELD_BY, {"rater": rater_id, "adjudicates": adjudicates}).all()
    held = [row for row in rows if queue_id is None or row.queue_id == queue_id]
    if any(row.overdue for row in held):
        session.execute(_RENEWAL, {"ids": [row.id for row in held if row.overdue]})
    return [row.id for row in held]


def reserve(session: Session, rater_id: uuid.UUID, leases: Sequence[Lease], *, lasting: timedelta) -> list[uuid.UUID]:
    """Hand items to a person; ids of the leases in the order given."""
    if not leases:
        return []
    ids = [uuid7() for _ in leases]
    rows = [
        {
            "lease": lease_id,
            "item": lease.item_id,
            "rater": rater_id,
            "is_swapped": lease.swapped,
            "decides": lease.adjudicates,
            "takes_place": lease.takes_place,
            "lasting": lasting,
        }
        for lease_id, lease in zip(ids, leases, strict=True)
    ]
    session.execute(_HANDING_OUT, rows)
    return ids


def lock(session: Session, rater_id: uuid.UUID, assignment_id: uuid.UUID) -> RatingAssignment | None:
    """The person's lease with its ``item``, and that one's ``queue`` and ``gold_answer``, as they are now; None if it is not theirs.

    Nobody else can change the lease or the item until this transaction ends. The two are locked together: only ``expire_some`` does so
    too, and it never waits.

    Raises:
        DatabaseBusy: if somebody else holds the item for longer than the lock timeout.
    """
    return session.scalars(_LEASE_LOCKED, {"lease": assignment_id, "rater": rater_id}).one_or_none()


def find_active(session: Session, item_id: uuid.UUID, rater_id: uuid.UUID) -> RatingAssignment | None:
    """The lease of the item that the person holds, has answered, or has skipped."""
    return session.scalars(
        select(RatingAssignment)
        .where(
            RatingAssignment.item_id == item_id,
            RatingAssignment.rater_id == rater_id,
            _HAD,
        )
        .execution_options(populate_existing=True)
    ).one_or_none()


def find_last_ended(session: Session, rater_id: uuid.UUID, *, within: timedelta) -> uuid.UUID | None:
    """Id of the lease of what the person last judged or skipped, at most that long ago."""
    # A lease lasts a day at most, so that what ended lately was not handed out long before: the index on created_at bounds the search.
    return session.scalars(
        select(RatingAssignment.id)
        .where(
            RatingAssignment.rater_id == rater_id,
            RatingAssignment.created_at > func.now() - within - timedelta(days=1),
            RatingAssignment.state.in_(ENDED_BY_A_PERSON),
            RatingAssignment.ended_at > func.now() - within,
        )
        .order_by(RatingAssignment.ended_at.desc(), RatingAssignment.id.desc())
        .limit(1)
    ).one_or_none()


def ended_within(session: Session, assignment_id: uuid.UUID, within: timedelta) -> bool:
    """Whether the lease ended at most that long ago."""
    ended = select(RatingAssignment.id).where(RatingAssignment.id == assignment_id, RatingAssignment.ended_at > func.now() - within)
    return session.scalars(ended).one_or_none() is not None


def count_held(session: Session, item_id: uuid.UUID, *, adjudicates: bool = False) -> int:
    """How many people hold the item now."""
    return session.scalars(
        select(func.count()).where(
            RatingAssignment.item_id == item_id,
            _HELD,
            RatingAssignment.adjudicates.is_(adjudicates),
        )
    ).one()


def list_decided_now(session: Session, item_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Those of the items whose dispute somebody is deciding."""
    held = select(RatingAssignment.item_id).where(RatingAssignment.item_id.in_(item_ids), _HELD, RatingAssignment.adjudicates)
    return set(session.scalars(held).all())


def end(session: Session, assignment_id: uuid.UUID, state: AssignmentState, *, skip_reason: str | None = None) -> None:
    """Say what became of a lease."""
    _end(session, [assignment_id], state, skip_reason=skip_reason)


def release_held(session: Session, rater_id: uuid.UUID) -> int:
    """Give back all that the person holds; how many."""
    rows = session.execute(
        select(RatingAssignment.id, RatingItem.id, RatingItem.gold_answer_id, RatingAssignment.adjudicates)
        .join(RatingItem, RatingItem.id == RatingAssignment.item_id)
        .where(RatingAssignment.rater_id == rater_id, _HELD)
        .order_by(RatingItem.id)
        .with_for_update(of=RatingItem, key_share=True)
    ).all()
    # Between the reading and the lock somebody may have ended an overdue one; what was ended is not ended twice.
    ended = set(_end(session, [row[0] for row in rows], AssignmentState.RELEASED, only_reserved=True))
    rating_items.give_back(
        session, [item_id for lease, item_id, gold, adjudicates in rows if lease in ended and gold is None and not adjudicates]
    )
    return len(ended)


def tally(session: Session, rater_id: uuid.UUID) -> Tally:
    """How much the person has judged and skipped; what was taken back does not count."""
    judged, judged_today, skipped = session.execute(_TALLY, {"rater": rater_id}).one()
    return Tally(judged=judged, judged_today=judged_today, skipped=skipped)


def _end(
    session: Session,
    ids: Sequence[uuid.UUID],
    state: AssignmentState,
    *,
    skip_reason: str | None = None,
    only_reserved: bool = False,
) -> Sequence[uuid.UUID]:
    ending = _ENDING_HELD if only_reserved else _ENDING
    return session.scalars(ending, {"ids": list(ids), "as_state": state, "why": skip_reason}).all()


# Built once: these run at every hand-out and every save.
# One by one, not as an array: the server takes an array of unknown length for a long one, and would plan anew each time.
_IDS = bindparam("ids", expanding=True)
_leases, _items, _queues, _users = (Base.metadata.tables[name] for name in ("rating_assignment", "rating_item", "rating_queue", "app_user"))
_SEAT = select(_users.c.id).where(_users.c.id == bindparam("rater")).with_for_update(key_share=True)
_SEAT_HASTILY = _SEAT.add_columns(func.set_config("synchronous_commit", "off", True))
_OVERDUE = (
    select(_leases.c.id, _items.c.id.label("item_id"), _items.c.gold_answer_id, _leases.c.adjudicates)
    .join_from(_leases, _items, _items.c.id == _leases.c.item_id)
    .where(_HELD, _leases.c.expires_at <= func.now(), _leases.c.rater_id != bindparam("other_than"))
    .order_by(_leases.c.expires_at)
    .limit(bindparam("at_most", type_=Integer(), literal_execute=True))
    .with_for_update(of=[_leases, _items], key_share=True, skip_locked=True)
)
_HELD_BY = (
    select(_leases.c.id, (_leases.c.expires_at <= func.now()).label("overdue"), _items.c.queue_id)
    .join_from(_leases, _items, _items.c.id == _leases.c.item_id)
    .where(_HELD, _leases.c.rater_id == bindparam("rater"), _leases.c.adjudicates == bindparam("adjudicates"))
    .order_by(_leases.c.created_at, _leases.c.id)
)
_RENEWAL = (
    update(_leases)
    .where(_leases.c.id.in_(_IDS), _HELD, _items.c.id == _leases.c.item_id, _queues.c.id == _items.c.queue_id)
    .values(expires_at=func.now() + func.make_interval(0, 0, 0, 0, 0, 0, _queues.c.reservation_s))
)
_TAKING = (
    update(_items)
    .where(bindparam("takes_place", type_=Boolean()), _items.c.id == bindparam("item"))
    .values(open_places=_items.c.open_places - 1)
)
_HANDING_OUT = (
    insert(_leases)
    .values(
        id=bindparam("lease"),
        item_id=bindparam("item"),
        rater_id=bindparam("rater"),
        swapped=bindparam("is_swapped"),
        adjudicates=bindparam("decides"),
        state=AssignmentState.RESERVED,
        expires_at=func.now() + bindparam("lasting", type_=Interval()),
    )
    .add_cte(_TAKING.cte("taking"))
)
_ENDING = (
    update(_leases)
    .where(_leases.c.id.in_(_IDS))
    .values(state=bindparam("as_state", type_=_leases.c.state.type), ended_at=func.now(), skip_reason=bindparam("why"))
    .returning(_leases.c.id)
)
_ENDING_HELD = _ENDING.where(_HELD)
_LEASE_LOCKED = (
    select(RatingAssignment)
    .join(RatingAssignment.item)
    .join(RatingItem.queue)
    .outerjoin(RatingItem.gold_answer)
    .options(contains_eager(RatingAssignment.item).options(contains_eager(RatingItem.queue), contains_eager(RatingItem.gold_answer)))
    .where(RatingAssignment.id == bindparam("lease"), RatingAssignment.rater_id == bindparam("rater"))
    .with_for_update(of=[RatingAssignment, RatingItem], key_share=True)
    .execution_options(populate_existing=True)
)
_is_done = _leases.c.state == AssignmentState.DONE
_TALLY = select(
    func.count().filter(_is_done),
    func.count().filter(_is_done, _leases.c.ended_at >= func.date_trunc("day", func.now())),
    func.count().filter(_leases.c.state == AssignmentState.SKIPPED),
).where(_leases.c.rater_id == bindparam("rater"), text("rating_assignment.state IN ('done', 'skipped')"))
