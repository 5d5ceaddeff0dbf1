"""What the slots of our phrases may be filled with in a turn: public facts and the price of the chosen move, and nothing else.

Decided here: how we write an amount, a date and an agreement, in English and Chinese. A slot without a true value is left out, and so are
the phrases that need it.
"""

import random
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from agent.domain import AllowedMove, TicketFacts, TurnContext, plain, selling_from_net
from agent.simulation.chinese_amounts import in_currency
from db.vocabulary import Mood, Speaker

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


_SITES_ZH = {"the hotel's own site": "贵酒店官网"}
"""What a source that is no name is called in Chinese."""
_HAN = re.compile("[\u3400-\u9fff]")


def money(amount: Decimal, currency: str, *, symbol: bool = False, language: str = "en") -> str:
    """An amount with its currency, as we write it."""
    if language == "zh":
        return in_currency(amount, currency)
    number = plain(amount)
    sign = {"USD": "$", "EUR": "€", "GBP": "£"}.get(currency) if symbol else None
    return f"{sign}{number}" if sign else f"{currency} {number}"


def day(when: date, *, short: bool = False, language: str = "en") -> str:
    """A day as we write it: "1 March 2027", "1 Mar 2027", "2027年3月1日", "3月1日"."""
    if language == "zh":
        return f"{when.month}月{when.day}日" if short else f"{when.year}年{when.month}月{when.day}日"
    month = _MONTHS[when.month - 1]
    return f"{when.day} {month[:3] if short else month} {when.year}"


def period(first: date, last: date, *, short: bool = False, language: str = "en") -> str:
    """From the first day to the last; the Chinese names the year once."""
    if language == "zh":
        return f"{day(first, short=short, language=language)}至{day(last, short=short or first.year == last.year, language=language)}"
    return f"{day(first, short=short)} to {day(last, short=short)}"


def slot_values(context: TurnContext, move: AllowedMove, fact: TicketFacts, rng: random.Random) -> Iterator[tuple[str, str]]:
    """What can be said truly in this turn, by slot; a slot that has no true value here is not among them."""
    language = context.language
    symbol = rng.random() < 0.3
    short = rng.random() < 0.4

    def price(amount: Decimal) -> str:
        return money(amount, fact.currency, symbol=symbol, language=language)

    yield "hotel", fact.hotel_name
    yield "room", fact.room_type
    yield "check_in", day(fact.check_in, short=short, language=language)
    yield "check_out", day(fact.check_out, short=short, language=language)
    yield "start", day(fact.check_in, short=short, language=language)
    yield "dates", period(fact.check_in, fact.check_out, short=short, language=language)
    yield "current_selling", price(fact.current_selling)
    if move.price is not None:
        yield "net", price(move.price)
        yield "selling", price(selling_from_net(move.price, fact.commission))
    if fact.competitor_price is not None and fact.competitor_source is not None:
        source = fact.competitor_source
        yield "competitor_price", price(fact.competitor_price)
        yield "competitor_source", _SITES_ZH.get(source, source) if language == "zh" else source
        if fact.competitor_seen_on is not None:
            yield "seen_on", day(fact.competitor_seen_on, short=short, language=language)
    told = " ".join(said.text for said in context.history if said.speaker is Speaker.BD)
    if untold := [sentence for sentence in fact.evidence if sentence not in told and _speaks(sentence, language)]:
        yield "evidence", rng.choice(untold)
    heard = context.hotel_move
    if heard is not None and heard.offers and heard.mood is not Mood.ANGRY:
        yield "offer", price(heard.offers[0].amount)
    if context.agreed:
        yield "agreed", ("；" if language == "zh" else " and ").join(_agreed(context, symbol, short))


def _agreed(context: TurnContext, symbol: bool, short: bool) -> Iterator[str]:
    language = context.language
    for terms in context.agreed:
        fact = context.fact(terms.label)
        net = money(terms.net, fact.currency, symbol=symbol, language=language)
        selling = money(selling_from_net(terms.net, fact.commission), fact.currency, symbol=symbol, language=language)
        dates = period(fact.check_in, fact.check_out, short=short, language=language)
        if language == "zh":
            yield f"{fact.room_type}，{dates}，净价{net}（售价{selling}）"
        else:
            yield f"{net} net ({selling} selling) for the {fact.room_type} from {dates}"


def _speaks(sentence: str, language: str) -> bool:
    """Whether a fact is written in the language: a Chinese reply quotes no English sentence, nor the other way round."""
    return (_HAN.search(sentence) is not None) == (language == "zh")
