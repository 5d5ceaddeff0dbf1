"""Which numbers a reply may hold: those of the public facts, those that were asked, offered or agreed, and those of its own move."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from agent.domain import AllowedMove, HotelOffer, TicketFacts, TurnContext, net_from_selling, selling_from_net
from agent.guardrails.said import fold
from agent.prices import CalendarDay, NumberKind, find_numbers
from db.vocabulary import PriceBasis


@dataclass(frozen=True, slots=True)
class KnownNumbers:
    """Amounts by what they are, percentages, days and counts; an amount whose kind nobody said stands in both sets."""

    net: frozenset[Decimal]
    selling: frozenset[Decimal]
    percents: frozenset[Decimal]
    days: frozenset[date]
    counts: frozenset[Decimal]
    quoted: frozenset[Decimal]
    """Other numbers that stand in the facts' own sentences."""

    def has_amount(self, value: Decimal) -> bool:
        """True where the amount is a known price or stands in a fact."""
        return value in self.net or value in self.selling or value in self.quoted

    def has_day(self, day: CalendarDay) -> bool:
        """True where the written day may be one of the known ones."""
        return any(day.matches(known) for known in self.days)


def known_numbers(context: TurnContext, move: AllowedMove) -> KnownNumbers:
    """Everything that a reply with ``move`` may name in this turn."""
    offers = context.hotel_move.offers if context.hotel_move else ()
    conditions = context.hotel_move.conditions if context.hotel_move else ()
    agreed = tuple((terms.label, terms.net) for terms in context.agreed)
    return _known(context.facts, context.focus, context.asked, context.offered, agreed, offers, conditions, move, context.today)


@lru_cache(maxsize=64)
def _known(
    facts: tuple[TicketFacts, ...],
    focus: int,
    asked: tuple[tuple[int, Decimal], ...],
    offered: tuple[tuple[int, Decimal], ...],
    agreed: tuple[tuple[int, Decimal], ...],
    offers: tuple[HotelOffer, ...],
    conditions: tuple[str, ...],
    move: AllowedMove,
    today: date | None,
) -> KnownNumbers:
    by_label = {fact.label: fact for fact in facts}
    net: set[Decimal] = set()
    selling: set[Decimal] = set()
    percents = {fact.commission * 100 for fact in facts}
    days = {today} if today else set[date]()
    counts = {Decimal(1), Decimal(len(facts)), Decimal(len(agreed))}
    quoted: set[Decimal] = set()
    own = [(move.label if move.label is not None else focus, move.price)] if move.price is not None else []
    for label, price in (*((fact.label, fact.current_net) for fact in facts), *asked, *agreed, *own):
        if label in by_label:
            net.add(price)
            selling.add(selling_from_net(price, by_label[label].commission))
    said_as = {(offer.label if offer.label is not None else focus, offer.amount): offer.basis for offer in offers}
    for label, amount in (*offered, *said_as):
        if label in by_label:
            _add_offer(amount, said_as.get((label, amount), PriceBasis.UNKNOWN), by_label[label].commission, net, selling)
    for fact in facts:
        selling |= {fact.competitor_price} if fact.competitor_price is not None else set()
        nights = (fact.check_out - fact.check_in).days
        counts |= {Decimal(fact.rooms), Decimal(nights), Decimal(fact.rooms * nights)}
        days |= {fact.check_in + timedelta(days=night) for night in range(min(nights, 731) + 1)}
        days |= {fact.competitor_seen_on} if fact.competitor_seen_on else set()
        for sentence in (fact.hotel_name, fact.room_type, fact.competitor_source or "", *fact.evidence):
            for number in find_numbers(fold(sentence)[0]):
                (percents if number.kind is NumberKind.PERCENT else quoted).add(number.value)
    for sentence in conditions:
        # A string may be named when it is asked about, but no amount gets into a reply through it.
        counts |= {number.value for number in find_numbers(fold(sentence)[0]) if number.kind in (NumberKind.COUNT, NumberKind.ORDINAL)}
    return KnownNumbers(
        net=frozenset(net),
        selling=frozenset(selling),
        percents=frozenset(percents),
        days=frozenset(days),
        counts=frozenset(counts),
        quoted=frozenset(quoted),
    )


def _add_offer(amount: Decimal, basis: PriceBasis, commission: Decimal, net: set[Decimal], selling: set[Decimal]) -> None:
    if basis is not PriceBasis.SELLING:
        net.add(amount)
        selling.add(selling_from_net(amount, commission))
    if basis is not PriceBasis.NET:
        selling.add(amount)
        net.add(net_from_selling(amount, commission))
