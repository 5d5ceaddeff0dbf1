"""Both sides in Chinese: prices that read back exactly, words heard as they were meant, and whole conversations that hold together."""

import random
import re
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import misheard, said_twice, value_of

from agent.domain import TicketFacts
from agent.guardrails import check
from agent.language.consent import says_yes
from agent.language.written import amount_text, day_text, stay_text
from agent.prices import find_prices
from agent.simulation import BDPart, Conversation, HotelPart, Lever, Quality, converse, phrasebook
from agent.simulation.amounts import Surface, round_up
from agent.simulation.chinese_amounts import clipped, discount, han, speak, vague
from agent.simulation.hearing import hear
from db.vocabulary import ClarifyTopic, HotelMoveKind, MoveKind, PriceBasis, Stage

TODAY = date(2026, 11, 23)
BOOK = phrasebook("zh")
ENGLISH = phrasebook("en")
FACTS = TicketFacts(
    label=1,
    hotel_name="柳园酒店",
    room_type="豪华大床房",
    check_in=date(2027, 3, 1),
    check_out=date(2027, 3, 3),
    currency="CNY",
    current_net=Decimal(500),
    commission=Decimal("0.15"),
    competitor_price=Decimal(540),
    competitor_source="携程",
)
QUALITIES = (Quality.EXCELLENT, Quality.FINE, Quality.CLUMSY)
CONVERSATIONS: list[Conversation] = [converse(seed, today=TODAY, quality=QUALITIES[seed % 3], language="zh") for seed in range(300)]
EXCHANGES = [exchange for conversation in CONVERSATIONS for exchange in conversation.exchanges]


def foreign_words(text: str, names: tuple[str, ...]) -> list[str]:
    """Latin words that are no name, no currency code and no sign of two letters."""
    for name in names:
        text = text.replace(name, "")
    return [word for word in re.findall(r"[A-Za-z]{3,}", text) if not (word.isupper() and len(word) == 3)]


# The phrasebook


def test_that_both_sides_have_hundreds_of_chinese_lines():
    assert len(BOOK.hotel) >= 320
    assert len(BOOK.bd) >= 320


def test_that_whatever_an_english_hotel_may_want_to_say_can_be_said_in_chinese():
    spoken = {(p.part, p.intent, p.topic, p.lever) for p in BOOK.hotel}
    assert {(p.part, p.intent, p.topic, p.lever) for p in ENGLISH.hotel} <= spoken


@pytest.mark.parametrize("quality", [Quality.EXCELLENT, Quality.FINE, Quality.CLUMSY])
def test_that_every_move_of_ours_has_chinese_words_in_every_quality(quality: Quality):
    for move in MoveKind:
        part = BDPart.QUESTION if move is MoveKind.GREET else BDPart.BODY
        if move is not MoveKind.CLARIFY or quality is not Quality.CLUMSY:
            assert len(BOOK.bd_lines(part, move, quality)) >= 3, move
    assert {p.topic for p in BOOK.bd_lines(BDPart.BODY, MoveKind.CLARIFY, Quality.FINE)} == {str(topic) for topic in ClarifyTopic}
    assert {p.argument for p in BOOK.bd if p.part is BDPart.REASON and p.quality is Quality.EXCELLENT} == set(Lever)


@pytest.mark.parametrize("price", ["430", "净价430", "四百三", "净价四百三十"])
def test_that_every_chinese_yes_is_an_explicit_one(price: str):
    for phrase in BOOK.hotel:
        if phrase.intent is HotelMoveKind.AGREE:
            text = phrase.text.format(ask=price, room="Deluxe King")
            assert says_yes(text, names=("Deluxe King",)), text


# Amounts and dates


@pytest.mark.parametrize(
    ("number", "said", "short"),
    [
        (128, "一百二十八", None),
        (250, "两百五十", "两百五"),
        (305, "三百零五", None),
        (430, "四百三十", "四百三"),
        (1200, "一千二百", "一千二"),
        (2650, "两千六百五十", "两千六百五"),
        (10_500, "一万零五百", None),
        (52_000, "五万两千", "五万二"),
    ],
)
def test_that_numbers_are_said_as_people_do(number: int, said: str, short: str | None):
    assert han(number) == said
    assert clipped(number) == short


def test_that_numbers_beyond_the_words_are_refused():
    with pytest.raises(ValueError, match="not written out"):
        han(-1)


def test_that_a_discount_names_what_is_left_to_pay():
    assert [discount(share) for share in (5, 10, 12, 20)] == ["九五", "九", "八八", "八"]


FRAMES = ("给您{}", "{}，您看怎么样", "那就{}", "最多{}")


@given(
    amount=st.one_of(st.integers(60, 2000), st.integers(20, 600).map(lambda n: n * 100)),
    surface=st.sampled_from(list(Surface)),
    basis=st.sampled_from(list(PriceBasis)),
    currency=st.sampled_from(("CNY", "USD", "THB", "PLN")),
    frame=st.sampled_from(FRAMES),
    seed=st.integers(0, 1000),
)
def test_that_a_price_said_in_chinese_reads_back_exactly(
    amount: int, surface: Surface, basis: PriceBasis, currency: str, frame: str, seed: int
):
    current = round_up(Decimal(amount) * Decimal("1.15"))
    spoken = speak(Decimal(amount), surface=surface, state=basis, currency=currency, current_net=current, rng=random.Random(seed))
    text = frame.format(spoken.text)
    found = [mention for mention in find_prices(text, scale=current, language="zh") if value_of(mention, current) == spoken.amount]
    assert found, text
    assert found[0].basis is spoken.stated, text
    assert Decimal(amount) <= spoken.amount <= Decimal(amount) * Decimal("1.003")


def test_that_prices_in_conversations_read_back():
    offered = [(exchange, exchange.answer) for exchange in EXCHANGES if exchange.answer is not None and exchange.answer.truth.offers]
    missed: list[str] = []
    for exchange, answer in offered:
        current = exchange.context.fact().current_net
        values = {value_of(mention, current) for mention in find_prices(answer.text, scale=current, language="zh")}
        if answer.truth.offers[0].amount not in values:
            missed.append(f"{answer.text} {answer.truth.offers[0].amount}")
    assert len(offered) > 300
    assert len(missed) <= 0.03 * len(offered), missed[:5]


def test_that_a_region_names_no_amount_that_could_be_accepted():
    for amount in (128, 430, 1450, 52_000):
        text = f"大概{vague(Decimal(amount), random.Random(1))}吧"
        assert all(mention.value is None for mention in find_prices(text, scale=Decimal(amount))), text


def test_that_dates_and_money_are_written_the_chinese_way():
    assert day_text(FACTS.check_in, "zh") == "2027年3月1日"
    assert stay_text(FACTS.check_in, FACTS.check_out, "zh") == "2027年3月1日至3月3日"
    assert stay_text(date(2026, 12, 30), date(2027, 1, 2), "zh") == "2026年12月30日至2027年1月2日"
    assert amount_text(Decimal(430), "CNY", "zh") == "430元"
    assert amount_text(Decimal(430), "PLN", "zh") == "430 PLN"


# Hearing


@pytest.mark.parametrize(
    ("text", "lever"),
    [
        ("淡季里空房也没有收入。", Lever.SEASON),
        ("间夜多了，走量更合算。", Lever.VOLUME),
        ("客人更容易注意到您。", Lever.VISIBILITY),
        ("我们很珍惜长期的合作。", Lever.RELATIONSHIP),
        ("携程上的售价是540元。", Lever.PARITY),
        ("客人满意就会写点评。", Lever.REVIEWS),
    ],
)
def test_that_a_chinese_argument_is_known_by_its_words(text: str, lever: Lever):
    assert lever in hear(text, (FACTS,), focus=1).arguments


def test_that_only_what_is_asked_for_counts_as_the_request():
    heard = hear("您报的480元我记下了，多谢。携程上的售价是540元，我们的售价是588.24元。请问净价430元可以吗？", (FACTS,), focus=1)
    assert heard.net == (Decimal(430),)
    assert heard.quoted_competitor == (Decimal(540),)
    assert heard.selling == (Decimal("588.24"),)
    assert heard.thanks
    assert heard.basis_named


def test_that_faults_are_heard_in_chinese():
    assert hear("净价430元的话，我保证排名第一。", (FACTS,), focus=1).promises
    assert hear("这是最后机会，净价430元。", (FACTS,), focus=1).presses
    assert hear("系统里的目标价是净价430元。", (FACTS,), focus=1).internal
    assert hear("您没回复，我就当您同意了。", (FACTS,), focus=1).presumes
    assert hear("我们要净价430元。", (FACTS,), focus=1).brusque


def test_that_a_latin_name_does_not_make_a_message_english():
    heard = hear("您好，Garden View Double净价430元可以吗？", (replace(FACTS, room_type="Garden View Double"),), focus=1)
    assert heard.greets
    assert heard.asks
    assert heard.label == 1


def test_that_chinese_replies_are_heard_as_they_were_meant():
    missed = [text for conversation in CONVERSATIONS for text in misheard(conversation)]
    assert len(missed) <= 0.03 * len(EXCHANGES), missed[:8]


# Conversations


def test_that_chinese_conversations_come_to_their_ends():
    ends = Counter(conversation.state.stage for conversation in CONVERSATIONS)
    assert all(stage.is_end for stage in ends)
    assert {Stage.AGREED, Stage.DECLINED, Stage.HANDED_OVER} <= set(ends)
    assert 0.4 < ends[Stage.AGREED] / ends.total() < 0.95
    assert ends[Stage.EXPIRED] / ends.total() < 0.08


def test_that_chinese_replies_pass_the_guard():
    assert all(exchange.context.language == "zh" for exchange in EXCHANGES)
    faults = [(exchange.reply, found) for exchange in EXCHANGES if (found := check(exchange.context, exchange.reply))]
    assert len(faults) <= 0.03 * len(EXCHANGES), faults[:3]


def test_that_neither_side_falls_into_english():
    for conversation in CONVERSATIONS:
        names = tuple(
            name
            for fact, _ in conversation.tickets
            for name in (fact.hotel_name, fact.room_type, fact.competitor_source or fact.hotel_name)
        )
        for exchange in conversation.exchanges:
            answer = exchange.answer.text if exchange.answer else ""
            for text in (exchange.reply.text, answer):
                assert not foreign_words(text, names), text
                assert "{" not in text
                assert ". " not in text, text


def test_that_no_sentence_of_ours_is_said_twice():
    for conversation in CONVERSATIONS:
        assert not said_twice(conversation, is_long=lambda sentence: len(sentence) >= 10)


def test_that_the_same_seed_gives_the_same_chinese_conversation():
    for seed in (3, 40, 111):
        again = converse(seed, today=TODAY, quality=QUALITIES[seed % 3], language="zh")
        assert [e.reply for e in again.exchanges] == [e.reply for e in CONVERSATIONS[seed].exchanges]
        assert [e.answer for e in again.exchanges] == [e.answer for e in CONVERSATIONS[seed].exchanges]


def test_that_a_message_is_joined_without_spaces_and_with_chinese_marks():
    joined = [
        exchange.answer.text for exchange in EXCHANGES if exchange.answer is not None and exchange.answer.truth.kind is HotelMoveKind.OFFER
    ]
    assert not [text for text in joined if re.search(r"[一-鿿][,.;] ?[一-鿿]", text)]
    openers = {phrase.text for phrase in BOOK.hotel_lines(HotelPart.OPENER, None, "any")}
    assert any(text.startswith(opener) for text in joined for opener in openers)
