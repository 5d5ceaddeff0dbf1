"""Queries on judgements. What counts is ``is_current``: a row that nothing supersedes and that is not itself a withdrawal."""

import uuid
from collections.abc import Sequence

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, any_, bindparam, exists, select
from sqlalchemy.orm import Session, aliased, selectinload

from db.errors import ParleyError
from db.models import Rating, RatingTag


class RatingNotFound(ParleyError):
    """No judgement has this id."""


def is_current() -> ColumnElement[bool]:
    """For a statement on ``Rating``: only judgements that count."""
    return _CURRENT


def add(session: Session, rating: Rating, tags: Sequence[RatingTag] = ()) -> Rating:
    """Write a judgement with the faults that it names.

    A key that the person has used before, and a second row that supersedes the same one, are refused (``IntegrityError``).
    """
    session.add(rating)
    session.add_all(tags)
    session.flush()
    return rating


def get(session: Session, rating_id: uuid.UUID) -> Rating:
    """The judgement with its ``tags``.

    Raises:
        RatingNotFound: if there is none.
    """
    found = session.scalars(select(Rating).options(_TAGS).where(Rating.id == rating_id)).one_or_none()
    if found is None:
        raise RatingNotFound(f"there is no judgement {rating_id}; reload the list")
    return found


def find_by_key(session: Session, rater_id: uuid.UUID, key: str) -> Rating | None:
    """What this key of the person has written, with its ``tags``: the request is a repeat."""
    return session.scalars(_BY_KEY, {"rater": rater_id, "key": key}).one_or_none()


def find_current(session: Session, item_id: uuid.UUID, rater_id: uuid.UUID) -> Rating | None:
    """What the person says of the item, with its ``tags``."""
    return session.scalars(
        select(Rating).options(_TAGS).where(Rating.item_id == item_id, Rating.rater_id == rater_id, is_current())
    ).one_or_none()


def list_current(session: Session, item_id: uuid.UUID) -> Sequence[Rating]:
    """What everybody says of the item, with their ``tags``, oldest first."""
    return session.scalars(
        select(Rating).options(_TAGS).where(Rating.item_id == item_id, is_current()).order_by(Rating.created_at, Rating.id)
    ).all()


def list_current_of(session: Session, item_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Rating]]:
    """What everybody says of each of the items, bare, oldest first."""
    said: dict[uuid.UUID, list[Rating]] = {}
    for rating in session.scalars(_OF_ITEMS, {"ids": list(item_ids)}):
        if rating.item_id is not None:
            said.setdefault(rating.item_id, []).append(rating)
    return said


def list_taken_back(session: Session, item_ids: Sequence[uuid.UUID], rater_id: uuid.UUID) -> Sequence[Rating]:
    """What the person said of the items and took back, with its ``tags``, oldest first."""
    withdrawal = aliased(Rating)
    return session.scalars(
        select(Rating)
        .options(_TAGS)
        .join(withdrawal, withdrawal.supersedes_id == Rating.id)
        .where(Rating.item_id.in_(item_ids), Rating.rater_id == rater_id, withdrawal.withdrawn)
        .order_by(Rating.created_at, Rating.id)
    ).all()


def is_superseded(session: Session, rating_id: uuid.UUID) -> bool:
    """Whether another row has taken its place."""
    return session.scalars(select(Rating.id).where(Rating.supersedes_id == rating_id)).first() is not None


_TAGS = selectinload(Rating.tags)
_newer = aliased(Rating, name="newer")
_CURRENT = and_(Rating.withdrawn.is_(False), ~exists().where(_newer.supersedes_id == Rating.id))
# Built once: these run at every save.
_BY_KEY = select(Rating).options(_TAGS).where(Rating.rater_id == bindparam("rater"), Rating.idempotency_key == bindparam("key"))
_OF_ITEMS = (
    select(Rating).where(Rating.item_id == any_(bindparam("ids", type_=ARRAY(Uuid()))), _CURRENT).order_by(Rating.created_at, Rating.id)
)
