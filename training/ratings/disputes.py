"""What people disagree about, for whoever decides: how far apart they are, and since when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from db.models import Rating, RatingItem
from db.repositories import rating_assignments, rating_items, ratings
from db.vocabulary import JudgementKind, Preferred


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """One item on which people disagree."""

    item_id: UUID
    queue_id: UUID
    queue: str
    """Name of the queue."""
    kind: JudgementKind
    conversation_id: UUID
    turn_id: UUID | None
    stars: tuple[int, ...]
    """What was given, from the lowest; empty for a comparison."""
    preferred: tuple[Preferred, ...]
    """Of the item's first and second draft; empty where stars were given."""
    since: datetime
    """When the newest judgement came in."""
    in_hand: bool
    """Somebody is deciding it."""


def list_waiting(session: Session, *, queue_id: UUID | None = None, limit: int = 100) -> tuple[Dispute, ...]:
    """Disputes that nobody has decided, those that have waited longest first; three statements, whatever their number."""
    items = rating_items.list_disputed(session, queue_id=queue_id, limit=limit)
    ids = [item.id for item in items]
    said = ratings.list_current_of(session, ids)
    in_hand = rating_assignments.list_decided_now(session, ids)
    return tuple(_dispute(item, said.get(item.id, ()), item.id in in_hand) for item in items)


def _dispute(item: RatingItem, said: Sequence[Rating], in_hand: bool) -> Dispute:
    return Dispute(
        item_id=item.id,
        queue_id=item.queue_id,
        queue=item.queue.name,
        kind=item.queue.kind,
        conversation_id=item.conversation_id,
        turn_id=item.turn_id,
        stars=tuple(sorted(rating.stars for rating in said if rating.stars is not None)),
        preferred=tuple(rating.preferred for rating in said if rating.preferred is not None),
        since=max((rating.created_at for rating in said), default=item.created_at),
        in_hand=in_hand,
    )
