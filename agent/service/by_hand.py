"""What a person's hand changes: the words that are taken from one, the move behind an edit, the price at which one closes."""

import unicodedata
from collections.abc import Mapping
from decimal import Decimal

from agent import sop
from agent.domain import AllowedMove
from agent.prices import PriceForm, find_prices
from agent.service.errors import CloseError, MessageTooLong, UnreadableMessage
from db.vocabulary import MoveKind, TicketStatus

_WHITE = frozenset("\t\n\r")


def readable(words: str, *, limit: int) -> str:
    """The words, if they are text of at most ``limit`` characters. Raises MessageTooLong, UnreadableMessage."""
    if len(words) > limit:
        raise MessageTooLong(len(words), limit)
    for position, character in enumerate(words):
        if character not in _WHITE and unicodedata.category(character) in ("Cc", "Cs", "Cn"):
            raise UnreadableMessage(character, position)
    return words


def edited_move(move: AllowedMove, words: str, terms: Mapping[int, sop.Terms]) -> AllowedMove:
    """The draft's move, with the one net price that the edit asks for in place of its own; never above the ticket's ceiling."""
    if move.kind not in (MoveKind.ASK, MoveKind.HOLD) or move.label is None or move.price is None:
        return move
    amounts = {mention.value for mention in find_prices(words) if mention.form is PriceForm.ABSOLUTE and mention.value is not None}
    if move.price in amounts or len(amounts) != 1:
        return move
    price = amounts.pop()
    within = terms[move.label].mandate.opening_ask / 2 <= price <= terms[move.label].mandate.ceiling
    return AllowedMove(kind=MoveKind.ASK, label=move.label, price=price) if within else move


def closing_price(label: int, outcome: TicketStatus, prices: Mapping[int, Decimal], terms: Mapping[int, sop.Terms]) -> Decimal | None:
    """The net price at which a person closes one ticket; None where it is not agreed. Raises CloseError for a price that cannot be."""
    if outcome is TicketStatus.OPEN:
        raise CloseError("A conversation is closed as agreed, declined, expired or handed over, not as open.")
    if outcome is not TicketStatus.AGREED:
        return None
    room = terms[label].facts.room_type
    price = prices.get(label)
    if price is None:
        raise CloseError(f"Say at which net price {room} was agreed, or close it with another outcome.")
    if price > terms[label].mandate.ceiling:
        raise CloseError(f"{price} net for {room} is above our limit, so it cannot be recorded as agreed. Raise the limit first.")
    return price
