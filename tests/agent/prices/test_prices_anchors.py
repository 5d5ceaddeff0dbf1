"""What a mention comes to in this conversation."""

from decimal import Decimal

import pytest

from agent.prices import Anchors, find_prices, resolve

ANCHORS = Anchors(
    current_net=Decimal(480), current_selling=Decimal("564.71"), last_ask=Decimal(430), last_offer=Decimal(460), competitor=Decimal(455)
)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("meet you at 440", 440),
        ("knock 10 off", 450),
        ("10% off", 414),
        ("10% off the current rate", 432),
        ("split the difference", 445),
        ("same as Agoda", 455),
        ("10 less than Agoda", 445),
        ("your price is fine", 430),
        ("my last offer", 460),
        ("keep the current rate", 480),
        ("not a cent under 450", 450),
        ("八五折", 391),
        ("降个二十", 440),
        ("再加10块", 470),
    ],
)
def test_an_offer_comes_to_an_amount(text: str, amount: int) -> None:
    (mention,) = find_prices(text, scale=Decimal(480))
    assert resolve(mention, ANCHORS) == amount


def test_a_stretch_comes_to_its_two_ends() -> None:
    (mention,) = find_prices("mid 400s", scale=Decimal(480))
    assert resolve(mention, ANCHORS) == (440, 460)


@pytest.mark.parametrize("text", ["10%", "18% commission", "5-10% off"])
def test_what_has_no_one_amount_must_be_asked(text: str) -> None:
    (mention,) = find_prices(text, scale=Decimal(480))
    assert resolve(mention, ANCHORS) is None


@pytest.mark.parametrize(
    "text", ["knock 10 off", "10% off", "split the difference", "same as Agoda", "your price", "my last offer", "keep the current rate"]
)
def test_without_an_anchor_it_must_be_asked(text: str) -> None:
    (mention,) = find_prices(text)
    assert resolve(mention, Anchors()) is None


def test_the_middle_lies_between_our_ask_and_the_current_price_where_they_offered_none() -> None:
    (mention,) = find_prices("meet in the middle")
    assert resolve(mention, Anchors(current_net=Decimal(480), last_ask=Decimal(431))) == Decimal("455.50")


def test_a_step_below_nothing_must_be_asked() -> None:
    (mention,) = find_prices("500 off")
    assert resolve(mention, ANCHORS) is None
