"""Every number of what we say, classified: the guard's eyes."""

from decimal import Decimal

import pytest

from agent.prices import CalendarDay, NumberKind, find_numbers


def kinds(text: str) -> list[tuple[Decimal, NumberKind]]:
    """Values and kinds, left to right."""
    return [(mention.value, mention.kind) for mention in find_numbers(text)]


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("430 net", 430, NumberKind.AMOUNT),
        ("four hundred and thirty", 430, NumberKind.AMOUNT),
        ("$430", 430, NumberKind.AMOUNT),
        ("net430", 430, NumberKind.AMOUNT),
        ("四百三十元", 430, NumberKind.AMOUNT),
        ("10%", 10, NumberKind.PERCENT),
        ("ten percent", 10, NumberKind.PERCENT),
        ("half price", 50, NumberKind.PERCENT),
        ("百分之十", 10, NumberKind.PERCENT),
        ("八五折", 85, NumberKind.PERCENT),
        ("三成半", 35, NumberKind.PERCENT),
        ("two rooms", 2, NumberKind.COUNT),
        ("3 nights", 3, NumberKind.COUNT),
        ("a 5-star hotel", 5, NumberKind.COUNT),
        ("2间", 2, NumberKind.COUNT),
        ("三晚", 3, NumberKind.COUNT),
        ("评分4.5", "4.5", NumberKind.COUNT),
        ("3 pm", 3, NumberKind.TIME),
        ("15:30", 15, NumberKind.TIME),
        ("下午三点", 3, NumberKind.TIME),
        ("the 3rd night", 3, NumberKind.ORDINAL),
        ("第二个问题", 2, NumberKind.ORDINAL),
        ("the twenty-first", 21, NumberKind.ORDINAL),
        ("season 2027", 2027, NumberKind.YEAR),
        ("2027年", 2027, NumberKind.YEAR),
        ("room no. 305", 305, NumberKind.OTHER),
        ("A2021", 2021, NumberKind.OTHER),
        ("12 St. Mary Road", 12, NumberKind.OTHER),
        ("Guests pay NZD 278 there. Would Terrace Lodge like it", 278, NumberKind.AMOUNT),
        ("three quarters", "3", NumberKind.COUNT),
    ],
)
def test_a_number_has_a_kind(text: str, value: int | str, kind: NumberKind) -> None:
    assert (Decimal(value), kind) in kinds(text)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("12 December", [CalendarDay(None, 12, 12)]),
        ("December 12th, 2026", [CalendarDay(2026, 12, 12)]),
        ("the 12th of December", [CalendarDay(None, 12, 12)]),
        ("Dec 12-15", [CalendarDay(None, 12, 12), CalendarDay(None, 12, 15)]),
        ("12–15 December 2026", [CalendarDay(2026, 12, 12), CalendarDay(2026, 12, 15)]),
        ("between 12 and 15 December", [CalendarDay(None, 12, 12), CalendarDay(None, 12, 15)]),
        ("2026-12-03", [CalendarDay(2026, 12, 3)]),
        ("12/12", [CalendarDay(None, 12, 12)]),
        ("15/12/2026", [CalendarDay(2026, 12, 15)]),
        ("12月15日到18日", [CalendarDay(None, 12, 15), CalendarDay(None, 12, 18)]),
        ("2026年12月3日", [CalendarDay(2026, 12, 3)]),
        ("十二月十五号", [CalendarDay(None, 12, 15)]),
        ("3-Dec-2026", [CalendarDay(None, 12, 3)]),
    ],
)
def test_a_date_has_its_day(text: str, days: list[CalendarDay]) -> None:
    assert [mention.day for mention in find_numbers(text) if mention.kind is NumberKind.DATE] == days


def test_a_reply_is_read_to_the_last_number() -> None:
    text = (
        "To confirm: Deluxe Room, 12-15 December 2026, net price 430 USD, selling price 505.88 USD for two rooms and 3 nights, "
        "10% below today."
    )
    assert kinds(text) == [
        (Decimal(12), NumberKind.DATE),
        (Decimal(15), NumberKind.DATE),
        (Decimal(2026), NumberKind.YEAR),
        (Decimal(430), NumberKind.AMOUNT),
        (Decimal("505.88"), NumberKind.AMOUNT),
        (Decimal(2), NumberKind.COUNT),
        (Decimal(3), NumberKind.COUNT),
        (Decimal(10), NumberKind.PERCENT),
    ]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("one hundred and sixty-one", [161]),
        ("three crore twelve lakh fifty-six thousand seven hundred twenty-one", [31256721]),
        ("minus five point five", ["-5.5"]),
        ("half a dozen", [6]),
        ("a couple hundred", [200]),
        ("one and a half million", [1_500_000]),
        ("3 million and a half", [3_500_000]),
        ("three quarters of a million", [750_000]),
        ("two hundred point zero three", ["200.03"]),
        ("4 thousand 3 hundred and 21", [4321]),
        ("4000 3 hundred", [4000, 300]),
        ("50 50", [50, 50]),
        ("forty-five (45)", [45]),
        ("point 77", ["0.77"]),
        ("1,50,000", [150_000]),
        ("1 234 567", [1_234_567]),
        ("-1.2M", [-1_200_000]),
        ("1/5", ["0.2"]),
        ("a hundred", [100]),
        ("nineteen fifty", [1950]),
        ("four three oh", [430]),
        ("half million", [500_000]),
        ("half a million", [500_000]),
        ("四百五", [450]),
        ("一千零五", [1005]),
        ("一万三", [13_000]),
        ("五亿零六", [500_000_006]),
        ("10万万", [1_000_000_000]),
        ("7 万5 千4 百", [75_400]),
        ("倆千两百贰拾二", [2222]),
        ("一七二零点一三四", ["1720.134"]),
        ("廿", [20]),
        ("五百卅四", [534]),
        ("千一", [1100]),
        ("半百", [50]),
        ("负三十二", [-32]),
        ("八打", [96]),
        ("二分之一", ["0.5"]),
        ("十余万", [100_000]),
        ("一半", ["0.5"]),
        ("4.78万亿", [4_780_000_000_000]),
        ("五兆六十二亿", [5_006_200_000_000]),
        ("零点零一", ["0.01"]),
        ("半个", ["0.5"]),
    ],
)
def test_numerals_are_read_in_both_languages(text: str, values: list[int | str]) -> None:
    assert [mention.value for mention in find_numbers(text)] == [Decimal(value) for value in values]


@pytest.mark.parametrize("text", ["便宜一点", "我们一起", "四季酒店", "the end", "a room and a view", "half of it is done, of course"])
def test_idioms_hold_no_number(text: str) -> None:
    assert kinds(text) == []


def test_a_day_without_a_year_matches_any() -> None:
    from datetime import date

    assert CalendarDay(None, 12, 3).matches(date(2026, 12, 3))
    assert CalendarDay(2026, 12, 3).matches(date(2026, 12, 3))
    assert not CalendarDay(2027, 12, 3).matches(date(2026, 12, 3))
    assert not CalendarDay(None, 12, 4).matches(date(2026, 12, 3))
