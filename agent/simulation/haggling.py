"""What a simulated hotel answers where money is concerned: to a request, to repeated terms, to a question about its own price.

It remembers its own price: it names no higher one later, and says so where it stays at the same.

Decided here: when it takes a price, betters its own, asks, puts off or turns down. How far it would go is ``bargaining``'s.
"""

import random
from decimal import Decimal

from agent.domain import selling_from_net
from agent.simulation import bargaining
from agent.simulation.amounts import round_up
from agent.simulation.bargaining import Room, concede, sayable_net
from agent.simulation.hearing import Heard
from agent.simulation.mind import Mind, Opener
from agent.simulation.speech import CONDITIONS, Plan
from db.vocabulary import ClarifyTopic, HotelMoveKind, PriceBasis

_K = HotelMoveKind
_SELLING_TOLERANCE = Decimal("0.02")
_NET_TOLERANCE = Decimal("0.004")
"""Share: a net price that was reckoned from a rounded selling price is the same price, as long as its reservation value is kept."""
_CLOSE = Decimal("0.05")
"""Share of its price within which it says that both are nearly there."""
_QUESTIONS = ("why", "benefit", "where", "selling", "commission", "dates", "room")


def answer_ask(mind: Mind, room: Room, heard: Heard, rng: random.Random, opener: Opener | None, *, pushes: bool = False) -> Plan:
    """Our side has named a net price; ``pushes`` says that it wants still more than that."""
    ask = heard.net[-1]
    if room.settled or (room.agreed is not None and ask < room.agreed * (1 - _NET_TOLERANCE)):
        return pushed_on(mind)
    if room.agreed is not None:
        return say_yes(mind, room, ask, "to_ask", rng)
    if pushes and room.offered is not None and not room.vague and ask >= room.offered * (1 - _NET_TOLERANCE):
        # What lay on the table could have been taken.
        mind.lose_goodwill(bargaining.PUSHED_ON)
        return offer_again(mind, room)
    if not heard.basis_named and "basis" not in mind.asked_topics and rng.random() < 0.6:
        return mind.question("basis")
    if mind.profile.legal_minded and not mind.raised_legal and rng.random() < 0.3:
        mind.raised_legal = True
        return mind.plan(_K.LEGAL, "legal")
    room.asks.append(ask)
    return counter(mind, room, ask, rng, opener)


def pushed_on(mind: Mind) -> Plan:
    """It had said yes, and we ask for more."""
    mind.lose_goodwill(bargaining.PUSHED_ON)
    return mind.plan(_K.REFUSE, "plain", opener=("already_agreed", None))


def counter(mind: Mind, room: Room, ask: Decimal, rng: random.Random, opener: Opener | None) -> Plan:
    """Answer a request: take it, better the own price, ask, put off or turn it down."""
    temper = mind.profile.temper
    if mind.goodwill < bargaining.SULKS and ask < (room.opening if room.offered is None else room.offered):
        return _refuse(mind, room, ask, rng, opener)
    concede(room, mind.profile, mind.goodwill, mind.trust)
    willing = room.best()
    nearly = willing * (1 - bargaining.NEARLY) if mind.goodwill > 0.5 else willing
    if ask >= max(nearly, room.reservation):
        better = round_up((ask + (room.offered or room.opening)) / 2)
        tries = rng.random() < temper.haggles and room.offers < 3 and better > ask * Decimal("1.01")
        if tries and (room.offered is None or better < room.offered):
            return offer(mind, room, better, rng, opener)
        return say_yes(mind, room, ask, "to_ask", rng)
    if mind.may_stall(rng):
        return mind.stall(rng)
    if rng.random() < temper.asks and (topic := _open_question(mind, rng)) is not None:
        return mind.question(topic)
    gap = (willing - ask) / willing
    stuck = room.offered is not None and willing >= room.offered
    if room.give < 0.04 or (gap > Decimal("0.15") and rng.random() < 0.45) or (stuck and rng.random() < 0.35):
        if rng.random() < 0.25:
            return mind.plan(_K.INFORM, "pushback", opener=opener)
        return _refuse(mind, room, ask, rng, opener)
    if stuck and not room.vague:
        return offer_again(mind, room, opener)
    close = opener is None and gap < _CLOSE and mind.goodwill > 0.4 and rng.random() < 0.4
    return offer(mind, room, willing, rng, ("close", None) if close else opener)


def _refuse(mind: Mind, room: Room, ask: Decimal, rng: random.Random, opener: Opener | None) -> Plan:
    room.refusals += 1
    return mind.plan(_K.REFUSE, "too_low" if rng.random() < 0.4 else "plain", ask=ask, opener=opener)


def _open_question(mind: Mind, rng: random.Random) -> str | None:
    topics = [topic for topic in _QUESTIONS if topic not in mind.asked_topics]
    return rng.choice(topics) if topics and len(mind.asked_topics) < 4 else None


def offer(mind: Mind, room: Room, net: Decimal, rng: random.Random, opener: Opener | None) -> Plan:
    """Name an own price, or a region of it, with or without strings."""
    temper = mind.profile.temper
    at_limit = net <= room.reservation or len(room.asks) >= mind.profile.rounds
    topic = "final" if at_limit and room.offers else "counter" if room.offers else "first"
    condition = None
    draw = rng.random()
    if draw < temper.vague and room.offers < 2:
        topic = "vague"
    elif draw < temper.vague + temper.conditions and room.conditions_made < 1:
        topic, condition = "conditional", rng.choice(CONDITIONS)
        room.conditions_made += 1
    elif len(mind.rooms) > 1 and draw > 0.94:
        topic = "which_unclear"
    if mind.profile.thinks_in is PriceBasis.SELLING:
        net = sayable_net(net, mind.fact(room.label).commission)
    room.open_condition = condition
    room.offered = net if room.offered is None else min(net, room.offered)
    room.vague = topic == "vague"
    room.offers += 1
    room.spoken_basis = mind.profile.thinks_in
    state = rng.random() >= temper.confusion
    return mind.plan(_K.OFFER, topic, net=room.offered, basis=room.spoken_basis, state=state, condition=condition, opener=opener)


def offer_again(mind: Mind, room: Room, opener: Opener | None = None) -> Plan:
    """The same price once more, in plain digits and with its kind; what was only a region becomes an amount."""
    topic = "first" if room.vague else "again"
    room.vague = False
    return mind.plan(_K.OFFER, topic, net=room.offered, basis=room.spoken_basis, simple=True, label=room.label, opener=opener)


def say_yes(mind: Mind, room: Room, net: Decimal, topic: str, rng: random.Random) -> Plan:
    """An explicit yes to a net price."""
    if room.agreed is None:
        mind.lose_goodwill(-bargaining.AGREED)
    room.agreed = net
    return mind.plan(_K.AGREE, topic, ask=net if rng.random() < 0.6 else None, label=room.label)


def answer_terms(mind: Mind, room: Room, heard: Heard, rng: random.Random) -> Plan:
    """Our side has repeated terms and asks for a yes: wrong ones are refused, missing ones asked for."""
    net = heard.net[-1]
    promised = room.agreed if room.agreed is not None else room.offered
    if promised is None:
        room.asks.append(net)
        return counter(mind, room, net, rng, None)
    should_sell = selling_from_net(net, mind.fact(room.label).commission)
    least = max(promised * (1 - _NET_TOLERANCE), room.reservation)
    wrong_selling = [price for price in heard.selling if abs(price - should_sell) > should_sell * _SELLING_TOLERANCE]
    if net < least or (heard.selling and len(wrong_selling) == len(heard.selling)):
        mind.lose_goodwill(bargaining.PUSHED_ON)
        return mind.plan(_K.REFUSE, "wrong_terms", ask=net)
    missing = "selling" if not heard.selling else "dates" if not heard.names_start else None
    if missing and missing not in mind.asked_topics and rng.random() < mind.profile.temper.strict:
        return mind.question(missing)
    if mind.may_stall(rng, 0.6):
        return mind.stall(rng)
    room.settled = missing is None
    plan = say_yes(mind, room, net, "to_confirm", rng)
    waiting = [label for label, other in mind.rooms.items() if not other.settled]
    if room.settled and waiting:
        mind.focus = waiting[0]
    return plan


def clear_up(mind: Mind, room: Room, topic: ClarifyTopic, rng: random.Random) -> Plan:
    """Our side asked about an open point."""
    tell, selling = _K.INFORM, room.spoken_basis is PriceBasis.SELLING
    match topic:
        case ClarifyTopic.NET_OR_SELLING:
            if room.offered is not None and rng.random() < 0.35:
                return offer_again(mind, room)
            return mind.plan(tell, "basis_selling" if selling else "basis_net", label=room.label)
        case ClarifyTopic.AMOUNT if room.offered is not None:
            return offer_again(mind, room)
        case ClarifyTopic.WHICH_ROOM:
            return mind.plan(tell, "which_room", label=room.label)
        case ClarifyTopic.CONDITION | ClarifyTopic.DATES | ClarifyTopic.ROOMS if room.open_condition is not None:
            condition = room.open_condition
            if rng.random() < 0.7:
                room.open_condition = None
                return mind.plan(tell, "drop_condition", label=room.label)
            return mind.plan(_K.OFFER, "conditional", net=room.offered, basis=room.spoken_basis, condition=condition)
        case ClarifyTopic.DATES:
            return mind.plan(tell, "dates_all", label=room.label)
        case ClarifyTopic.ROOMS:
            return mind.plan(tell, "room_count", label=room.label)
        case ClarifyTopic.BREAKFAST:
            return mind.plan(tell, "breakfast_yes" if rng.random() < 0.6 else "breakfast_no", label=room.label)
        case ClarifyTopic.TAX:
            return mind.plan(tell, "tax_yes" if rng.random() < 0.6 else "tax_no", label=room.label)
        case _:
            return mind.about_itself(rng)
