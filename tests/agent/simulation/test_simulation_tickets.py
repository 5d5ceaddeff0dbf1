"""Invented tickets are plausible, and leave room for an agreement more often than not."""

from datetime import date, timedelta

import pytest

from agent.simulation import HELD_OUT_PERSONAS, Persona, sample_profile, sample_tickets

TODAY = date(2026, 11, 23)
MANY = [sample_tickets(seed, today=TODAY) for seed in range(400)]


def test_that_a_seed_gives_the_same_tickets():
    assert sample_tickets(7, today=TODAY) == sample_tickets(7, today=TODAY)
    assert sample_tickets(7, today=TODAY) != sample_tickets(8, today=TODAY)


def test_that_as_many_tickets_come_as_were_asked_for():
    for n in (1, 2, 3):
        tickets = sample_tickets(3, n, today=TODAY)
        assert [fact.label for fact, _ in tickets] == list(range(1, n + 1))
        assert len({fact.room_type for fact, _ in tickets}) == n
        assert len({fact.hotel_name for fact, _ in tickets}) == 1
    with pytest.raises(ValueError, match="not 0"):
        sample_tickets(3, 0, today=TODAY)


def test_that_facts_hang_together():
    for tickets in MANY:
        for fact, mandate in tickets:
            assert TODAY < fact.check_in < fact.check_out <= TODAY + timedelta(days=200)
            assert 0.1 < fact.commission < 0.25
            assert mandate.opening_ask <= mandate.target <= mandate.ceiling < fact.current_net
            assert (fact.competitor_price is None) == (fact.competitor_source is None)
            if fact.competitor_price is not None:
                assert fact.competitor_price < fact.current_selling
                assert fact.competitor_seen_on is not None
                assert fact.competitor_seen_on <= TODAY


def test_that_a_zone_of_agreement_usually_exists_and_sometimes_not():
    zones = [
        sample_profile((fact,), seed).stance(fact.label).reservation <= mandate.ceiling
        for seed, tickets in enumerate(MANY)
        for fact, mandate in tickets
    ]
    assert 0.7 < sum(zones) / len(zones) < 0.98


def test_that_held_out_personas_are_only_met_on_purpose():
    facts = tuple(fact for fact, _ in MANY[0])
    assert not any(sample_profile(facts, seed).held_out for seed in range(300))
    assert {sample_profile(facts, seed, held_out=True).persona for seed in range(300)} == HELD_OUT_PERSONAS
    assert sample_profile(facts, 1, persona="angry").persona is Persona.ANGRY
    with pytest.raises(ValueError, match="grumpy"):
        sample_profile(facts, 1, persona="grumpy")
