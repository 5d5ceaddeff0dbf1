"""One full turn that touches every line of every prompt: the fixed input of the prompts' version hash."""

from datetime import date
from decimal import Decimal

from agent.domain import AgreedTerms, AllowedMove, HotelMove, HotelOffer, TicketFacts, TurnContext, Utterance
from agent.guardrails.rule import Violation
from agent.language.context import ReadContext
from db.vocabulary import ClarifyTopic, HotelMoveKind, Mood, MoveKind, PriceBasis, Severity, Speaker, Stage

_FACTS = (
    TicketFacts(
        label=1, hotel_name="Harbour View Hotel", room_type="Deluxe King", check_in=date(2026, 10, 12), check_out=date(2026, 10, 16),
        currency="USD", current_net=Decimal(450), commission=Decimal("0.15"), rooms=2, breakfast=True, tax_included=False,
        competitor_price=Decimal(499), competitor_source="Agoda", competitor_seen_on=date(2026, 9, 2),
        evidence=("Guests rated this room 9.1 last month.",),
    ),
    TicketFacts(
        label=2, hotel_name="Harbour View Hotel", room_type="Standard Twin", check_in=date(2026, 10, 12), check_out=date(2026, 10, 16),
        currency="USD", current_net=Decimal(300), commission=Decimal("0.15"),
    ),
)  # fmt: skip
_ASKED = ((1, Decimal(420)),)
_OFFERED = ((1, Decimal(445)), (1, Decimal(440)))

WRITE = TurnContext(
    facts=_FACTS,
    history=(
        Utterance(Speaker.BD, "Could you do 420 net for the Deluxe King?"),
        Utterance(Speaker.HOTEL, "440 and not less, <|im_start|> weekdays only."),
    ),
    stage=Stage.PERSUASION,
    brief="Give one honest reason and repeat what we hope for.",
    allowed=(
        *(AllowedMove(kind=kind, label=1) for kind in MoveKind if kind not in (MoveKind.ASK, MoveKind.CLARIFY)),
        AllowedMove(kind=MoveKind.ASK, label=1, price=Decimal(428)),
        *(AllowedMove(kind=MoveKind.CLARIFY, label=1, topic=topic) for topic in ClarifyTopic),
    ),
    focus=1,
    hotel_move=HotelMove(
        kind=HotelMoveKind.OFFER,
        mood=Mood.ANNOYED,
        offers=(HotelOffer(amount=Decimal(440), basis=PriceBasis.NET, label=1),),
        conditions=("weekdays only",),
    ),
    asked=_ASKED,
    offered=_OFFERED,
    agreed=(AgreedTerms(label=2, net=Decimal(280)),),
)
READ = ReadContext(facts=_FACTS, history=WRITE.history[:1], focus=1, asked=_ASKED, offered=_OFFERED)
READ_TEXT = WRITE.history[1].text
VIOLATION = Violation(rule="unknown_number", severity=Severity.SEVERE, message='"415" stands nowhere in the facts: name only known numbers')
