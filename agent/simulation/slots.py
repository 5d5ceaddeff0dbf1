"""What the slots of our phrases may be filled with in a turn: public facts and the price of the chosen move, and nothing else.

Decided here: how we write an amount, a date and an agreement. A slot without a true value is left out, and so are the phrases that need it.
"""

import random
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from agent.domain import AllowedMove, TicketFacts, TurnContext, plain, selling_from_net
from db.vocabulary import Mood, Speaker

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


def money(amount: Decimal, currency: str, *, symbol: bool = False) -> str:
    """An amount with its currency, as we write it."""
    number = plain(amount)
    sign = {"USD": "$", "EUR": "€", "GBP": "£"}.get(currency) if symbol else None
    return f"{sign}{number}" if sign else f"{currency} {number}"


def slot_values(context: TurnContext, move: AllowedMove, fact: TicketFacts, rng: random.Random) -> Iterator[tuple[str, str]]:
    """What can be said truly in this turn, by slot; a slot that has no true value here is not among them."""
    symbol = rng.random() < 0.3
    short = rng.random() < 0.4
    yield "hotel", fact.hotel_name
    yield "room", fact.room_type
    yield "check_in", _day(fact.check_in, short)
    yield "check_out", _day(fact.check_out, short)
    yield "start", _day(fact.check_in, short)
    yield "dates", f"{_day(fact.check_in, short)} to {_day(fact.check_out, short)}"
    yield "current_selling", money(fact.current_selling, fact.currency, symbol=symbol)
    if move.price is not None:
        yield "net", money(move.price, fact.currency, symbol=symbol)
        yield "selling", money(selling_from_net(move.price, fact.commission), fact.currency, symbol=symbol)
    if fact.competitor_price is not None and fact.competitor_source is not None:
        yield "competitor_price", money(fact.competitor_price, fact.currency, symbol=symbol)
        yield "competitor_source", fact.competitor_source
        if fact.competitor_seen_on is not None:
            yield "seen_on", _day(fact.competitor_seen_on, short)
    told = " ".join(said.text for said in context.history if said.speaker is Speaker.BD)
    if untold := [sentence for sentence in fact.evidence if sentence not in told]:
        yield "evidence", rng.choice(untold)
    heard = context.hotel_move
    if heard is not None and heard.offers and heard.mood is not Mood.ANGRY:
        yield "offer", money(heard.offers[0].amount, fact.currency, symbol=symbol)
    if context.agreed:
        yield "agreed", " and ".join(_agreed(context, symbol, short))


def _agreed(context: TurnContext, symbol: bool, short: bool) -> Iterator[str]:
    for terms in context.agreed:
        fact = context.fact(terms.label)
        net = money(terms.net, fact.currency, symbol=symbol)
        selling = money(selling_from_net(terms.net, fact.commission), fact.currency, symbol=symbol)
        yield f"{net} net ({selling} selling) for the {fact.room_type} from {_day(fact.check_in, short)} to {_day(fact.check_out, short)}"


def _day(day: date, short: bool) -> str:
    month = _MONTHS[day.month - 1]
    return f"{day.day} {month[:3] if short else month} {day.year}"
