"""What follows from what we said: counters, the asks that now stand, and the end where the close was spoken."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import assert_never

from agent.domain import AllowedMove
from agent.sop.state import NegotiationState
from db.vocabulary import MoveKind, Stage, TicketStatus


def commit(state: NegotiationState, said: AllowedMove) -> NegotiationState:
    """The state after our move was sent. ``said`` must be one of the step's allowed moves; the caller checks that."""
    state = replace(state, turns=state.turns + 1, last_move=said.kind)
    ticket = state.ticket(said.label)
    match said.kind:
        case MoveKind.GREET:
            return replace(state, greeted=True)
        case MoveKind.PROBE:
            return replace(state, probed=True)
        case MoveKind.ASK:
            assert said.price is not None, "an ask names its price"
            return state.with_ticket(replace(ticket, asked=(*ticket.asked, said.price), round=ticket.round + 1, clarified=0))
        case MoveKind.CLARIFY:
            assert said.topic is not None, "a clarification names its topic"
            points = (*ticket.open_points, said.topic)
            return state.with_ticket(replace(ticket, clarified=ticket.clarified + 1, open_points=points))
        case MoveKind.ACCEPT | MoveKind.CONFIRM:
            return state.with_ticket(replace(ticket, pending=said.price, confirmed=ticket.confirmed + 1))
        case MoveKind.CALM:
            return replace(state, calms=state.calms + 1)
        case MoveKind.REDIRECT:
            return replace(state, redirects=state.redirects + 1)
        case MoveKind.CLOSE:
            return _end(state, state.close_as or TicketStatus.EXPIRED)
        case MoveKind.ESCALATE:
            return _end(state, TicketStatus.HANDED_OVER)
        case MoveKind.HOLD | MoveKind.FOLLOW_UP:
            return state
        case _:
            assert_never(said.kind)


def close_by_hand(state: NegotiationState, outcome: TicketStatus, agreed: Mapping[int, Decimal]) -> NegotiationState:
    """The state after a person ended the conversation; ``agreed`` gives the net price by label where the outcome is an agreement."""
    for label in state.open_labels:
        price = agreed.get(label) if outcome is TicketStatus.AGREED else None
        state = state.with_ticket(replace(state.ticket(label), status=outcome, agreed=price, pending=None))
    return _end(state, outcome)


_END_BY_STATUS = (
    (TicketStatus.AGREED, Stage.AGREED),
    (TicketStatus.HANDED_OVER, Stage.HANDED_OVER),
    (TicketStatus.DECLINED, Stage.DECLINED),
    (TicketStatus.EXPIRED, Stage.EXPIRED),
)


def _end(state: NegotiationState, rest: TicketStatus) -> NegotiationState:
    """Every open ticket comes to its end; the conversation is named after the best thing that happened in it."""
    tickets = tuple(
        replace(ticket, status=rest, pending=None) if ticket.status is TicketStatus.OPEN else ticket for ticket in state.tickets
    )
    statuses = {ticket.status for ticket in tickets}
    stage = next(stage for status, stage in _END_BY_STATUS if status in statuses)
    return replace(state, tickets=tickets, stage=stage)
