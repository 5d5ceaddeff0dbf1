"""The currency, the room and the hotel of a reply are those of the conversation."""

from datetime import date
from decimal import Decimal

import pytest

from agent.domain import AllowedMove, Reply, TicketFacts, TurnContext
from agent.guardrails import check
from db.vocabulary import MoveKind, Stage

ASK = AllowedMove(kind=MoveKind.ASK, label=1, price=Decimal(428))


def context(currency: str = "EUR") -> TurnContext:
    facts = TicketFacts(
        label=1,
        hotel_name="The Lantern Lodge",
        room_type="Deluxe King Room",
        check_in=date(2027, 3, 1),
        check_out=date(2027, 3, 5),
        currency=currency,
        current_net=Decimal(460),
        commission=Decimal("0.15"),
        evidence=("The Garden Suite next door is being rebuilt.",),
    )
    return TurnContext(facts=(facts,), history=(), stage=Stage.PROPOSAL, brief="", allowed=(ASK,), focus=1)


def faults(text: str, currency: str = "EUR") -> list[str]:
    found = check(context(currency), Reply(move=ASK, text=text))
    return [text[violation.start : violation.end] for violation in found if violation.rule == "wrong_name"]


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("Could the Deluxe King Room be EUR 428 net?", "EUR"),
        ("We would like to ask for €428 net at The Lantern Lodge.", "EUR"),
        ("Would $428 net work for the Deluxe King Room?", "USD"),
        ("Would $428 net work?", "AUD"),
        ("可以做到 ¥428 净价吗？", "CNY"),
        ("Thank You. Deluxe King Room at 428 net, please. Our Hotel team is grateful.", "EUR"),
        ("The Garden Suite next door is being rebuilt. Could you do 428 net?", "EUR"),
        ("We hope for EUR 428 on 1 March, from 1 on March Mondays.", "EUR"),
        ("The Room could be 428 net. Could the King be 428 net?", "EUR"),
    ],
)
def test_our_own_names_may_be_said(text: str, currency: str) -> None:
    assert faults(text, currency) == []


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("Could the Deluxe King Room be MYR 428 net?", "MYR 428"),
        ("Would £428 net work?", "£428"),
        ("Could the Premier Queen be 428 net?", "Premier Queen"),
        ("For the Sea View Double we ask for 428 net.", "Sea View Double"),
        ("I write about The Opera Residences: 428 net?", "Opera Residences"),
        ("We ask for 428 net for the Garden Suite.", "Garden Suite"),
        ("How is business at Hotel Zephyr?", "Hotel Zephyr"),
        ("Guests find a selling price of EUR 500 on Dangbooking.", "Dangbooking"),
    ],
)
def test_another_currency_room_or_hotel_is_refused(text: str, span: str) -> None:
    assert faults(text) == [span]
