"""Prices as hotels say them: every form is readable by the price grammar, and means what its label says."""

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import value_of

from agent.prices import find_prices
from agent.simulation.amounts import Surface, round_up, speak, spelled, vague
from db.vocabulary import PriceBasis

CURRENT = Decimal(1500)
AMOUNTS = [Decimal(n) for n in (128, 250, 430, 388, 1200, 1250, 1450)]


@pytest.mark.parametrize("surface", list(Surface))
@pytest.mark.parametrize("basis", list(PriceBasis))
@pytest.mark.parametrize("amount", AMOUNTS, ids=str)
def test_that_what_is_said_can_be_read_back(surface: Surface, basis: PriceBasis, amount: Decimal):
    current = round_up(amount * Decimal("1.15"))
    for seed in range(6):
        spoken = speak(amount, surface=surface, state=basis, currency="USD", current_net=current, rng=random.Random(seed))
        sentence = f"I can offer {spoken.text}."
        found = [mention for mention in find_prices(sentence, scale=current) if value_of(mention, current) == spoken.amount]
        assert found, sentence
        assert found[0].basis is spoken.stated, sentence
        assert found[0].plus_tax is spoken.plus_tax, sentence


@given(amount=st.integers(60, 1400), seed=st.integers(0, 1000), surface=st.sampled_from(list(Surface)))
def test_that_a_cut_never_gives_more_than_was_meant(amount: int, seed: int, surface: Surface):
    spoken = speak(Decimal(amount), surface=surface, state=PriceBasis.NET, currency="EUR", current_net=CURRENT, rng=random.Random(seed))
    assert Decimal(amount) <= spoken.amount <= Decimal(amount) * Decimal("1.003")


def test_that_numbers_are_spelled_as_people_do():
    assert spelled(0) == "zero"
    assert spelled(21) == "twenty-one"
    assert spelled(430) == "four hundred and thirty"
    assert spelled(1205) == "one thousand two hundred and five"
    assert spelled(1_000_000) == "one million"
    with pytest.raises(ValueError, match="not spelled out"):
        spelled(-1)


@given(st.decimals(min_value=1, max_value=200_000, places=2))
def test_that_rounding_up_never_rounds_down(amount: Decimal):
    assert round_up(amount) >= amount


def test_that_a_region_names_no_amount_that_could_be_accepted():
    for amount in AMOUNTS:
        text = f"Somewhere in the {vague(amount, random.Random(1))}."
        assert all(mention.value is None for mention in find_prices(text, scale=amount)), text
