"""A turn and a case for the tests of bad cases: two rooms, one of them agreed where a test says so."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from agent.domain import AgreedTerms, AllowedMove, HotelMove, Reply, TicketFacts, TurnContext, Utterance
from db.vocabulary import HotelMoveKind, MoveKind, Speaker, Stage
from training.badcases import matcher

KING = TicketFacts(
    label=1,
    hotel_name="Harbour View Hotel",
    room_type="Deluxe King",
    check_in=date(2026, 10, 12),
    check_out=date(2026, 10, 16),
    currency="USD",
    current_net=Decimal(450),
    commission=Decimal("0.2"),
    rooms=3,
)
TWIN = replace(KING, label=2, room_type="Deluxe Twin", current_net=Decimal(300))
ASK = AllowedMove(kind=MoveKind.ASK, label=1, price=Decimal(420))
ACCEPT = AllowedMove(kind=MoveKind.ACCEPT, label=1, price=Decimal(420))
SAID_BEFORE = "A sharper price would help the Deluxe King on quiet nights."


def turn(*facts: TicketFacts, language: str = "en", agreed: tuple[int, ...] = ()) -> TurnContext:
    """A turn of persuasion; ``agreed`` are the labels that have come to their end."""
    return TurnContext(
        facts=facts or (KING,),
        history=(Utterance(Speaker.BD, SAID_BEFORE), Utterance(Speaker.HOTEL, "Hm.")),
        stage=Stage.PERSUASION,
        brief="Ask kindly.",
        allowed=(ASK,),
        focus=1,
        hotel_move=HotelMove(kind=HotelMoveKind.REFUSE),
        asked=((1, Decimal(420)),),
        agreed=tuple(AgreedTerms(label=label, net=Decimal(400)) for label in agreed),
        language=language,
    )


def holds(name: str, argument: Any, text: str, *, context: TurnContext | None = None, move: AllowedMove = ASK) -> bool:
    """Whether the matcher of this name holds for a reply with these words."""
    return matcher(name, argument).holds(context or turn(), Reply(move=move, text=text))
