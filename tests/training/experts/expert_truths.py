"""Truths for the experts' tests: one hotel, one ticket or two, any move and any words."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from agent.domain import AgreedTerms, AllowedMove, HotelMove, HotelOffer, Mandate, TicketFacts, TurnContext, Utterance
from agent.simulation import sample_profile
from db.vocabulary import ClarifyTopic, HotelMoveKind, Mood, MoveKind, PriceBasis, Speaker, Stage
from training.experts import Truth, witness

DELUXE = TicketFacts(
    label=1,
    hotel_name="Willow Court",
    room_type="Deluxe King",
    check_in=date(2027, 3, 1),
    check_out=date(2027, 3, 8),
    currency="USD",
    current_net=Decimal(200),
    commission=Decimal("0.20"),
    competitor_price=Decimal(230),
    competitor_source="Agoda",
    competitor_seen_on=date(2027, 1, 3),
)
TWIN = replace(
    DELUXE,
    label=2,
    room_type="Standard Twin",
    current_net=Decimal(150),
    competitor_price=None,
    competitor_source=None,
    competitor_seen_on=None,
)
MANDATES = {
    1: Mandate(opening_ask=Decimal(168), target=Decimal(176), ceiling=Decimal(188)),
    2: Mandate(opening_ask=Decimal(120), target=Decimal(126), ceiling=Decimal(139)),
}
PRICED = {MoveKind.ASK, MoveKind.HOLD, MoveKind.ACCEPT, MoveKind.CONFIRM}
HELLO = ("Good day to the team at Willow Court. Are you in charge of rates?", "Hello, yes, I do the rates.")


def truth_of(
    kind: MoveKind,
    text: str,
    *,
    price: int = 170,
    facts: tuple[TicketFacts, ...] = (DELUXE,),
    heard: HotelMoveKind = HotelMoveKind.INFORM,
    mood: Mood = Mood.NEUTRAL,
    offers: tuple[tuple[int, PriceBasis], ...] = (),
    history: tuple[str, ...] = HELLO,
    topic: ClarifyTopic | None = None,
    agreed: tuple[AgreedTerms, ...] = (),
    seed: int = 3,
) -> Truth:
    """A reply of a kind; ``history`` alternates between us and the hotel and starts with us."""
    move = AllowedMove(kind=kind, label=1, price=Decimal(price) if kind in PRICED else None, topic=topic)
    context = TurnContext(
        facts=facts,
        history=tuple(Utterance(Speaker.HOTEL if index % 2 else Speaker.BD, said) for index, said in enumerate(history)),
        stage=Stage.PERSUASION,
        brief="",
        allowed=(move,),
        focus=1,
        hotel_move=None,
        agreed=agreed,
        today=date(2027, 1, 4),
    )
    meaning = HotelMove(kind=heard, mood=mood, offers=tuple(HotelOffer(amount=Decimal(amount), basis=basis) for amount, basis in offers))
    profile = sample_profile(facts, seed, persona="warm")
    return witness(context, move, text, profile=profile, mandates=MANDATES, seed=seed, heard=meaning if history else None)
