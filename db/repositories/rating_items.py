"""Queries on what is to be judged. Places are counted in the row, and only under its lock."""

import uuid
from collections import Counter
from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, joinedload
from uuid_utils.compat import uuid7

from db.errors import ParleyError
from db.models import Base, RatingAssignment, RatingItem
from db.vocabulary import ItemState

# The words of the partial indexes and the limits stand in the statements themselves, not as parameters: once the driver has prepared a
# statement, the server may plan it without looking at its parameters, and could not see that the index serves.
_READY = text("rating_item.open_places > 0 AND rating_item.state = 'open' AND rating_item.gold_answer_id IS NULL")
_IS_GOLD = text("rating_item.open_places > 0 AND rating_item.gold_answer_id IS NOT NULL")
_IS_DISPUTED = text("rating_item.state = 'disputed'")
_HAD = text("rating_assignment.state IN ('reserved', 'done', 'skipped')")
_HELD = text("rating_assignment.state = 'reserved'")


class ItemNotFound(ParleyError):
    """No item has this id."""


def lock(session: Session, item_id: uuid.UUID) -> RatingItem:
    """The item with its ``queue`` and ``gold_answer``, as it is now; nobody else can change it until this transaction ends.

    Raises:
        ItemNotFound: if there is none.
        DatabaseBusy: if somebody else holds it for longer than the lock timeout.
    """
    found = session.scalars(
        select(RatingItem)
        .options(joinedload(RatingItem.queue, innerjoin=True), joinedload(RatingItem.gold_answer))
        .where(RatingItem.id == item_id)
        .with_for_update(of=RatingItem, key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise ItemNotFound(f"there is nothing to judge with the id {item_id}; ask for the next item")
    return found


def pick(session: Session, queue_id: uuid.UUID, rater_id: uuid.UUID, *, limit: int) -> list[uuid.UUID]:
    """The next items with a free place that the person never had, locked; those that somebody else takes at this moment are skipped."""
    return list(session.scalars(_PICK, {"queue": queue_id, "rater": rater_id, "at_most": limit}))


def is_any_open(session: Session, queue_id: uuid.UUID, rater_id: uuid.UUID) -> bool:
    """Whether the queue has an item for the person."""
    return session.scalars(_open_for(queue_id, rater_id).limit(1)).first() is not None


def pick_gold(session: Session, queue_id: uuid.UUID, rater_id: uuid.UUID, *, limit: int) -> Sequence[uuid.UUID]:
    """The next items with a known answer that the person never had. Everybody gets the same ones, so nothing is locked."""
    return session.scalars(
        select(RatingItem.id)
        .where(RatingItem.queue_id == queue_id, _IS_GOLD, ~_had_by(rater_id))
        .order_by(RatingItem.position)
        .limit(_limit(limit))
    ).all()


def take_places(session: Session, item_ids: Sequence[uuid.UUID]) -> None:
    """One place of each item, which the caller has locked, is taken."""
    if item_ids:
        session.execute(_TAKE, {"ids": list(item_ids)})


def give_back(session: Session, item_ids: Sequence[uuid.UUID]) -> None:
    """A place of each item, which the caller has locked, is free again; an item that stands here twice gets two."""
    by_number: dict[int, list[uuid.UUID]] = {}
    for item_id, number in Counter(item_ids).items():
        by_number.setdefault(number, []).append(item_id)
    for number, ids in by_number.items():
        session.execute(
            update(RatingItem)
            .where(RatingItem.id.in_(ids))
            .values(open_places=RatingItem.open_places + number)
            .execution_options(synchronize_session=False)
        )


def set_state(session: Session, item_id: uuid.UUID, state: ItemState) -> None:
    """Say how far the judging of an item, which the caller has locked, has come."""
    session.execute(_SAY, {"item": item_id, "as_state": state})


def is_complete(session: Session, item_id: uuid.UUID) -> bool:
    """Whether every place of the item is filled by a judgement: none is free, and nobody holds one."""
    return session.execute(_COMPLETE, {"item": item_id}).scalar_one()


def add_missing(session: Session, items: Sequence[RatingItem]) -> int:
    """Write those items that their queue does not hold yet, in one statement; how many were written."""
    if not items:
        return 0
    rows = [
        {
            "id": uuid7(),
            "queue_id": item.queue_id,
            "conversation_id": item.conversation_id,
            "turn_id": item.turn_id,
            "first_draft_id": item.first_draft_id,
            "second_draft_id": item.second_draft_id,
            "open_places": item.open_places,
            "priority": item.priority,
            "position": item.position,
            "state": ItemState.OPEN,
        }
        for item in items
    ]
    return len(session.scalars(insert(RatingItem).values(rows).on_conflict_do_nothing().returning(RatingItem.id)).all())


def count_ready(session: Session, queue_id: uuid.UUID, *, up_to: int) -> int:
    """How many items of the queue have a free place; counting stops at ``up_to``."""
    ready = select(RatingItem.id).where(RatingItem.queue_id == queue_id, _READY).limit(_limit(up_to)).subquery()
    return session.scalars(select(func.count()).select_from(ready)).one()


def count_waiting(session: Session, rater_id: uuid.UUID, *, up_to: int) -> int:
    """How many items of all queues that hand out have a free place for the person; counting stops at ``up_to``."""
    return session.execute(_WAITING, {"rater": rater_id, "at_most": up_to}).scalar_one()


def pick_disputed(session: Session, rater_id: uuid.UUID, *, queue_id: uuid.UUID | None = None) -> RatingItem | None:
    """The dispute that has waited longest, that the person has no part in and that nobody is deciding; locked, with its ``queue``."""
    held = select(RatingAssignment.id).where(RatingAssignment.item_id == RatingItem.id, _HELD)
    disputed = (
        select(RatingItem)
        .options(joinedload(RatingItem.queue, innerjoin=True))
        .where(_IS_DISPUTED, ~_had_by(rater_id), ~held.exists())
        .order_by(RatingItem.created_at)
        .limit(1)
        .with_for_update(of=RatingItem, key_share=True, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return session.scalars(disputed if queue_id is None else disputed.where(RatingItem.queue_id == queue_id)).one_or_none()


def list_disputed(session: Session, *, queue_id: uuid.UUID | None = None, limit: int = 100) -> Sequence[RatingItem]:
    """Disputes that nobody has decided, with their ``queue``, those that have waited longest first."""
    disputed = (
        select(RatingItem)
        .options(joinedload(RatingItem.queue, innerjoin=True))
        .where(_IS_DISPUTED)
        .order_by(RatingItem.created_at)
        .limit(_limit(limit))
    )
    return session.scalars(disputed if queue_id is None else disputed.where(RatingItem.queue_id == queue_id)).all()


def _open_for(queue_id: uuid.UUID, rater_id: uuid.UUID) -> Select[uuid.UUID]:
    return (
        select(RatingItem.id)
        .where(RatingItem.queue_id == queue_id, _READY, ~_had_by(rater_id))
        .order_by(RatingItem.priority, RatingItem.position, RatingItem.id)
    )


def _limit(number: int) -> ColumnElement[int]:
    return literal_column(str(int(number)))


def _had_by(rater_id: uuid.UUID) -> ColumnElement[bool]:
    return (
        select(RatingAssignment.id)
        .where(
            RatingAssignment.item_id == RatingItem.id,
            RatingAssignment.rater_id == rater_id,
            _HAD,
        )
        .exists()
    )


# Built once: these run at every hand-out and every save.
_items, _leases = (Base.metadata.tables[name] for name in ("rating_item", "rating_assignment"))
_PICK = (
    select(_items.c.id)
    .where(
        _items.c.queue_id == bindparam("queue"),
        _READY,
        ~exists().where(_leases.c.item_id == _items.c.id, _leases.c.rater_id == bindparam("rater"), _HAD),
    )
    .order_by(_items.c.priority, _items.c.position, _items.c.id)
    .limit(bindparam("at_most", type_=Integer(), literal_execute=True))
    .with_for_update(key_share=True, skip_locked=True)
)
_TAKE = update(_items).where(_items.c.id.in_(bindparam("ids", expanding=True))).values(open_places=_items.c.open_places - 1)
_SAY = update(_items).where(_items.c.id == bindparam("item")).values(state=bindparam("as_state", type_=_items.c.state.type))
_COMPLETE = select(
    and_(_items.c.open_places == 0, ~exists().where(_leases.c.item_id == _items.c.id, _HELD, _leases.c.adjudicates.is_(False)))
).where(_items.c.id == bindparam("item"))
_queues = Base.metadata.tables["rating_queue"]
_WAITING = select(func.count()).select_from(
    select(_items.c.id)
    .join_from(_queues, _items, _items.c.queue_id == _queues.c.id)
    .where(
        text("rating_queue.closed_at IS NULL"),
        _READY,
        ~exists().where(_leases.c.item_id == _items.c.id, _leases.c.rater_id == bindparam("rater"), _HAD),
    )
    .limit(bindparam("at_most", type_=Integer(), literal_execute=True))
    .subquery()
)
