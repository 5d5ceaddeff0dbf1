"""A simulated hotel answers what was said: prices, arguments, tone. And it always comes to an end."""

import random
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import CALM, FACTS, HELLO, PROFILE, meet, willing

from agent.simulation import Lever, Persona, SimulatedHotel, replay, sample_profile
from db.vocabulary import HotelMoveKind, Mood, PriceBasis

SEASON = "Thank you. An empty room earns nothing in the quiet season. Could you do USD 150 net for the Deluxe King?"
VOLUME = "Thank you. It would mean more room nights, I think. Could you do USD 150 net for the Deluxe King?"
CONFIRM = "To confirm: Deluxe King, 1 March 2027 to 8 March 2027, USD {net} net, selling price USD {selling}, start 1 March 2027. Correct?"
hotel = partial(meet, PROFILE)


def test_that_the_same_seed_and_words_give_the_same_answers():
    for seed in range(30):
        profile = sample_profile((FACTS,), seed)
        said = [HELLO, SEASON, None, VOLUME, "Just a kind reminder.", CONFIRM.format(net=190, selling="223.53")]
        one, two = (SimulatedHotel(profile, (FACTS,), seed=seed) for _ in range(2))
        assert [one.hear(text) for text in said] == [two.hear(text) for text in said]


def test_that_a_conversation_can_be_taken_up_again_from_what_was_heard():
    for seed in range(30):
        profile = sample_profile((FACTS,), seed)
        original = SimulatedHotel(profile, (FACTS,), seed=seed)
        for text in (HELLO, SEASON, VOLUME):
            original.hear(text)
        again = replay(profile, (FACTS,), seed, (HELLO, SEASON, VOLUME))
        assert again.inner() == original.inner()
        assert again.hear("Would USD 170 net work?") == original.hear("Would USD 170 net work?")


def test_that_other_seeds_give_other_words():
    answers = {hotel(seed=seed).hear(SEASON).text for seed in range(60)}
    assert len(answers) > 30


def test_that_an_argument_that_matches_a_lever_lowers_the_price_more_than_one_that_does_not():
    for seed in range(20):
        moved, unmoved = hotel(seed=seed), hotel(seed=seed)
        moved.hear(SEASON)
        unmoved.hear(VOLUME)
        assert willing(moved) < willing(unmoved)


def test_that_a_disliked_argument_costs_goodwill():
    sour, plain = hotel(dislikes=frozenset({Lever.VOLUME})), hotel()
    sour.hear(VOLUME)
    plain.hear(VOLUME)
    assert sour.inner().goodwill < plain.inner().goodwill


def test_that_a_repeated_line_costs_goodwill():
    bored, attentive = hotel(), hotel()
    for _ in range(2):
        bored.hear(VOLUME)
    attentive.hear(VOLUME)
    attentive.hear("I see your point. Many more room nights could follow, I hope. Would USD 150 net be possible, thank you?")
    assert bored.inner().goodwill < attentive.inner().goodwill


@pytest.mark.parametrize(
    "fault",
    [
        "I guarantee a better ranking if you give us USD 150 net, thank you.",
        "This is your last chance: USD 150 net, thank you.",
        "My target price in the system is USD 150 net, thank you.",
        "Agoda sells the room for USD 99. Could you do USD 150 net, thank you?",
        "We want USD 150 net.",
    ],
)
def test_that_a_fault_costs_goodwill(fault: str):
    met = hotel()
    before = met.inner().goodwill
    met.hear(fault)
    assert met.inner().goodwill < before - 0.04


def test_that_a_skipped_greeting_costs_goodwill():
    rude, polite = (SimulatedHotel(PROFILE, (FACTS,), seed=1) for _ in range(2))
    rude.hear("Are you the person who decides on rates?")
    polite.hear(HELLO)
    assert rude.inner().goodwill < polite.inner().goodwill


def test_that_an_apology_wins_goodwill_back():
    met = hotel()
    met.hear("This is your last chance: USD 150 net.")
    hurt = met.inner().goodwill
    met.hear("I am sorry, I hear your frustration and I apologise.")
    assert met.inner().goodwill > hurt


def test_that_anger_met_with_haggling_ends_the_talk():
    met = hotel(temper=replace(CALM, goodwill=0.3))
    kinds = [met.hear(f"Give me USD {150 - n} net now.").truth.kind for n in range(8)]
    assert HotelMoveKind.UPSET in kinds
    assert HotelMoveKind.STOP in kinds
    assert met.gone


def test_that_a_price_it_would_take_gets_an_explicit_yes():
    answer = hotel().hear("Thank you. Could you do USD 199 net for the Deluxe King?")
    assert answer.truth.kind is HotelMoveKind.AGREE
    assert answer.truth.says_yes


def test_that_correct_terms_are_confirmed_and_wrong_ones_refused():
    met = hotel()
    met.hear("Thank you. Could you do USD 199 net for the Deluxe King?")
    wrong = met.hear(CONFIRM.format(net=180, selling="211.76"))
    assert wrong.truth.kind is HotelMoveKind.REFUSE
    right = met.hear(CONFIRM.format(net=199, selling="234.12"))
    assert right.truth.kind is HotelMoveKind.AGREE
    assert met.inner().rooms[0].settled


def test_that_a_wrong_selling_price_is_refused():
    met = hotel()
    met.hear("Thank you. Could you do USD 199 net for the Deluxe King?")
    assert met.hear(CONFIRM.format(net=199, selling="199")).truth.kind is HotelMoveKind.REFUSE


def test_that_silence_is_not_taken_for_its_consent():
    met = hotel()
    met.hear(VOLUME)
    assert met.hear("As you did not answer, I take it that you agree.").truth.kind is HotelMoveKind.REFUSE


def test_that_an_unclear_price_is_cleared_up_when_asked():
    met = hotel(temper=replace(CALM, confusion=1.0))
    offer = next(answer for n in range(5) if (answer := met.hear(f"Thank you, quiet season. USD {150 + n} net?")).truth.offers)
    assert offer.truth.offers[0].basis is PriceBasis.UNKNOWN
    cleared = met.hear("Is that net or selling?").truth
    assert cleared.stated_basis is PriceBasis.NET


def test_that_the_wrong_person_can_bring_in_the_right_one():
    met = SimulatedHotel(replace(PROFILE, wrong_person=True), (FACTS,), seed=3)
    assert met.hear(HELLO).truth.kind is HotelMoveKind.WRONG_PERSON
    assert met.hear("Thank you. Who decides on room rates, please?").truth.kind is HotelMoveKind.GREETING


@given(seed=st.integers(0, 10**6), asks=st.lists(st.integers(80, 210), min_size=1, max_size=25))
@settings(max_examples=80)
def test_that_nothing_said_brings_it_below_its_reservation_value(seed: int, asks: list[int]):
    profile = sample_profile((FACTS,), seed)
    met = SimulatedHotel(profile, (FACTS,), seed=seed)
    met.hear(HELLO)
    lowest = profile.stances[0].reservation
    for ask in asks:
        answer = met.hear(f"Thank you, quiet season, more room nights, guest reviews, partner. Could you do USD {ask} net?")
        if answer.truth.kind is HotelMoveKind.AGREE:
            assert ask >= lowest
        room = met.inner().rooms[0]
        assert room.willing >= lowest
        assert room.offered is None or room.offered >= lowest


@pytest.mark.parametrize("persona", list(Persona))
def test_that_no_conversation_goes_on_for_ever(persona: Persona):
    lines = (VOLUME, SEASON, "Is that net or selling?", "Just a kind reminder.", "How are you?", CONFIRM.format(net=100, selling="117.65"))
    for seed in range(12):
        rng = random.Random(seed)
        met = SimulatedHotel(sample_profile((FACTS,), seed, persona=persona), (FACTS,), seed=seed)
        for _ in range(60):
            met.hear(rng.choice(lines))
        assert met.gone
        assert met.hear(SEASON).text == ""


@given(st.text(max_size=200))
@settings(max_examples=150)
def test_that_any_text_gets_an_answer(text: str):
    met = hotel()
    assert isinstance(met.hear(text).text, str)


def test_that_silence_is_labelled_as_such():
    met = hotel(temper=replace(CALM, silence=1.0))
    first = met.hear(SEASON)
    assert first.truth.kind is HotelMoveKind.SILENCE
    assert first.truth.mood is Mood.NEUTRAL
    assert met.inner().rooms[0].agreed is None
