"""One turn for the tests of rewards, and replies to it that are known to be good or to break a rule."""

from datetime import date
from decimal import Decimal

from agent.domain import AllowedMove, HotelMove, Reply, TicketFacts, TurnContext, Utterance
from db.vocabulary import HotelMoveKind, MoveKind, Speaker, Stage

FACTS = TicketFacts(
    label=1,
    hotel_name="Last Chance Lodge",
    room_type="Deluxe King",
    check_in=date(2026, 10, 12),
    check_out=date(2026, 10, 16),
    currency="USD",
    current_net=Decimal(450),
    commission=Decimal("0.15"),
)
ASK = AllowedMove(kind=MoveKind.ASK, label=1, price=Decimal(428))
PROBE = AllowedMove(kind=MoveKind.PROBE, label=1)
GOOD = "Thank you for the answer. Could you offer the Deluxe King at 428 net (503.53 selling) for 12 Oct 2026 to 16 Oct 2026?"
PROMISES = f"{GOOD} We guarantee you the top place in our ranking."
INTERNAL = f"{GOOD} Our target needs this."


def turn(*, language: str = "en", stage: Stage = Stage.PERSUASION) -> TurnContext:
    """A turn in which we may ask for 428 net or ask about the situation."""
    return TurnContext(
        facts=(FACTS,),
        history=(Utterance(Speaker.BD, "Hello."), Utterance(Speaker.HOTEL, "No, sorry.")),
        stage=stage,
        brief="Ask kindly.",
        allowed=(ASK, PROBE),
        focus=1,
        hotel_move=HotelMove(kind=HotelMoveKind.REFUSE),
        asked=((1, Decimal(430)),),
        language=language,
    )


def ask(text: str = GOOD) -> Reply:
    """A reply that asks for 428 net."""
    return Reply(move=ASK, text=text)


def probe(text: str) -> Reply:
    """A reply that asks about the situation."""
    return Reply(move=PROBE, text=text)
