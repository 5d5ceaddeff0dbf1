"""What follows from what the hotel did: the next stage, and the few moves that our side may make in it.

``advance`` is the only reader of the secret side of a ticket. It is pure, and it never grants more than the mandate: what it returns may
be shown to anyone. A price becomes an agreement here and nowhere else, after it was compared with the ceiling.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from agent.domain import AllowedMove, HotelMove, HotelOffer, net_from_selling, selling_from_net
from agent.sop.concession import ask_at, speaking_step
from agent.sop.stages import STAGES
from agent.sop.state import NegotiationState, Terms, TicketState
from db.vocabulary import ClarifyTopic, HotelMoveKind, Mood, MoveKind, PriceBasis, Stage, TicketStatus

MOST_REFUSALS = 3
MOST_WAITS = 3
MOST_CALMS = 2
MOST_CLARIFICATIONS = 4
MOST_CONFIRMATIONS = 4
IMPLAUSIBLE_SHARE = Decimal("0.5")
"""An offer below this share of our opening ask is taken for a slip and asked about, never accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Where the conversation stands after the hotel's turn, and what we may say."""

    state: NegotiationState
    allowed: tuple[AllowedMove, ...]
    """Empty only where the conversation has ended."""

    @property
    def brief(self) -> str:
        """The purpose of the stage, for the writer and for people."""
        return STAGES[self.state.stage].purpose


def begin(state: NegotiationState) -> Step:
    """The step before the first word: greet."""
    return Step(state=state, allowed=(AllowedMove(kind=MoveKind.GREET),))


def advance(state: NegotiationState, move: HotelMove, terms: Mapping[int, Terms]) -> Step:
    """Take the hotel's move into account; ``terms`` holds every ticket of the conversation by label.

    Raises KeyError where a ticket of the state has no terms.
    """
    if state.stage.is_end:
        return Step(state=state, allowed=())
    if state.stage is Stage.CLOSING:
        return _closing(state, state.close_as or TicketStatus.EXPIRED)
    state = _hear(state, move, terms)
    for rule in (_interruptions, _open_points, _answers):
        step = rule(state, move, terms)
        if step is not None:
            break
    else:
        step = _go_on(state, terms)
    over = step.state.turns >= step.state.most_turns
    if over and step.state.stage not in (Stage.CLOSING, Stage.ESCALATED):
        return _closing(step.state, TicketStatus.EXPIRED)
    return step


# -- taking note ------------------------------------------------------------------------------------------------------------------------


def _hear(state: NegotiationState, move: HotelMove, terms: Mapping[int, Terms]) -> NegotiationState:
    """Note every price the hotel named, on the ticket that it belongs to; go to the ticket that it talks about."""
    for offer in move.offers:
        label = state.focus if offer.label is None else offer.label
        if label not in state.open_labels:
            continue
        state = state.with_ticket(_note(state.ticket(label), offer, terms[label]))
    labels = [offer.label for offer in move.offers if offer.label in state.open_labels]
    if labels and state.focus not in labels and state.ticket().pending is None:
        state = replace(state, focus=labels[0])
    ticket = state.ticket()
    basis = move.stated_basis
    if basis is not None and basis is not PriceBasis.UNKNOWN:
        ticket = replace(ticket, basis=basis)
        if ticket.unplaced is not None and not move.offers:
            settled = HotelOffer(amount=ticket.unplaced, basis=basis, label=ticket.label)
            ticket = replace(_note(ticket, settled, terms[ticket.label]), unplaced=None)
        state = state.with_ticket(ticket)
    waiting = move.kind in (HotelMoveKind.SILENCE, HotelMoveKind.STALL)
    # Once prices are on the table, the question about the hotel's situation has been overtaken.
    return replace(state, waits=state.waits + 1 if waiting else 0, probed=state.probed or bool(move.offers))


def _note(ticket: TicketState, offer: HotelOffer, terms: Terms) -> TicketState:
    named = ticket.named if offer.amount in ticket.named else (*ticket.named, offer.amount)
    ticket = replace(ticket, named=named)
    basis = _echoed_basis(ticket, offer.amount, terms) if offer.basis is PriceBasis.UNKNOWN else offer.basis
    if basis is PriceBasis.UNKNOWN:
        return replace(ticket, unplaced=offer.amount)
    net = offer.amount
    if basis is PriceBasis.SELLING:
        net = net_from_selling(offer.amount, terms.facts.commission)
    if net < terms.mandate.opening_ask * IMPLAUSIBLE_SHARE:
        return ticket
    # A newer offer replaces the older ones: a hotel that went up has taken its lower price back, and a yes awaited to it is void.
    pending = ticket.pending if ticket.pending == net else None
    return replace(ticket, offered=(net,), basis=basis, unplaced=None, pending=pending)


def _echoed_basis(ticket: TicketState, amount: Decimal, terms: Terms) -> PriceBasis:
    """A bare amount that repeats a price of ours is the kind of price that we called it ("yes, 430 is fine")."""
    ours = [price for price in (ticket.pending, ticket.last_ask) if price is not None]
    if amount in ours:
        return PriceBasis.NET
    if any(amount == selling_from_net(price, terms.facts.commission) for price in ours):
        return PriceBasis.SELLING
    return PriceBasis.UNKNOWN


# -- what comes before haggling ---------------------------------------------------------------------------------------------------------


def _interruptions(state: NegotiationState, move: HotelMove, terms: Mapping[int, Terms]) -> Step | None:
    match move.kind:
        case HotelMoveKind.LEGAL:
            return _escalate(state)
        case HotelMoveKind.STOP:
            return _closing(state, TicketStatus.DECLINED)
        case HotelMoveKind.WRONG_PERSON:
            if state.redirects >= 1:
                return _closing(state, TicketStatus.HANDED_OVER)
            return _step(_to(state, _talking_stage(state)), AllowedMove(kind=MoveKind.REDIRECT))
        case HotelMoveKind.SILENCE | HotelMoveKind.STALL:
            return _wait(state, stalled=move.kind is HotelMoveKind.STALL)
        case _ if move.kind is HotelMoveKind.UPSET or move.mood is Mood.ANGRY:
            return _calm(state)
        case _:
            return None


def _wait(state: NegotiationState, *, stalled: bool) -> Step:
    """Silence and "let me see" are never a yes: ask again kindly, and give up after a while."""
    if state.waits > MOST_WAITS:
        return _closing(state, TicketStatus.EXPIRED)
    state = replace(state, stage=Stage.FOLLOW_UP, resume=_talking_stage(state))
    moves = [AllowedMove(kind=MoveKind.FOLLOW_UP, label=state.focus)]
    ticket = state.ticket()
    if stalled and ticket.last_ask is not None and ticket.pending is None and state.last_move is not MoveKind.HOLD:
        moves.append(AllowedMove(kind=MoveKind.HOLD, label=ticket.label, price=ticket.last_ask))
    return _step(state, *moves)


def _calm(state: NegotiationState) -> Step | None:
    if state.last_move is MoveKind.CALM and state.calms >= MOST_CALMS:
        return _escalate(state)
    if state.last_move is MoveKind.CALM or state.calms >= MOST_CALMS:
        # It was calmed once already: what it says now is answered, or it would be soothed for ever.
        return None
    return _step(_to(state, _talking_stage(state)), AllowedMove(kind=MoveKind.CALM))


def _open_points(state: NegotiationState, move: HotelMove, terms: Mapping[int, Terms]) -> Step | None:
    """Unclear points are asked before anything else, in a fixed order; too many of them are a person's matter."""
    ticket = state.ticket()
    implausible = any(
        offer.label in (None, ticket.label)
        and offer.basis is not PriceBasis.UNKNOWN
        and offer.amount < terms[ticket.label].mandate.opening_ask * IMPLAUSIBLE_SHARE
        for offer in move.offers
    )
    topics = set(move.unclear)
    if implausible:
        topics.add(ClarifyTopic.AMOUNT)
    if ticket.unplaced is not None:
        topics.add(ClarifyTopic.NET_OR_SELLING)
    topics -= set(ticket.open_points) & _ASKED_ONCE
    if not topics:
        return None
    if ticket.clarified >= MOST_CLARIFICATIONS:
        return _escalate(state)
    topic = next(topic for topic in _TOPIC_ORDER if topic in topics)
    state = replace(state, stage=Stage.CLARIFICATION, resume=_talking_stage(state))
    return _step(state, AllowedMove(kind=MoveKind.CLARIFY, label=ticket.label, topic=topic))


_TOPIC_ORDER = (
    ClarifyTopic.WHICH_ROOM,
    ClarifyTopic.AMOUNT,
    ClarifyTopic.NET_OR_SELLING,
    ClarifyTopic.DATES,
    ClarifyTopic.ROOMS,
    ClarifyTopic.TAX,
    ClarifyTopic.BREAKFAST,
    ClarifyTopic.CONDITION,
)
# These colour a price without changing which number it is: once asked, they are carried into the confirmation instead of asked again.
_ASKED_ONCE = frozenset({ClarifyTopic.DATES, ClarifyTopic.ROOMS, ClarifyTopic.TAX, ClarifyTopic.BREAKFAST, ClarifyTopic.CONDITION})


# -- answers to what we asked -----------------------------------------------------------------------------------------------------------


def _answers(state: NegotiationState, move: HotelMove, terms: Mapping[int, Terms]) -> Step | None:
    ticket = state.ticket()
    own = [offer for offer in move.offers if offer.label in (None, ticket.label)]
    if move.kind is HotelMoveKind.AGREE and move.says_yes:
        agreed_to = _what_was_agreed(state, ticket, own)
        if agreed_to is not None:
            return _agree(state, ticket, agreed_to, terms)
    if move.kind is HotelMoveKind.REFUSE:
        return _refused(state, ticket, terms)
    return None


def _what_was_agreed(state: NegotiationState, ticket: TicketState, own: list[HotelOffer]) -> Decimal | None:
    """The explicit number that an explicit yes belongs to: the one we asked for or repeated, unless the hotel names another."""
    put_to_it = ticket.pending if ticket.pending is not None else ticket.last_ask
    spoken = (MoveKind.ASK, MoveKind.HOLD, MoveKind.ACCEPT, MoveKind.CONFIRM, MoveKind.FOLLOW_UP, MoveKind.CALM)
    if put_to_it is None or state.last_move not in spoken:
        return None
    if own and ticket.standing_offer != put_to_it:
        return None
    return put_to_it


def _agree(state: NegotiationState, ticket: TicketState, price: Decimal, terms: Mapping[int, Terms]) -> Step:
    if price > terms[ticket.label].mandate.ceiling:
        return _escalate(state)
    repeated = state.last_move in (MoveKind.ACCEPT, MoveKind.CONFIRM) and ticket.pending == price
    if not repeated:
        # The terms have not been repeated yet, or something was said in between: a yes counts only to the full terms.
        state = state.with_ticket(replace(ticket, pending=price))
        return _confirm(state, MoveKind.CONFIRM, price)
    state = state.with_ticket(replace(ticket, status=TicketStatus.AGREED, agreed=price, pending=None))
    return _next_ticket(state, terms)


def _refused(state: NegotiationState, ticket: TicketState, terms: Mapping[int, Terms]) -> Step:
    was_confirming = ticket.pending is not None
    ticket = replace(ticket, refusals=ticket.refusals + 1, pending=None)
    if was_confirming:
        ticket = replace(ticket, offered=())
    state = state.with_ticket(ticket)
    if ticket.refusals >= MOST_REFUSALS and not _acceptable(ticket, terms[ticket.label]):
        return _give_up(state, terms)
    return _go_on(state, terms)


# -- going on ---------------------------------------------------------------------------------------------------------------------------


def _go_on(state: NegotiationState, terms: Mapping[int, Terms]) -> Step:
    """Nothing special happened: take the next step of the ordinary path, which the standing offer decides once there is one."""
    ticket = state.ticket()
    own = terms[ticket.label]
    if ticket.pending is not None:
        return _confirm(state, MoveKind.CONFIRM, ticket.pending)
    offer = ticket.standing_offer
    if offer is not None and offer <= own.mandate.ceiling:
        return _within_reach(state, ticket, offer, own)
    if not state.greeted:
        return _step(_to(state, Stage.OPENING), AllowedMove(kind=MoveKind.GREET))
    if not state.probed:
        return _step(_to(state, Stage.SITUATION), AllowedMove(kind=MoveKind.PROBE, label=ticket.label))
    if ticket.round >= own.mandate.max_rounds:
        return _give_up(state, terms)
    return _persuade(state, ticket, own)


def _acceptable(ticket: TicketState, own: Terms) -> bool:
    return ticket.standing_offer is not None and ticket.standing_offer <= own.mandate.ceiling


def _within_reach(state: NegotiationState, ticket: TicketState, offer: Decimal, own: Terms) -> Step:
    """At or below the target: take it. Between target and ceiling: one more push if rounds remain, then take it."""
    ask = _next_ask(ticket, own)
    worth_a_push = (
        offer > own.mandate.target
        and not ticket.pushed
        and ticket.refusals < MOST_REFUSALS
        and ticket.round < own.mandate.max_rounds
        and ask < offer
        and state.turns + 2 < state.most_turns
    )
    if worth_a_push:
        state = state.with_ticket(replace(ticket, pushed=True))
        return _step(_to(state, Stage.PERSUASION), AllowedMove(kind=MoveKind.ASK, label=ticket.label, price=ask))
    return _confirm(state.with_ticket(replace(ticket, pending=offer)), MoveKind.ACCEPT, offer)


def _next_ask(ticket: TicketState, own: Terms) -> Decimal:
    """The schedule's price for this round: never below an earlier ask, and below the hotel's own offer where that allows it."""
    ask = ask_at(own.mandate, ticket.round)
    offer = ticket.standing_offer
    if offer is not None and ask >= offer:
        ask = offer - speaking_step(own.mandate.opening_ask)
    floor = ticket.last_ask if ticket.last_ask is not None else own.mandate.opening_ask
    return max(ask, floor)


def _persuade(state: NegotiationState, ticket: TicketState, own: Terms) -> Step:
    ask = AllowedMove(kind=MoveKind.ASK, label=ticket.label, price=_next_ask(ticket, own))
    if ticket.last_ask is None:
        return _step(_to(state, Stage.PROPOSAL), ask)
    hold = AllowedMove(kind=MoveKind.HOLD, label=ticket.label, price=ticket.last_ask)
    # Standing still twice in a row persuades nobody; the first time it is the policy's choice.
    moves = (ask,) if state.last_move is MoveKind.HOLD else (ask, hold)
    return _step(_to(state, Stage.PERSUASION), *moves)


def _confirm(state: NegotiationState, kind: MoveKind, price: Decimal) -> Step:
    if state.ticket().confirmed >= MOST_CONFIRMATIONS:
        return _escalate(state)
    return _step(_to(state, Stage.CONFIRMATION), AllowedMove(kind=kind, label=state.focus, price=price))


def _next_ticket(state: NegotiationState, terms: Mapping[int, Terms]) -> Step:
    if not state.open_labels:
        return _closing(state, TicketStatus.EXPIRED)
    return _go_on(replace(state, focus=state.open_labels[0], resume=None), terms)


def _give_up(state: NegotiationState, terms: Mapping[int, Terms]) -> Step:
    state = state.with_ticket(replace(state.ticket(), status=TicketStatus.DECLINED, pending=None))
    return _next_ticket(state, terms)


def _closing(state: NegotiationState, close_as: TicketStatus) -> Step:
    state = replace(state, stage=Stage.CLOSING, close_as=close_as, resume=None)
    return _step(state, AllowedMove(kind=MoveKind.CLOSE))


def _escalate(state: NegotiationState) -> Step:
    return _step(replace(state, stage=Stage.ESCALATED, resume=None), AllowedMove(kind=MoveKind.ESCALATE))


def _talking_stage(state: NegotiationState) -> Stage:
    """The stage we are really in while a clarification or a follow-up is only an aside."""
    return state.resume if state.stage in (Stage.CLARIFICATION, Stage.FOLLOW_UP) and state.resume else state.stage


def _to(state: NegotiationState, stage: Stage) -> NegotiationState:
    return replace(state, stage=stage, resume=None)


def _step(state: NegotiationState, *moves: AllowedMove) -> Step:
    return Step(state=state, allowed=moves)
