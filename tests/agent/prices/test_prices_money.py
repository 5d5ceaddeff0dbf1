"""Currencies, small units and the written conventions of amounts."""

from decimal import Decimal

import pytest

from agent.prices import find_prices


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("RMB 388", 388, "CNY"),
        ("€ 95", 95, "EUR"),
        ("usd120", 120, "USD"),
        ("120 bucks", 120, None),
        ("$ 75 million", 75_000_000, None),
        ("US$ 3.14", "3.14", "USD"),
        ("HK$1,200", 1200, "HKD"),
        ("S$ 450", 450, "SGD"),
        ("฿1,500", 1500, "THB"),
        ("1500 baht", 1500, "THB"),
        ("450aed", 450, "AED"),
        ("42 malaysian ringgits", 42, "MYR"),
        ("RM 42", 42, "MYR"),
        ("Rp 1.500.000", 1_500_000, "IDR"),
        ("1.250,00 EUR", 1250, "EUR"),
        ("CHF 1'250.50", "1250.50", "CHF"),
        ("€450,-", 450, "EUR"),
        ("450.- CHF", 450, "CHF"),
        ("30 MUSD", 30_000_000, "USD"),
        ("75 USD million", 75_000_000, "USD"),
        ("five lakhs rupees", 500_000, "INR"),
        ("450k IDR", 450_000, "IDR"),
        ("388元", 388, "CNY"),
        ("四百五十块", 450, "CNY"),
        ("人民币四百五十元", 450, "CNY"),
        ("3.14美元", "3.14", "USD"),
        ("5306亿台币", 530_600_000_000, "TWD"),
        ("￥450", 450, "CNY"),
        ("港幣3.14", "3.14", "HKD"),
        ("１欧元", 1, "EUR"),
        ("a US$4.7 billion", 4_700_000_000, "USD"),
    ],
)
def test_a_currency_is_named_before_or_after_in_signs_or_words(text: str, amount: int | str, currency: str | None) -> None:
    (mention,) = find_prices(text)
    assert (mention.value, mention.currency) == (Decimal(amount), currency)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("20 dollar 43c", "20.43"),
        ("twenty dollar and 43", "20.43"),
        ("US$3 and fourteen", "3.14"),
        ("3 GBP 1 pence", "3.01"),
        ("it is 15 dollars 50.", "15.5"),
        ("a dollar and 42 cents", "1.42"),
        ("10 cents", "0.10"),
        ("ten dimes", 1),
        ("a quarter", "0.25"),
        ("五块七毛八", "5.78"),
        ("三块零四", "3.04"),
        ("50元6角三分", "50.63"),
        ("两毛五", "0.25"),
        ("五個半", "5.5"),
        ("三個一毫四", "3.14"),
        ("一块二", "1.2"),
        ("10日元5日本銭", "10.05"),
    ],
)
def test_small_units_add_to_the_main_one(text: str, amount: int | str) -> None:
    assert [mention.value for mention in find_prices(text)] == [Decimal(amount)]


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("50 dollar 40 rmb", [50, 40]),
        ("4人民币5美元", [4, 5]),
        ("$20，300美圆, ￥300", [20, 300, 300]),
        ("500 USD,100 times more", [500]),
        ("$450/$470", [450, 470]),
        ("440/450", [440, 450]),
        ("three thousand dollars two hundred times", [3000]),
        ("the last quarter", []),
    ],
)
def test_amounts_side_by_side_stay_apart(text: str, amounts: list[int]) -> None:
    assert [mention.value for mention in find_prices(text, price_expected="/" in text)] == amounts


@pytest.mark.parametrize(
    "text",
    [
        "All 70 of us.",
        "I tried to call Bob 3 times already.",
        "Silica gel is used to absorb moisture.",
        "we won 430 hearts",
        "It's at 45 Park Road",
    ],
)
def test_words_that_look_like_currencies_are_none(text: str) -> None:
    assert find_prices(text, price_expected=False) == ()


def test_the_yen_sign_is_the_yuan_in_chinese_and_open_elsewhere() -> None:
    assert find_prices("¥450")[0].currency is None
    assert find_prices("一晚¥450")[0].currency == "CNY"
    assert find_prices("¥450", language="zh")[0].currency == "CNY"
    assert find_prices("¥450", language="ja")[0].currency == "JPY"
