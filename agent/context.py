"""From the SOP's state to what language may see of it: the one place where a ``TurnContext`` or a ``ReadContext`` is made.

Serving, rollouts and the starter model's corpus all come through here, so that what is trained on is what is served.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from agent.domain import AgreedTerms, HotelMove, TicketFacts, TurnContext, Utterance
from agent.language.context import ReadContext
from agent.sop import NegotiationState, Step


def read_context(
    state: NegotiationState, facts: Sequence[TicketFacts], history: Sequence[Utterance], *, language: str = "en"
) -> ReadContext:
    """What reading the next hotel message may look at; ``history`` ends before that message."""
    return ReadContext(
        facts=tuple(facts),
        history=tuple(history),
        focus=state.focus,
        asked=_asked(state),
        offered=_offered(state),
        language=language,
        basis_known=state.ticket().basis,
    )


def turn_context(
    step: Step,
    facts: Sequence[TicketFacts],
    history: Sequence[Utterance],
    *,
    hotel_move: HotelMove | None = None,
    language: str = "en",
    today: date | None = None,
) -> TurnContext:
    """What writing and guarding our next reply may look at; ``history`` ends with the message that is answered."""
    state = step.state
    return TurnContext(
        facts=tuple(facts),
        history=tuple(history),
        stage=state.stage,
        brief=step.brief,
        allowed=step.allowed,
        focus=state.focus,
        hotel_move=hotel_move,
        asked=_asked(state),
        offered=_offered(state),
        agreed=tuple(AgreedTerms(label=t.label, net=t.agreed) for t in state.tickets if t.agreed is not None),
        language=language,
        today=today,
    )


def _asked(state: NegotiationState) -> tuple[tuple[int, Decimal], ...]:
    return tuple((ticket.label, ask) for ticket in state.tickets for ask in ticket.asked)


def _offered(state: NegotiationState) -> tuple[tuple[int, Decimal], ...]:
    return tuple((ticket.label, amount) for ticket in state.tickets for amount in ticket.named)
