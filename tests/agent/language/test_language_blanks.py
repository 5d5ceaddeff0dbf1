"""Blanks are filled with what is true in this turn, from pieces cut anywhere; and words that people wrote are given blanks again."""

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain import AgreedTerms, AllowedMove, HotelMove, HotelOffer, TicketFacts, TurnContext
from agent.language.blanks import Filler, UnknownBlank, blank_out, blanks, fill, open_blanks
from agent.language.prompts import render_write
from agent.simulation import ScriptedBD, converse
from db.vocabulary import HotelMoveKind, Mood, MoveKind, PriceBasis, Stage

FACTS = TicketFacts(
    label=1, hotel_name="The Quay", room_type="The Loft", check_in=date(2026, 10, 12), check_out=date(2026, 10, 16), currency="EUR",
    current_net=Decimal(450), commission=Decimal("0.15"), competitor_price=Decimal(499), competitor_source="Agoda",
    competitor_seen_on=date(2026, 9, 2), evidence=("Guests rated this room 9.1 last month.",),
)  # fmt: skip
ASK = AllowedMove(kind=MoveKind.ASK, label=1, price=Decimal(420))
PROBE = AllowedMove(kind=MoveKind.PROBE, label=1)
CONTEXT = TurnContext(
    facts=(FACTS,), history=(), stage=Stage.PROPOSAL, brief="Ask.", allowed=(ASK, PROBE), focus=1, hotel_move=None,
)  # fmt: skip
VALUES = blanks(CONTEXT, ASK)


def test_each_blank_stands_for_a_fact_of_the_ticket_that_the_move_is_about() -> None:
    assert VALUES == {
        "hotel": "The Quay", "room": "The Loft", "dates": "12 Oct 2026 to 16 Oct 2026", "check_in": "12 Oct 2026",
        "check_out": "16 Oct 2026", "current_selling": "EUR 529.41", "net": "EUR 420", "selling": "EUR 494.12",
        "competitor_price": "EUR 499",        "competitor_source": "Agoda",
        "seen_on": "2 Sep 2026", "evidence": "Guests rated this room 9.1 last month.",
    }  # fmt: skip


def test_a_move_without_a_price_has_no_price_to_name() -> None:
    assert {"net", "selling"}.isdisjoint(blanks(CONTEXT, PROBE))
    with pytest.raises(UnknownBlank, match=r"\{net\}"):
        fill("Could you do {net} net?", blanks(CONTEXT, PROBE))


def test_what_the_hotel_offered_and_what_is_agreed_may_be_named() -> None:
    offer = HotelMove(kind=HotelMoveKind.OFFER, mood=Mood.NEUTRAL, offers=(HotelOffer(amount=Decimal(440), basis=PriceBasis.NET),))
    context = replace(CONTEXT, hotel_move=offer, agreed=(AgreedTerms(label=1, net=Decimal(430)),))
    values = blanks(context, ASK)
    assert values["offer"] == "EUR 440"
    assert values["agreed"] == "EUR 430 net (EUR 505.88 selling) for the The Loft from 12 Oct 2026 to 16 Oct 2026"


def test_a_name_with_an_article_of_its_own_gets_no_second_one() -> None:
    assert fill("Could you offer the {room} at {net} net?", VALUES) == "Could you offer the Loft at EUR 420 net?"
    assert fill("{room} at {net} net?", VALUES) == "The Loft at EUR 420 net?"


@pytest.mark.parametrize("text", ["Could you do {price} net?", "Could you do {net net?", "{", "a { b", "{}"])
def test_what_nothing_true_can_be_put_into_is_refused(text: str) -> None:
    with pytest.raises(UnknownBlank):
        fill(text, VALUES)


@given(
    st.lists(st.sampled_from(["Could ", "the ", "{room}", "{net}", " net, ", "{dates}", "? ", "€", "{evidence}"])),
    st.lists(st.integers(min_value=0), max_size=20),
)
def test_any_cuts_give_the_same_words(parts: list[str], cuts: list[int]) -> None:
    text = "".join(parts)
    places = sorted({cut % (len(text) + 1) for cut in cuts} | {0, len(text)})
    filler = Filler(VALUES)
    assert "".join(filler.feed(text[start:end]) for start, end in pairwise(places)) + filler.finish() == fill(text, VALUES)


@pytest.mark.parametrize(
    ("said", "template"),
    [
        ("Could you do EUR 420 net for the Loft?", "Could you do {net} net for the Loft?"),
        ("€420 net, so €494.12 selling, from 12 October 2026 to 16 October 2026.", "{net} net, so {selling} selling, from {dates}."),
        ("From 12 Oct 2026 to 16 Oct 2026 at EUR 420.", "From {dates} at {net}."),
        ("EUR 4200 is not EUR 420, nor is EUR 420.50.", "EUR 4200 is not {net}, nor is EUR 420.50."),
        ("Agoda showed EUR 499 on 2 September 2026.", "{competitor_source} showed {competitor_price} on {seen_on}."),
        ("At The Quay: Guests rated this room 9.1 last month.", "At {hotel}: {evidence}"),
        ("Nothing to name here.", "Nothing to name here."),
    ],
)
def test_words_that_people_wrote_are_given_blanks(said: str, template: str) -> None:
    assert blank_out(said, CONTEXT, ASK) == template


CHINESE = replace(
    CONTEXT, language="zh", facts=(replace(FACTS, hotel_name="临水阁", room_type="景观大床房", currency="CNY", competitor_source="携程"),)
)


@pytest.mark.parametrize(
    ("said", "template"),
    [
        ("请问景观大床房净价420元可以吗？", "请问{room}净价{net}可以吗？"),
        ("2026年10月12日至10月16日这段，售价494.12元。", "{dates}这段，售价{selling}。"),
        ("从2026年10月12日到2026年10月16日", "从{check_in}到{check_out}"),
        ("携程上卖499元，4420元、420.5元和420元不同。", "{competitor_source}上卖{competitor_price}，4420元、420.5元和{net}不同。"),
    ],
)
def test_chinese_words_need_no_space_around_what_becomes_a_blank(said: str, template: str) -> None:
    assert blank_out(said, CHINESE, ASK) == template


@pytest.mark.parametrize("seed", range(6))
def test_no_figure_is_left_of_what_a_colleague_writes_in_chinese(seed: int) -> None:
    for exchange in converse(seed, today=date(2026, 3, 1), language="zh").exchanges:
        template = blank_out(exchange.reply.text, exchange.context, exchange.reply.move)
        assert not any(map(str.isdigit, template)), template


@pytest.mark.parametrize("seed", range(12))
def test_what_a_colleague_writes_says_the_same_after_the_round_trip(seed: int) -> None:
    for exchange in converse(seed, today=date(2026, 3, 1)).exchanges:
        context, move = exchange.context, exchange.reply.move
        text = ScriptedBD().say(context, move, rng=random.Random(seed))
        template = blank_out(text, context, move)
        again = fill(template, blanks(context, move))
        assert blank_out(again, context, move) == template
        if move.price is not None and "{net}" in template:
            assert blanks(context, move)["net"] in again


def test_the_prompt_offers_every_blank_that_some_move_can_fill() -> None:
    assert set(open_blanks(CONTEXT)) == set(VALUES)
    prompt = render_write(CONTEXT)[-1]["content"]
    assert "blanks: {hotel} {room} {dates}" in prompt
    assert "{agreed}" not in prompt
