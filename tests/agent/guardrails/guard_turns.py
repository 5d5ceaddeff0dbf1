"""Turns for the guard's tests: one room that sells at 450 net / 529.41, and whatever a test changes about it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from agent.domain import AllowedMove, HotelMove, Reply, TicketFacts, TurnContext, Utterance
from agent.guardrails import check
from db.vocabulary import ClarifyTopic, HotelMoveKind, MoveKind, Speaker, Stage

FACTS = TicketFacts(
    label=1,
    hotel_name="Harbour View Hotel",
    room_type="Deluxe King",
    check_in=date(2026, 10, 12),
    check_out=date(2026, 10, 16),
    currency="USD",
    current_net=Decimal(450),
    commission=Decimal("0.15"),
    rooms=3,
    competitor_price=Decimal(499),
    competitor_source="Agoda",
    competitor_seen_on=date(2026, 9, 2),
    evidence=("Guests rated this room 9.1 last month.",),
)
ASK = AllowedMove(kind=MoveKind.ASK, label=1, price=Decimal(428))
HOLD = AllowedMove(kind=MoveKind.HOLD, label=1, price=Decimal(420))
CONFIRM = AllowedMove(kind=MoveKind.CONFIRM, label=1, price=Decimal(428))
ACCEPT = AllowedMove(kind=MoveKind.ACCEPT, label=1, price=Decimal(440))
PROBE = AllowedMove(kind=MoveKind.PROBE, label=1)
CALM = AllowedMove(kind=MoveKind.CALM)
CLOSE = AllowedMove(kind=MoveKind.CLOSE)

GOOD_ASK = "Thank you for the answer. Could you offer the Deluxe King at 428 net (503.53 selling) for 12 Oct 2026 to 16 Oct 2026?"
GOOD_CONFIRM = (
    "Deluxe King, 12 Oct 2026 to 16 Oct 2026, 428 net and 503.53 selling, starting on 12 Oct 2026. Could you confirm this with a yes?"
)


def clarify(topic: ClarifyTopic) -> AllowedMove:
    return AllowedMove(kind=MoveKind.CLARIFY, label=1, topic=topic)


def turn(
    move: AllowedMove = ASK,
    *,
    heard: HotelMove | None = None,
    said: tuple[str, ...] = (),
    facts: tuple[TicketFacts, ...] = (FACTS,),
    language: str = "en",
) -> TurnContext:
    """A turn in which only ``move`` is allowed; ``said`` are our earlier replies."""
    history = tuple(utterance for text in said for utterance in (Utterance(Speaker.BD, text), Utterance(Speaker.HOTEL, "Hm.")))
    return TurnContext(
        facts=facts,
        history=history,
        stage=Stage.PERSUASION,
        brief="Ask kindly.",
        allowed=(move,),
        focus=1,
        hotel_move=heard or HotelMove(kind=HotelMoveKind.REFUSE),
        asked=((1, Decimal(420)),),
        offered=((1, Decimal(440)),),
        language=language,
    )


def rules_broken(text: str, context: TurnContext | None = None, move: AllowedMove | None = None) -> set[str]:
    """Names of the rules that a reply breaks."""
    context = context or turn()
    return {violation.rule for violation in check(context, Reply(move=move or context.allowed[0], text=text))}


def without_competitor() -> tuple[TicketFacts, ...]:
    return (replace(FACTS, competitor_price=None, competitor_source=None, competitor_seen_on=None),)
