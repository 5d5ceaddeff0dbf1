"""What is read to show a person what they are to judge: plain columns in one statement, whatever the number of leases.

It runs at every hand-out: it is built once, loads no objects, and brings each lease's talk and tickets along as JSON, amounts and dates as
text. What must stay secret of a ticket is not read at all.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import Any

from sqlalchemy import Text, bindparam, cast, exists, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from db.models import Conversation, ConversationTicket, Draft, Hotel, Json, Rating, RatingAssignment, RatingItem, RatingQueue, Ticket, Turn
from db.vocabulary import JudgementKind, Speaker, Stage


@dataclass(frozen=True, slots=True)
class ShownTicket:
    """The public side of one ticket of a conversation."""

    label: int
    room_type: str
    check_in: date
    check_out: date
    currency: str
    current_net: Decimal
    commission: Decimal
    rooms: int
    breakfast: bool | None
    tax_included: bool | None
    competitor_price: Decimal | None
    competitor_source: str | None
    competitor_seen_on: date | None
    evidence: list[str]


@dataclass(frozen=True, slots=True)
class ShownTurn:
    """One turn of a conversation."""

    number: int
    speaker: Speaker
    text: str
    stage_before: Stage


@dataclass(frozen=True, slots=True)
class ShownLease:
    """One lease and its item."""

    id: uuid.UUID
    item_id: uuid.UUID
    turn_id: uuid.UUID | None
    """The turn that is judged; None for a comparison or a dialogue."""
    expires_at: datetime
    swapped: bool
    adjudicates: bool
    was_undone: bool
    """The person has judged the item and taken it back."""
    queue: str
    kind: JudgementKind
    hotel: str
    language: str
    turn_number: int | None
    """Of ``turn_id``."""
    turn_text: str | None
    move: Json | None
    first_text: str | None
    second_text: str | None
    for_turn: int | None
    """In a comparison: the number that the turn has, or would have."""
    turns: tuple[ShownTurn, ...]
    """What was said in the conversation, in order, up to the turn that is judged or compared; everything for a dialogue."""
    tickets: tuple[ShownTicket, ...]
    """By label."""

    @property
    def last_number(self) -> int | None:
        """Number of the turn that is judged or compared; None for a dialogue, of which everything is shown."""
        return self.turn_number if self.turn_number is not None else self.for_turn


def list_leases(session: Session, assignment_ids: Sequence[uuid.UUID]) -> list[ShownLease]:
    """The leases in the order given."""
    rows = session.execute(_LEASES, {"ids": list(assignment_ids)})
    leases = [_lease_of(*row) for row in rows]
    return sorted(leases, key=lambda lease: assignment_ids.index(lease.id))


def _lease_of(*columns: Any) -> ShownLease:
    *plain, turns, tickets = columns
    return ShownLease(*plain, turns=_turns_of(turns), tickets=_tickets_of(tickets))


def _turns_of(found: Sequence[Sequence[Any]] | None) -> tuple[ShownTurn, ...]:
    return tuple(ShownTurn(number, Speaker(speaker), text, Stage(stage)) for number, speaker, text, stage in found or ())


def _tickets_of(found: Sequence[Mapping[str, Any]] | None) -> tuple[ShownTicket, ...]:
    return tuple(ShownTicket(**{name: _read(name, value) for name, value in each.items()}) for each in found or ())


def _read(name: str, value: Any) -> Any:
    return _READ[name](value) if name in _READ and value is not None else value


_READ: Mapping[str, Callable[[str], date | Decimal]] = {
    "check_in": date.fromisoformat,
    "check_out": date.fromisoformat,
    "competitor_seen_on": date.fromisoformat,
    "current_net": Decimal,
    "commission": Decimal,
    "competitor_price": Decimal,
}
_lease, _item, _queue = RatingAssignment.__table__.c, RatingItem.__table__.c, RatingQueue.__table__.c
_conversation, _hotel, _turn = Conversation.__table__.c, Hotel.__table__.c, Turn.__table__.c
_held, _ticket, _rating, _said = ConversationTicket.__table__.c, Ticket.__table__.c, Rating.__table__.c, Turn.__table__.alias("said").c
_first, _second = Draft.__table__.alias("first_draft"), Draft.__table__.alias("second_draft")
_undone = exists().where(_rating.item_id == _lease.item_id, _rating.rater_id == _lease.rater_id, _rating.withdrawn)
_EVERY_TURN = 2**31 - 1
_turns = (
    select(
        func.json_agg(aggregate_order_by(func.json_build_array(_said.number, _said.speaker, _said.text, _said.stage_before), _said.number))
    )
    .where(
        _said.conversation_id == _item.conversation_id,
        _said.number <= func.coalesce(_turn.number, _first.c.for_turn, _EVERY_TURN),
    )
    .scalar_subquery()
)
_columns = [_ticket[field.name] for field in fields(ShownTicket) if field.name != "label"]
_tickets = (
    select(
        func.json_agg(
            aggregate_order_by(
                func.json_build_object(
                    "label",
                    _held.label,
                    *chain.from_iterable((column.name, cast(column, Text) if column.name in _READ else column) for column in _columns),
                ),
                _held.label,
            )
        )
    )
    .select_from(ConversationTicket.__table__)
    .join(Ticket.__table__, _ticket.id == _held.ticket_id)
    .where(_held.conversation_id == _item.conversation_id)
    .scalar_subquery()
)
_LEASES = (
    select(
        _lease.id,
        _lease.item_id,
        _item.turn_id,
        _lease.expires_at,
        _lease.swapped,
        _lease.adjudicates,
        _undone.label("was_undone"),
        _queue.name,
        _queue.kind,
        _hotel.name,
        _conversation.language,
        _turn.number,
        _turn.text,
        _turn.move,
        _first.c.text,
        _second.c.text,
        _first.c.for_turn,
        _turns.label("turns"),
        _tickets.label("tickets"),
    )
    .select_from(RatingAssignment.__table__)
    .join(RatingItem.__table__, _item.id == _lease.item_id)
    .join(RatingQueue.__table__, _queue.id == _item.queue_id)
    .join(Conversation.__table__, _conversation.id == _item.conversation_id)
    .join(Hotel.__table__, _hotel.id == _conversation.hotel_id)
    .outerjoin(Turn.__table__, _turn.id == _item.turn_id)
    .outerjoin(_first, _first.c.id == _item.first_draft_id)
    .outerjoin(_second, _second.c.id == _item.second_draft_id)
    # Ids one by one, not as an array: the server takes an array of unknown length for a long one, and would plan the joins anew each time.
    .where(_lease.id.in_(bindparam("ids", expanding=True)))
)
