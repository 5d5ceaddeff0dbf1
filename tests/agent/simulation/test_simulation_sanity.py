"""The simulated hotels reward good work and remember bad work; every margin here was measured with ``benchmarks.hotels`` and has slack."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial
from statistics import fmean

import pytest
import scenes
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import CALM, FACTS, HELLO, meet, willing

from agent.simulation import (
    HELD_OUT_PERSONAS,
    Conversation,
    Lever,
    Persona,
    Quality,
    RoomStance,
    SimulatedHotel,
    attention,
    converse,
    phrasebook,
    replay,
    sample_profile,
    sample_tickets,
)
from agent.simulation.bargaining import sayable_net, warmth
from agent.simulation.hearing import is_chinese
from agent.simulation.profile import TEMPERS
from db.vocabulary import HotelMoveKind

TODAY = date(2027, 1, 4)
SEEDS = range(70)
RUNS = {
    quality: [converse(seed, today=TODAY, quality=quality) for seed in SEEDS]
    for quality in (Quality.EXCELLENT, Quality.CLUMSY, Quality.WRONG)
}
EVEN = replace(CALM, late=0)
PROFILE = replace(
    scenes.PROFILE,
    stances=(RoomStance(label=1, reservation=Decimal(150), opening=Decimal(200)),),
    dislikes=frozenset({Lever.REVIEWS}),
    temper=EVEN,
)
ASK = "Thank you. Could you do USD {} net for the Deluxe King?"
SEASON = "Thank you. An empty room earns nothing in the quiet season. Could you do USD {} net for the Deluxe King?"
STILL_SEASON = "Thank you. Your slow nights are on my mind again. Would USD {} net be possible?"
REVIEWS = "Thank you. The reviews of your house are kind. Could you do USD {} net for the Deluxe King?"
PROMISE = "I promise you a better ranking for it, thank you. Could you do USD {} net for the Deluxe King?"
SORRY = "I am sorry, I hear your frustration and I apologise."
after = partial(meet, PROFILE)


def goodwill(*said: str) -> float:
    return after(*said).inner().goodwill


# -- good work pays ---------------------------------------------------------------------------------------------------------------------


def agreement(conversations: Sequence[Conversation]) -> float:
    tickets = [ticket for c in conversations for ticket in c.state.tickets]
    return fmean(ticket.agreed is not None for ticket in tickets)


def captured(conversations: Sequence[Conversation]) -> float:
    shares: list[float] = []
    for c in conversations:
        for (fact, mandate), ticket in zip(c.tickets, c.state.tickets, strict=True):
            zone = mandate.ceiling - c.profile.stance(fact.label).reservation
            if zone > 0:
                shares.append(0.0 if ticket.agreed is None else float(min((mandate.ceiling - ticket.agreed) / zone, Decimal(1))))
    return fmean(shares)


def last_goodwill(conversations: Sequence[Conversation]) -> float:
    return fmean(c.answers[-1].inner.goodwill for c in conversations)


@pytest.mark.parametrize(("worse", "agreed", "price", "mood"), [(Quality.CLUMSY, 0.15, 0.12, 0.15), (Quality.WRONG, 0.5, 0.25, 0.4)])
def test_that_an_excellent_bd_beats_a_worse_one_by_far(worse: Quality, agreed: float, price: float, mood: float):
    best, other = RUNS[Quality.EXCELLENT], RUNS[worse]
    assert agreement(best) > agreement(other) + agreed
    assert captured(best) > captured(other) + price
    assert last_goodwill(best) > last_goodwill(other) + mood


def test_that_each_lever_moves_the_price_by_its_stated_share_of_the_way():
    with_it, without = after(SEASON.format(140)), after(ASK.format(140))
    way = PROFILE.stances[0].opening - PROFILE.stances[0].reservation
    moved = float((willing(without) - willing(with_it)) / way)
    # Prices are whole dollars, of which the way has fifty.
    assert moved == pytest.approx(0.4 * warmth(with_it.inner().goodwill), abs=0.05)


def test_that_an_argument_is_worth_more_in_a_good_mood():
    glad = after(SEASON.format(140), temper=replace(EVEN, goodwill=0.8))
    cool = after(SEASON.format(140), temper=replace(EVEN, goodwill=0.4))
    assert willing(glad) < willing(cool)


def test_that_a_hotel_without_goodwill_betters_nothing():
    hotel = after(temper=replace(EVEN, goodwill=0.3))
    hotel.hear("This is your last chance: USD 140 net.")
    before = willing(hotel)
    hotel.hear(SEASON.format(141))
    assert willing(hotel) == before


# -- memory -----------------------------------------------------------------------------------------------------------------------------


def test_that_the_same_argument_in_other_words_moves_nothing_a_second_time():
    fresh = after(SEASON.format(140), "Thank you once more. Would USD 140 net be possible?")
    again = after(SEASON.format(140), STILL_SEASON.format(140))
    assert willing(again) >= willing(fresh)
    assert again.inner().goodwill < fresh.inner().goodwill


def test_that_a_disliked_argument_hurts_more_once_it_was_said_to_be_disliked():
    first = goodwill() - goodwill(REVIEWS.format(140))
    second = goodwill(REVIEWS.format(140)) - goodwill(REVIEWS.format(140), "Thank you. Guests write about you. Could USD 140 net work?")
    assert 0 < first < second


def test_that_a_promise_is_held_against_us_for_the_rest_of_the_talk():
    honest, promised = after(ASK.format(140), SORRY, SEASON.format(140)), after(PROMISE.format(140), SORRY, SEASON.format(140))
    assert promised.inner().trust < honest.inner().trust == 1
    assert willing(promised) > willing(honest)
    assert promised.inner().goodwill < honest.inner().goodwill - 0.1


def test_that_going_back_on_our_own_number_costs_goodwill_and_a_step_closer_wins_some():
    stayed = goodwill(ASK.format(150), "Thank you once more. Is USD 150 net possible?")
    assert goodwill(ASK.format(150), "Thank you once more. Is USD 145 net possible?") < stayed - 0.08
    assert goodwill(ASK.format(150), "Thank you once more. Is USD 155 net possible?") > stayed


def test_that_a_question_left_unanswered_costs_goodwill_and_an_answer_wins_some():
    curious = replace(EVEN, asks=1.0)
    ignored, answered = after(ASK.format(140), temper=curious, seed=5), after(ASK.format(140), temper=curious, seed=5)
    assert ignored.inner().open_question is not None
    ignored.hear("Is USD 141 net fine, thank you?")
    answered.hear(
        "Thank you for asking. It is about the Deluxe King from 1 March to 8 March, net, at a selling price of USD 165.88 and our usual"
        " commission, because those nights are quiet. Could you do USD 141 net?"
    )
    assert answered.inner().goodwill > ignored.inner().goodwill + 0.05


@pytest.mark.parametrize(
    ("fault", "least"),
    [
        (PROMISE.format(140), 0.15),
        ("All hotels in your street already went down, thank you. Could you do USD 140 net?", 0.1),
        ("您好, thank you. Could you do USD 140 net 好吗?", 0.05),
        ("Please sell the room to travellers at USD 150.", 0.1),
    ],
)
def test_that_a_fault_costs_goodwill_beside_the_plain_request(fault: str, least: float):
    assert goodwill(fault) < goodwill(ASK.format(140)) - least


def test_that_repeating_and_skipping_the_greeting_cost_goodwill():
    repeated = "Thank you. I would like you to think about it once more, USD 140 net please."
    assert goodwill(repeated, repeated) < goodwill(repeated, ASK.format(140)) - 0.05
    rude = SimulatedHotel(PROFILE, (FACTS,), seed=1)
    rude.hear("Are you the person who decides on rates?")
    assert rude.inner().goodwill < goodwill() - 0.05


def test_that_a_careless_yes_is_asked_about_and_a_push_after_a_yes_refused():
    hotel = after(ASK.format(200))
    assert hotel.inner().rooms[0].agreed == 200
    assert hotel.hear("So we are agreed then, thank you.").truth.kind is HotelMoveKind.QUESTION
    assert hotel.hear("USD 200 net is nice, but could you go a little lower still?").truth.kind is HotelMoveKind.REFUSE


def test_that_a_calm_down_is_no_apology():
    hurt = after("This is your last chance: USD 140 net.")
    before = hurt.inner().goodwill
    hurt.hear("Calm down please, it is only about the rate.")
    assert hurt.inner().goodwill <= before


def test_that_no_good_line_of_ours_is_taken_for_a_fault():
    for line in phrasebook().bd:
        if line.quality in (Quality.EXCELLENT, Quality.FINE) and line.language == "en":
            assert not attention.slips(line.text, english=True), line.text


# -- limits -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quality", list(RUNS))
def test_that_no_hotel_raises_its_offer_or_agrees_below_its_reservation_value(quality: Quality):
    for conversation in RUNS[quality]:
        reservations = {stance.label: stance.reservation for stance in conversation.profile.stances}
        lowest: dict[int, Decimal] = {}
        for answer in conversation.answers:
            for room in answer.inner.rooms:
                if room.offered is not None:
                    assert reservations[room.label] <= room.offered <= lowest.get(room.label, room.offered)
                    lowest[room.label] = room.offered
                assert room.agreed is None or room.agreed >= reservations[room.label]
        for ticket in conversation.state.tickets:
            assert ticket.agreed is None or ticket.agreed >= reservations[ticket.label]


@given(cents=st.integers(5_000, 900_000), commission=st.integers(0, 30))
@settings(max_examples=200)
def test_that_a_price_said_as_selling_never_falls_below_the_net_that_was_meant(cents: int, commission: int):
    net, share = Decimal(cents) / 100, Decimal(commission) / 100
    said = sayable_net(net, share)
    assert said >= net
    assert sayable_net(said, share) == said


def test_that_a_conversation_follows_from_its_seed_and_can_be_taken_up_again():
    for seed in range(12):
        first, second = (converse(seed, today=TODAY, quality="clumsy") for _ in range(2))
        assert first == second
        facts = tuple(fact for fact, _ in first.tickets)
        said = [exchange.reply.text for exchange in first.exchanges if exchange.answer is not None]
        again = replay(first.profile, facts, seed, said[:-1])
        assert again.hear(said[-1]) == first.answers[-1]


def test_that_held_out_personas_are_drawn_only_when_asked_for():
    facts = tuple(fact for fact, _ in sample_tickets(1, 1, today=TODAY))
    assert not {sample_profile(facts, seed).persona for seed in range(300)} & HELD_OUT_PERSONAS
    assert {sample_profile(facts, seed, held_out=True).persona for seed in range(300)} == HELD_OUT_PERSONAS


def test_that_people_answer_at_their_own_pace_and_let_one_wait_when_they_are_put_out():
    def median_delay(persona: Persona, *before: str) -> float:
        delays: list[float] = []
        for seed in range(60):
            temper = replace(TEMPERS[persona], late=0, silence=0)
            profile = replace(PROFILE, persona=persona, temper=temper)
            hotel = SimulatedHotel(profile, (FACTS,), seed=seed)
            for text in (HELLO, *before):
                hotel.hear(text)
            delays.append(hotel.hear(ASK.format(150)).delay_s)
        return sorted(delays)[30]

    assert median_delay(Persona.HAGGLER) < median_delay(Persona.CORPORATE) < median_delay(Persona.ABSENT_MINDED)
    assert median_delay(Persona.CORPORATE, "We want USD 140 net.", REVIEWS.format(140)) > median_delay(Persona.CORPORATE)


def test_that_a_late_answer_comes_hours_later_and_mostly_with_an_excuse():
    facts = (FACTS,)
    excuses = {line.text for line in phrasebook().hotel if line.topic == "late"}
    late = [
        answer
        for seed in range(200)
        for answer in [SimulatedHotel(replace(PROFILE, temper=replace(EVEN, late=1.0)), facts, seed=seed).hear(HELLO)]
    ]
    assert all(answer.late and answer.delay_s > 3 * 3600 for answer in late)
    excused = fmean(any(excuse.split(",")[0] in answer.text for excuse in excuses) for answer in late)
    assert 0.5 < excused < 0.95


def test_that_a_wrong_bd_commits_faults_and_still_finds_words_for_every_move():
    wrong = {line.text for line in phrasebook().bd if line.quality is Quality.WRONG and not line.slots}
    said = [exchange.reply.text for conversation in RUNS[Quality.WRONG] for exchange in conversation.exchanges]
    assert all(said)
    assert random.Random(1).choice(sorted(wrong & set(said)))


def test_that_a_conversation_in_chinese_is_held_in_chinese_by_both():
    for seed in range(6):
        conversation = converse(seed, today=TODAY, language="zh")
        assert conversation.profile.language == "zh"
        spoken = [exchange.reply.text for exchange in conversation.exchanges] + [answer.text for answer in conversation.answers]
        worded = [text for text in spoken if any(character.isalpha() for character in text)]
        assert all(is_chinese(text) for text in worded)
