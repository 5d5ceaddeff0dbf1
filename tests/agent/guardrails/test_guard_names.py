"""The currency, the room and the hotel of a reply are those of the conversation."""

from dataclasses import replace

import pytest
from guard_turns import ASK, turn, without_competitor

from agent.domain import Reply
from agent.guardrails import check


def faults(text: str, currency: str = "EUR") -> list[str]:
    (facts,) = without_competitor()
    lodge = replace(
        facts,
        hotel_name="The Lantern Lodge",
        room_type="Deluxe King Room",
        currency=currency,
        evidence=("The Garden Suite next door is being rebuilt.",),
    )
    found = check(turn(facts=(lodge,)), Reply(move=ASK, text=text))
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
