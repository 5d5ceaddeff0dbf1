"""Whatever the text: nothing raises, every span holds in the source, amounts are never negative, the cost stays in line with the length."""

import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.prices import Anchors, NumberKind, PriceForm, Turn, agreed_price, find_numbers, find_prices, resolve
from agent.prices.fold import fold

PIECES = [
    "430",
    "1,250.50",
    "1.250,00",
    "2.5",
    "4-something",
    "mid 300s",
    "1k2",
    "450++",
    "four thirty",
    "two hundred and",
    "a",
    "half",
    "million",
    "point",
    "three quarters of a",
    "dozen",
    "minus",
    "-",
    "to",
    "between",
    "and",
    "%",
    "percent",
    "off",
    "knock",
    "not a cent under",
    "at least",
    "up to",
    "net",
    "selling",
    "$",
    "€",
    "RMB",
    "usd",
    "dollars",
    "cents",
    "split the difference",
    "same as Agoda",
    "12-15 December",
    "2026-12-03",
    "3/4",
    "12/12",
    "at 5 pm",
    "rooms",
    "四百三",
    "百分之",
    "五",
    "八五折",
    "三四百",
    "十几万",
    "降个",
    "块",
    "元",
    "毛",
    "負",
    "半",
    "個",
    "分之",
    "点",
    "，",
    "。",
    "?",
    "!",
    "\n",
    " ",
    "１２３",
    "٣٤",
    "²",
    "½",
    "İ",
    "ß",
    "\u202e",
    "\x00",
    "😀",
]
MIXED = st.lists(st.sampled_from(PIECES), max_size=14).flatmap(
    lambda pieces: st.sampled_from(["", " "]).map(lambda glue: glue.join(pieces))
)
SCALES = st.none() | st.decimals(min_value=1, max_value=10**7, places=2)
AMOUNTS = st.none() | st.decimals(min_value="0.01", max_value=10**6, places=2)
ANCHORS = st.builds(Anchors, current_net=AMOUNTS, current_selling=AMOUNTS, last_ask=AMOUNTS, last_offer=AMOUNTS, competitor=AMOUNTS)


@given(st.text() | MIXED, SCALES, st.booleans(), st.sampled_from([None, "en", "zh"]))
@settings(max_examples=400)
def test_any_text_gives_ordered_spans_and_no_negative_amount(
    text: str, scale: Decimal | None, expected: bool, language: str | None
) -> None:
    mentions = find_prices(text, language=language, price_expected=expected, scale=scale)
    assert [mention.start for mention in mentions] == sorted(mention.start for mention in mentions)
    for mention in mentions:
        assert mention.text == text[mention.start : mention.end]
        assert mention.text
        for amount in (mention.value, mention.low, mention.high):
            assert amount is None or amount >= 0
        assert (mention.sign == 0) or mention.form in (PriceForm.DELTA, PriceForm.PERCENT)


@given(st.text() | MIXED)
@settings(max_examples=400)
def test_any_text_gives_numbers_with_their_own_characters(text: str) -> None:
    for number in find_numbers(text):
        assert number.text == text[number.start : number.end]
        assert number.day is None or number.kind is NumberKind.DATE


@given(MIXED, ANCHORS, SCALES)
@settings(max_examples=300)
def test_what_resolves_is_positive_and_a_stretch_is_ordered(text: str, anchors: Anchors, scale: Decimal | None) -> None:
    for mention in find_prices(text, scale=scale):
        amount = resolve(mention, anchors)
        if isinstance(amount, tuple):
            assert amount[0] <= amount[1]
        elif amount is not None:
            assert amount >= 0


@given(st.lists(st.tuples(st.sampled_from(["hotel", "bd"]), MIXED), max_size=6), ANCHORS)
@settings(max_examples=200)
def test_any_talk_stands_at_a_price_or_at_none(talk: list[tuple[str, str]], anchors: Anchors) -> None:
    price = agreed_price([Turn(speaker=speaker, text=text) for speaker, text in talk], anchors)
    assert price is None or price >= 0


@given(st.integers(min_value=1, max_value=10**6 - 1))
@settings(max_examples=300)
def test_an_amount_in_digits_is_read_back_however_it_is_grouped(amount: int) -> None:
    for text in (f"{amount}", f"{amount:,}", f"USD {amount}", f"{amount} net", f"我们给{amount}元"):
        mentions = find_prices(text)
        assert [mention.value for mention in mentions] == [Decimal(amount)], text


@given(st.text())
def test_folding_keeps_every_character_in_its_place(text: str) -> None:
    assert len(fold(text)) == len(text)


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "1 ",
        "a ",
        "one ",
        "nine",
        "trillion ",
        "九",
        "万",
        "not ",
        "and one ",
        "$",
        "1-",
        "1,",
        "1.",
        "百分之",
        "2026-",
        "from 1 to ",
        "same as ",
        "\x00",
        "1 street ",
        "12月",
        "一点",
        "半",
        "430 net, ok. ",
    ],
)
def test_the_longest_message_that_is_let_in_is_read_in_seconds(piece: str) -> None:
    text = piece * (20_000 // len(piece))
    begun = time.process_time()
    find_prices(text, scale=Decimal(430))
    find_numbers(text)
    assert time.process_time() - begun < 10


def test_a_number_beyond_all_money_is_no_price() -> None:
    assert find_prices("9" * 60) == ()
    (mention,) = find_prices("add 999999999999999999 usd", scale=None)
    assert resolve(mention, Anchors(current_net=Decimal(480))) in (None, mention.value)
