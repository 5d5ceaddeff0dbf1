"""Turns for the tests of language: one hotel with a room or two, and Hypothesis strategies over everything that a turn may hold."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from agent.domain import AgreedTerms, AllowedMove, HotelMove, HotelOffer, TicketFacts, TurnContext, Utterance
from agent.language.context import ReadContext
from db.vocabulary import ClarifyTopic, HotelMoveKind, MoveKind, PriceBasis, Speaker, Stage

KING = TicketFacts(
    label=1,
    hotel_name="Harbour View Hotel",
    room_type="Deluxe King Room",
    check_in=date(2026, 10, 12),
    check_out=date(2026, 10, 16),
    currency="USD",
    current_net=Decimal(450),
    commission=Decimal("0.15"),
    competitor_price=Decimal(499),
    competitor_source="Agoda",
)
TWIN = replace(KING, label=2, room_type="Standard Twin Room", current_net=Decimal(300), competitor_price=None, competitor_source=None)
ASKED = Utterance(Speaker.BD, "Could you offer the Deluxe King Room at USD 428 net (USD 503.53 selling)?")
READING = ReadContext(facts=(KING,), history=(ASKED,), focus=1, asked=((1, Decimal(420)), (1, Decimal(428))), offered=((1, Decimal(445)),))
BOTH_ROOMS = replace(READING, facts=(KING, TWIN))
ASK = AllowedMove(kind=MoveKind.ASK, label=1, price=Decimal(428))
HOLD = AllowedMove(kind=MoveKind.HOLD, label=1, price=Decimal(420))


def turn(*allowed: AllowedMove, facts: tuple[TicketFacts, ...] = (KING,), history: tuple[Utterance, ...] = ()) -> TurnContext:
    """A turn of persuasion with these moves allowed."""
    return TurnContext(
        facts=facts,
        history=history,
        stage=Stage.PERSUASION,
        brief="Answer what the hotel said and give one true reason.",
        allowed=allowed or (ASK, HOLD),
        focus=1,
        asked=((1, Decimal(420)),),
        offered=((1, Decimal(440)),),
    )


_CENTS = st.integers(min_value=20_00, max_value=20_000_00)


@st.composite
def _facts(draw: st.DrawFn, label: int) -> TicketFacts:
    net = Decimal(draw(_CENTS)) / 100
    start = draw(st.dates(min_value=date(2026, 1, 1), max_value=date(2028, 1, 1)))
    return TicketFacts(
        label=label,
        hotel_name=draw(
            st.sampled_from(["Harbour View Hotel", "Hôtel de l'Étoile", "海景大酒店", "The Target Inn", "Hotel 101", "O'Malley's"])
        ),
        room_type=draw(
            st.sampled_from(["Deluxe King", "Standard Twin", "豪华大床房", "Suite (2 bedrooms)", "Room with sea view", "Family Room 4 pax"])
        ),
        check_in=start,
        check_out=start + timedelta(days=draw(st.integers(min_value=1, max_value=200))),
        currency=draw(st.sampled_from(["USD", "EUR", "CNY", "THB", "JPY"])),
        current_net=net,
        commission=Decimal(draw(st.integers(min_value=0, max_value=35))) / 100,
        rooms=draw(st.integers(min_value=1, max_value=30)),
        breakfast=draw(st.sampled_from([None, True, False])),
        tax_included=draw(st.sampled_from([None, True, False])),
        competitor_price=draw(st.one_of(st.none(), _CENTS.map(lambda cents: Decimal(cents) / 100))),
        competitor_source=draw(st.sampled_from([None, "Agoda", "Booking.com", "携程"])),
        competitor_seen_on=draw(st.one_of(st.none(), st.dates(min_value=date(2025, 1, 1), max_value=date(2026, 12, 31)))),
        evidence=tuple(
            draw(
                st.lists(
                    st.sampled_from(
                        [
                            "Guests rated this room 9.1 last month.",
                            "Last October 62% of the rooms were sold",
                            "上个月客人给该房型打了9.1分。",
                            "The room was renovated in 2024.",
                        ]
                    ),
                    max_size=2,
                    unique=True,
                )
            )
        ),
    )


@st.composite
def turns(draw: st.DrawFn) -> TurnContext:
    """Any turn with one allowed move, one to three rooms, and things asked, offered and agreed."""
    count = draw(st.integers(min_value=1, max_value=3))
    facts = tuple(draw(_facts(label)) for label in range(1, count + 1))
    focus = draw(st.integers(min_value=1, max_value=count))
    kind = draw(st.sampled_from(list(MoveKind)))
    price = Decimal(draw(_CENTS)) / 100
    priced = kind in (MoveKind.ASK, MoveKind.ACCEPT, MoveKind.CONFIRM) or (kind is MoveKind.HOLD and draw(st.booleans()))
    move = AllowedMove(
        kind=kind,
        label=focus if priced or kind is MoveKind.CLARIFY or draw(st.booleans()) else None,
        price=price if priced else None,
        topic=draw(st.sampled_from(list(ClarifyTopic))) if kind is MoveKind.CLARIFY else None,
    )
    offered = tuple((focus, Decimal(draw(_CENTS)) / 100) for _ in range(draw(st.integers(min_value=0, max_value=2))))
    conditions = tuple(
        draw(st.lists(st.sampled_from(["weekdays only", "minimum 3 nights", "只限平日", "pay 77 and rank first"]), max_size=1))
    )
    heard = HotelMove(
        kind=draw(st.sampled_from(list(HotelMoveKind))),
        offers=tuple(
            HotelOffer(amount=amount, basis=draw(st.sampled_from(list(PriceBasis))), label=label) for label, amount in offered[-1:]
        ),
        conditions=conditions,
    )
    agreed = tuple(
        AgreedTerms(label=fact.label, net=Decimal(draw(_CENTS)) / 100) for fact in facts if fact.label != focus and draw(st.booleans())
    )
    return TurnContext(
        facts=facts,
        history=(Utterance(Speaker.HOTEL, draw(st.text(max_size=60))),),
        stage=Stage.PERSUASION,
        brief="Be kind.",
        allowed=(move,),
        focus=focus,
        hotel_move=draw(st.sampled_from([None, heard])),
        asked=((focus, Decimal(draw(_CENTS)) / 100),),
        offered=offered,
        agreed=agreed,
        language=draw(st.sampled_from(["en", "zh"])),
    )
