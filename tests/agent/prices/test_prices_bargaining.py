"""How hotels put a price, and what it is read as."""

from decimal import Decimal

import pytest

from agent.prices import Polarity, PriceForm, PriceMention, find_prices
from db.vocabulary import PriceBasis

SCALE = Decimal(480)
"""A typical price of these conversations."""


def only(text: str) -> PriceMention:
    """The one price of a text."""
    mentions = find_prices(text, scale=SCALE)
    assert len(mentions) == 1, mentions
    return mentions[0]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("meet you at 430", 430),
        ("430 all in", 430),
        ("how about four thirty", 430),
        ("OK let's do four-thirty then", 430),
        ("three eighty-five a night", 385),
        ("three hundred ninety nine", 399),
        ("two oh five", 205),
        ("4.3", 430),
        ("2.5 hundred", 250),
        ("1k2", 1200),
        ("2.2k", 2200),
        ("120 bucks", 120),
        ("I'll match the 455", 455),
        ("round it to 450", 450),
        ("drop it to 430", 430),
        ("12 rooms @ 440", 440),
        ("from 12 Dec till 15 Dec 450", 450),
        ("2 nights 900 total", 900),
        ("we have 3 rooms left at 450", 450),
        ("450 starting 1st January 2027", 450),
        ("call me at 2pm about 450", 450),
        ("450, 2 pax, BB", 450),
        ("450 p.n.", 450),
        ("四百三吧", 430),
        ("三百八十八", 388),
        ("一千二百五", 1250),
        ("1千2", 1200),
        ("降到四百五", 450),
        ("能不能四百二？", 420),
        ("两百五十块钱一晚", 250),
        ("12月15日到18日450元", 450),
        ("便宜点，450", 450),
        ("他说了450元整", 450),
        ("net430", 430),
        ("he said430", 430),
    ],
)
def test_an_amount_is_read_however_it_is_said(text: str, amount: int) -> None:
    mention = only(text)
    assert (mention.form, mention.value, mention.polarity) == (PriceForm.ABSOLUTE, amount, Polarity.OFFER)


@pytest.mark.parametrize(
    ("text", "value", "sign"),
    [
        ("knock 10 off", 10, -1),
        ("take another 15 off", 15, -1),
        ("10 bucks cheaper", 10, -1),
        ("a hundred off", 100, -1),
        ("minus 10", 10, -1),
        ("knock off fifty", 50, -1),
        ("I need 10 more", 10, 1),
        ("add 20", 20, 1),
        ("降个二十", 20, -1),
        ("再便宜10块", 10, -1),
        ("少五十", 50, -1),
        ("涨10块", 10, 1),
        ("加个二十", 20, 1),
    ],
)
def test_a_step_has_a_direction(text: str, value: int, sign: int) -> None:
    mention = only(text)
    assert (mention.form, mention.value, mention.sign) == (PriceForm.DELTA, value, sign)


@pytest.mark.parametrize(
    ("text", "value", "sign"),
    [
        ("10% off but only weekdays", 10, -1),
        ("-5%", 5, -1),
        ("we could go down five percent", 5, -1),
        ("2 per cent less", 2, -1),
        ("5% more", 5, 1),
        ("half price", 50, -1),
        ("up to 10% off", 10, -1),
        ("八五折", 15, -1),
        ("打9折", 10, -1),
        ("9.5折", 5, -1),
        ("半价", 50, -1),
        ("降三个点", 3, -1),
        ("降百分之五", 5, -1),
        ("10%", 10, 0),
    ],
)
def test_a_share_is_in_points_and_a_chinese_discount_says_what_remains(text: str, value: int, sign: int) -> None:
    mention = only(text)
    assert (mention.form, mention.value, mention.sign) == (PriceForm.PERCENT, value, sign)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("400-450", 400, 450),
        ("440 to 450", 440, 450),
        ("between 440 and 450", 440, 450),
        ("440~450", 440, 450),
        ("三百八到四百", 380, 400),
        ("10000与20000之间", 10000, 20000),
        ("mid 300s", 340, 360),
        ("low 400s", 400, 430),
        ("high four hundreds", 470, 499),
        ("4-something", 400, 499),
        ("let's say 400-something", 400, 499),
        ("四百多", 400, 499),
        ("四五百", 400, 500),
        ("at least 430 and at most 450", 430, 450),
    ],
)
def test_a_stretch_has_two_ends(text: str, low: int, high: int) -> None:
    mention = only(text)
    assert (mention.form, mention.low, mention.high, mention.value) == (PriceForm.RANGE, low, high, None)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("not a cent under 450", 450, None),
        ("no less than 450", 450, None),
        ("can't go lower than 450", 450, None),
        ("at least 450", 450, None),
        ("460 minimum", 460, None),
        ("450 or more", 450, None),
        ("450+", 450, None),
        ("anything under 450 is impossible", 450, None),
        ("最低四百五", 450, None),
        ("不能低于450", 450, None),
        ("低于450不接受", 450, None),
        ("450以下免谈", 450, None),
        ("450元以上", 450, None),
        ("at most 450", None, 450),
        ("unable to go over 450", None, 450),
        ("up to 450", None, 450),
        ("450以下", None, 450),
        ("不超过450", None, 450),
    ],
)
def test_a_bound_is_an_offer_of_the_bound(text: str, low: int | None, high: int | None) -> None:
    mention = only(text)
    assert (mention.form, mention.low, mention.high, mention.value) == (PriceForm.RANGE, low, high, 450 if "460" not in text else 460)
    assert mention.polarity is Polarity.OFFER


@pytest.mark.parametrize(
    ("text", "anchor"),
    [
        ("same as Agoda", "competitor"),
        ("whatever Agoda has", "competitor"),
        ("we will match booking.com", "competitor"),
        ("跟携程一样就行", "competitor"),
        ("split the difference", "midpoint"),
        ("meet in the middle?", "midpoint"),
        ("各让一步吧", "midpoint"),
        ("取个中间价", "midpoint"),
        ("keep the current rate", "current"),
        ("还是原价", "current"),
        ("we'll go with your number", "last_ask"),
        ("按你说的价格来", "last_ask"),
        ("my last offer stands", "last_offer"),
    ],
)
def test_a_named_anchor_stands_for_an_amount(text: str, anchor: str) -> None:
    mention = only(text)
    assert (mention.form, mention.anchor, mention.value) == (PriceForm.RELATIVE, anchor, None)


def test_a_step_may_start_from_a_named_anchor() -> None:
    mention = only("10 less than Agoda")
    assert (mention.form, mention.sign, mention.anchor) == (PriceForm.DELTA, -1, "competitor")


@pytest.mark.parametrize(
    "text",
    [
        "I can't do 430",
        "430 is too low",
        "430? no way",
        "we cannot accept 430",
        "430 won't work",
        "430 is impossible",
        "430做不了",
        "不能430",
        "您报的430太低了",
        "430，不行",
    ],
)
def test_a_refused_price_is_no_offer(text: str) -> None:
    assert only(text).polarity is Polarity.REFUSAL


@pytest.mark.parametrize(
    "text", ["why not 430?", "can't you do 430?", "I don't mind 430", "not bad, 430", "I can't go that low I can do 430"]
)
def test_a_negation_of_something_else_leaves_the_offer(text: str) -> None:
    assert only(text).polarity is Polarity.OFFER


@pytest.mark.parametrize(
    "text", ["Agoda shows 455", "last year it was 420", "you asked for 430", "the deposit is 200", "去年是420", "18% commission", "佣金15%"]
)
def test_a_price_that_is_only_told_is_a_mention(text: str) -> None:
    assert only(text).polarity is Polarity.MENTION


def test_several_prices_of_one_message_keep_their_own_polarity() -> None:
    asked, offered = find_prices("you asked 430, I can do 450", scale=SCALE)
    assert (asked.polarity, offered.polarity) == (Polarity.MENTION, Polarity.OFFER)
    refused, offered = find_prices("430做不了，最多给你450", scale=SCALE)
    assert (refused.polarity, offered.polarity) == (Polarity.REFUSAL, Polarity.OFFER)
    before, now = find_prices("we reduced from 480 to 455 already", scale=SCALE)
    assert (before.polarity, now.polarity, now.value) == (Polarity.MENTION, Polarity.OFFER, 455)


@pytest.mark.parametrize(
    ("text", "bases"),
    [
        ("net 400, you sell at whatever", [PriceBasis.NET]),
        ("430 nett", [PriceBasis.NET]),
        ("净价四百", [PriceBasis.NET]),
        ("底价430", [PriceBasis.NET]),
        ("selling 505", [PriceBasis.SELLING]),
        ("your site sells at 565", [PriceBasis.SELLING]),
        ("卖价500", [PriceBasis.SELLING]),
        ("430", [PriceBasis.UNKNOWN]),
        ("430 net and 480 selling", [PriceBasis.NET, PriceBasis.SELLING]),
        ("底价430，卖价500", [PriceBasis.NET, PriceBasis.SELLING]),
    ],
)
def test_net_and_selling_are_told_apart(text: str, bases: list[PriceBasis]) -> None:
    assert [mention.basis for mention in find_prices(text, scale=SCALE)] == bases


@pytest.mark.parametrize("text", ["450++", "450+tax", "450 plus tax", "450 + 7% VAT", "450 excl. VAT", "450不含税"])
def test_tax_on_top_is_seen(text: str) -> None:
    assert find_prices(text, scale=SCALE)[0].plus_tax


@pytest.mark.parametrize("text", ["450", "450 incl. tax", "455 all-in", "450 含税"])
def test_tax_included_or_unsaid_is_not_on_top(text: str) -> None:
    assert not find_prices(text, scale=SCALE)[0].plus_tax


@pytest.mark.parametrize("text", ["around 450", "450ish", "450 or so", "about 450", "四百左右", "400上下"])
def test_about_is_approximate(text: str) -> None:
    assert only(text).approximate


@pytest.mark.parametrize(
    "text",
    [
        "",
        "😀",
        "ok let me see",
        "we need at least 3 weeks notice",
        "3间房2晚",
        "便宜一点点",
        "call +66 81 234 5678",
        "room no. 305 please",
        "check-in 12/12",
        "see you at 5 pm",
    ],
)
def test_what_names_no_price_gives_none(text: str) -> None:
    assert find_prices(text, scale=SCALE) == ()


def test_a_bare_number_needs_a_word_of_trade_where_no_price_is_expected() -> None:
    assert find_prices("we are 70 people strong", price_expected=False) == ()
    assert find_prices("that was in 1989 with 254 others", price_expected=False) == ()
    assert [mention.value for mention in find_prices("our rate is 430", price_expected=False)] == [430]


def test_small_stray_numbers_are_left_out_where_the_scale_is_known() -> None:
    assert [mention.value for mention in find_prices("give me 2 and we say 450", scale=SCALE)] == [450]


def test_a_span_is_of_the_original_text() -> None:
    text = "ＯＫ，ＲＭＢ ３８８ 吧"
    mention = only(text)
    assert (mention.value, mention.currency, mention.text) == (388, "CNY", "ＲＭＢ ３８８")
