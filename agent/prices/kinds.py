"""What each number of a text counts: money, a percentage, a day, a time, rooms, nights, stars.

Decided here: the kind of a number, from the words beside it. ``find_numbers`` is what a guard uses on our own replies, so nothing is
dropped: a number that no rule knows is an ``AMOUNT``, the kind that is checked most strictly.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from agent.prices.calendar import MONTH_NAME, Mark, day_of, find_marks, month_number
from agent.prices.fold import fold
from agent.prices.mention import CalendarDay, NumberKind, NumberMention
from agent.prices.money import Money, attach_money
from agent.prices.scan import Numeral, scan

_UNITS = (
    r"(?:(?:(?:more|other|extra|further|full|additional|consecutive|standard|deluxe|superior|double|twin|single|king|queen|family"
    r"|executive|premium|club|junior|free|paid|good|great|small|big|new|different|of|whole|calendar|business|working|separate"
    r"|adjoining|connecting|available)[ ])*"
    r"(?:room[- ]?nights?|rooms?|nights?|days?|weeks?|weekends?|months?|mo|years?|yrs?|hours?|hrs?|minutes?|mins?|seconds?|secs?"
    r"|guests?|people|persons?|pax|adults?|kids?|children|child|couples?|travell?ers?|families|"
    r"stars?|times?|bookings?|reservations?|properties|hotels?|floors?|beds?|bedrooms?|bathrooms?|br|bd|ba|bdrms?|suites?|units?"
    r"|km|kms|kilomet\w+|miles?|mi|met(?:er|re)s?|feet|foot|ft|sq|sqft|sqm|inch(?:es)?|m2|points?|pts|"
    r"reviews?|options?|pieces?|pcs|items?|copies|dates?|quarters?|pairs?|blocks?|lbs?|pounds of|kg|kgs|ounces?|oz|gb|tb|mb|mph"
    r"|cc|hp|gears?|speeds?|doors?|seats?|rows?|tickets?|colleagues?|competitors?|sites?|otas?|channels?|of (?:us|them|you|those"
    r"|these|our|your|my)|"
    r"st|nd|rd|y/?o|years?[- ]old|gen|bit|gigs?|liters?|litres?|ml|cm|mm|hz|mhz)\b)"
)
_HAN_UNITS = (
    r"(?:个|個)?(?:间|間|晚|夜|天|月|星期|礼拜|周|週|年|小时|小時|分钟|分鐘|秒|人|位|名|次|遍|星|家|套|层|層|楼|樓|号|號|房|床|张"
    r"|張|公里|里|米|平米|平方|客|份|笔|单|單|种|種|条|條|道|碗|盘|杯|瓶|项"
    r"|項|岁|歲|倍|期|成人|儿童|孩|"
    r"房晚|间夜|方面|方案|选择|地方|景点|酒店|餐馆|菜|早(?!点)|分(?!之|钱))"
)
_AFTER = re.compile(
    r"(?P<percent>[ ]*(?:%|per[ ]?cents?\b|percents?(?:age)?\b|pct\b|(?:个|個)?[ ]*百[ ]*分[ ]*(?:点|點)|(?:个|個)(?:点|點)))"
    r"|(?P<zhe>[ ]*折)|(?P<cheng>[ ]*成(?![人为功本交员立熟长都])[ ]*(?P<tenth>[半一二三四五六七八九])?)"
    rf"|(?P<day>(?:st|nd|rd|th)?[ ]*(?:of[ ]+)?(?P<month>{MONTH_NAME})\b\.?)"
    r"|(?P<time>[ ]*(?:[ap]\.?m\b\.?|o'?[ ]?clock\b|hours?[ ]sharp))"
    rf"|(?P<unit>[ -]?{_UNITS})"
    rf"|(?P<hanunit>[ ]?{_HAN_UNITS})"
)
_MONTH_BEFORE = re.compile(rf"\b(?P<month>{MONTH_NAME})\b\.?,?[ ]+(?:the[ ]+)?$")
_LINK = re.compile(r"[ ]*(?:-|to|till?|until|through|thru|and|&|,|/|~|到|至)[ ]*(?:the[ ]+)?$")
_CLOCK_BEFORE = re.compile(r"(?:\b(?:around|about|by|before|after|until|till|at|between|from)[ ]+)$")
_CLOCK_CUE = re.compile(
    r"\b(?:meet(?! (?:me|you|us|at|in|half))|pick(?:ing)?(?: it| you| that| this| them)? ?up|see you|be there|come (?:by|over)"
    r"|tomorrow|tonight|today|o'?clock|available|call|free (?:at|after|around)|leave|home|off work|get off|swing|stop by|coming"
    r"|morning|afternoon|evening)\b"
)
_YEAR_BEFORE = re.compile(
    rf"(?:\b(?:in|since|year|of|by|until|from|for|fy|summer|winter|spring|autumn|fall|season|end|early|late|mid|throughout"
    rf"|{MONTH_NAME}|the)[ -]+|\bq[1-4] ?/? ?)$"
)
_YEAR_AFTER = re.compile(
    r"(?:[ ](?:season|summer|winter|model|rates?|contract|edition|was|has|is (?:going|getting|old)|toyota|honda|ford|chevy|nissan"
    r"|bmw|mazda|jeep|dodge|audi|buick|lexus|prices?)\b|s\b)"
)
_PRONOUN_BEFORE = re.compile(
    r"\b(?:the|this|that|which|no|any|every|each|some|another|other|good|great|nice|new|better|cheaper|next|last|first|right|same"
    r"|only|old|older|used|similar|my|your|his|her|an?|of)[ -]$"
)
_PRONOUN_AFTER = re.compile(
    r"[ ](?:of|day|thing|moment|way|more|who|that|which|another|last|should|could|would|can|is|has|and only|time|question|side"
    r"|hand|side|step|here|there|needs?|must|person|or (?:two|another)|and)\b|'s\b|[.,!?;]*$"
)
_FEW = re.compile(r"(?:a )?(few|couple|pair)(?: of)?")
_RATING_BEFORE = re.compile(r"(?:评分|得分|打分|评价|分数|\b(?:rating|rated|scored?|scores))[^\d,.;]{0,8}$")
_RATING_AFTER = re.compile(r"[ ]?(?:/|out of)[ ]?(?:5|10)(?![\d.])")
_COUNT_LINK = re.compile(r"[ ]*(?:-|~|to|or|到|至|;|或)[ ]*")
HALF_PRICE = re.compile(r"\bhalf[ -](?:price|off)\b|半价|对折|對折|半價")
"""Fifty percent in words without a number in them."""
_REFERENCE_BEFORE = re.compile(
    r"(?:\b(?:ref(?:erence)?|article|clause|section)\b\.?[ ]?[#:]?|\b(?:no|nr)\.[ ]?|\b(?:number|id)[ ]?[:#]?|#|№)[ ]?$"
)
"""A room is not among them: "deluxe room 450" is a price here, "room no. 450" a room."""
_NO_YUAN = re.compile("(?<=[这那哪])一块|一块(?:儿|去|来|做|聊|谈|干|合作|努力|发展)")
""""This piece" and "together"."""
_FOR_BEFORE = re.compile(r"\b(?:for|by|of|until|all) $")
_ARTICLE_BEFORE = re.compile(r"\b(?:an?|the|from) $")
_PLAIN_SUFFIXES = frozenset(["s", "ish", "net", "nett", "netto", "pn", "pp", "each", "ea", "flat", "only", "max", "min"])
_YEAR_LINK = re.compile(r"(?:st|nd|rd|th)?,?[ ]*")
_SENTENCE = 120
"""Characters to either side that a sentence is looked at for."""
_BEYOND_MONEY = Decimal(10) ** 27
"""Above this no arithmetic is exact any more, and nobody means it."""
_PHONE_RUN = re.compile(r"\d{5,}")


@dataclass(frozen=True, slots=True)
class Counted:
    """A number with its kind, and the money that it is where it is money."""

    numeral: Numeral
    kind: NumberKind
    money: Money | None = None
    day: CalendarDay | None = None
    percent: Decimal | None = None
    """For ``PERCENT``: the percentage as said."""
    discount: bool = False
    """Said as what remains ("八五折", 15 down)."""


def find_numbers(text: str, *, language: str | None = None) -> tuple[NumberMention, ...]:
    """Every number of ``text`` in digits or words, English or Chinese, with its kind; left to right.

    ``language`` (ISO 639-1) only settles "¥"-like doubts and may be left out. A date gives one mention per day (its value is the day of
    the month) and one ``YEAR`` where a year is written. Amounts with cents ("3 dollars 50 cents") are one mention. Any text is
    accepted; nothing raises.
    """
    folded = fold(text)
    counted, marks = count(text, folded, language)
    mentions = [_mention(entry, text) for entry in counted]
    for mark in marks:
        mentions.extend(
            NumberMention(value=value, kind=kind, start=mark.start, end=mark.end, text=text[mark.start : mark.end], day=day)
            for value, kind, day in mark.numbers
        )
    for half in HALF_PRICE.finditer(folded) if "half" in folded or "半" in folded or "折" in folded else ():
        span = half.span()
        mentions.append(NumberMention(value=Decimal(50), kind=NumberKind.PERCENT, start=span[0], end=span[1], text=text[span[0] : span[1]]))
    mentions.sort(key=lambda mention: mention.start)
    return tuple(mentions)


def _mention(entry: Counted, text: str) -> NumberMention:
    numeral, money = entry.numeral, entry.money
    value, start, end = numeral.value, numeral.start, numeral.end
    if money is not None:
        value, start, end = money.value, money.start, money.end
    if entry.percent is not None:
        value = entry.percent
    return NumberMention(value=value, kind=entry.kind, start=start, end=end, text=text[start:end], day=entry.day)


def count(text: str, folded: str, language: str | None) -> tuple[list[Counted], list[Mark]]:
    """Classify the numbers of a text; those inside a date, time or telephone number stand in the marks instead."""
    numerals = scan(text, folded)
    if not numerals and len(folded) < 16 and (few := _FEW.fullmatch(folded.strip())):
        start = folded.index(few[0])
        numerals = [Numeral(value=Decimal(3 if few[1] == "few" else 2), start=start, end=start + len(few[0]), spelled=True)]
    marks = find_marks(folded)
    if marks:
        marks = [mark for mark in marks if not _is_amount_range(mark, folded)]
        numerals = _outside(numerals, marks)
    counted: list[Counted] = []
    moneys = attach_money(folded, numerals, language)
    for numeral, money in moneys:
        previous = counted[-1].kind if counted else None
        counted.append(_count(folded, numeral, money, previous, alone=len(moneys) == 1))
    if len(counted) > 1:
        _carry_months(folded, counted)
        _carry_units(folded, counted)
        _carry_years(folded, counted)
    return counted, marks


def _outside(numerals: list[Numeral], marks: list[Mark]) -> list[Numeral]:
    """The numbers that touch no mark; both lists stand in the order of the text."""
    result: list[Numeral] = []
    place = 0
    for numeral in numerals:
        while place < len(marks) and marks[place].end <= numeral.start:
            place += 1
        if place == len(marks) or marks[place].start >= numeral.end:
            result.append(numeral)
    return result


def _is_amount_range(mark: Mark, folded: str) -> bool:
    """ "$10/12" is no date."""
    return mark.start > 0 and folded[mark.start - 1] in "$€£¥"


def _count(folded: str, numeral: Numeral, money: Money | None, previous: NumberKind | None, *, alone: bool) -> Counted:
    if abs(numeral.value) >= _BEYOND_MONEY:
        return Counted(numeral, NumberKind.OTHER)
    after = _AFTER.match(folded, numeral.end)
    kind_after = after.lastgroup if after else None
    if after is not None:
        if after["percent"]:
            return Counted(numeral, NumberKind.PERCENT, None, None, numeral.value)
        if after["zhe"]:
            return _fold_discount(numeral)
        if after["cheng"]:
            tenth = after["tenth"]
            extra = Decimal(5) if tenth == "半" else Decimal("一二三四五六七八九".index(tenth) + 1) if tenth else Decimal(0)
            return Counted(numeral, NumberKind.PERCENT, None, None, numeral.value * 10 + extra)
    if numeral.fraction and numeral.han and _is_percentage(folded, numeral):
        return Counted(numeral, NumberKind.PERCENT, None, None, numeral.value * 100)
    if money is not None and not _NO_YUAN.match(folded, numeral.start):
        return Counted(numeral, NumberKind.AMOUNT, money)
    if numeral.glued or (
        folded[numeral.start].isdecimal() and _REFERENCE_BEFORE.search(folded[max(0, numeral.start - 24) : numeral.start])
    ):
        return Counted(numeral, NumberKind.OTHER)
    if after is not None and after["day"] and _may_be_day(numeral):
        return Counted(numeral, NumberKind.DATE, None, day_of(_year_at(folded, after.end()), month_number(after["month"]), numeral.value))
    before = folded[max(0, numeral.start - 24) : numeral.start]
    if _may_be_day(numeral) and (month := _MONTH_BEFORE.search(before)):
        return Counted(numeral, NumberKind.DATE, None, day_of(_year_at(folded, numeral.end), month_number(month["month"]), numeral.value))
    if kind_after == "time" or (after is not None and after["time"]):
        return Counted(numeral, NumberKind.TIME)
    if numeral.scaled and not alone and folded[numeral.end - 1] in "gt" and folded[numeral.start].isdecimal():
        return Counted(numeral, NumberKind.OTHER)
    if numeral.ordinal or before.endswith("第"):
        return Counted(numeral, NumberKind.ORDINAL)
    if numeral.fraction:
        return Counted(numeral, NumberKind.OTHER)
    if numeral.spelled and folded.endswith(("dozen", "dozens", "打"), numeral.start, numeral.end):
        return Counted(numeral, NumberKind.COUNT)
    if after is not None and (after["unit"] or after["hanunit"]) and not numeral.colloquial:
        return Counted(numeral, NumberKind.COUNT)
    if numeral.han and not numeral.scaled and _in_han_word(folded, numeral):
        return Counted(numeral, NumberKind.OTHER)
    if numeral.value <= 10 and (_RATING_BEFORE.search(before) or _RATING_AFTER.match(folded, numeral.end)):
        return Counted(numeral, NumberKind.COUNT)
    if numeral.suffix and numeral.suffix not in _PLAIN_SUFFIXES:
        return Counted(numeral, NumberKind.OTHER)
    if _is_year(folded, numeral, before) or (
        previous is NumberKind.DATE and _is_year_number(folded, numeral) and before.endswith((", ", " "))
    ):
        return Counted(numeral, NumberKind.YEAR)
    is_one = numeral.spelled and numeral.value == 1 and not numeral.han and numeral.end - numeral.start < len(folded.strip())
    if is_one and (_PRONOUN_BEFORE.search(before) or _PRONOUN_AFTER.match(folded, numeral.end)):
        return Counted(numeral, NumberKind.OTHER)
    if _is_clock(folded, numeral, before):
        return Counted(numeral, NumberKind.TIME)
    if numeral.value >= 10**7 and not numeral.scaled and _PHONE_RUN.fullmatch(folded[numeral.start : numeral.end]):
        return Counted(numeral, NumberKind.OTHER)
    return Counted(numeral, NumberKind.AMOUNT)


def _in_han_word(folded: str, numeral: Numeral) -> bool:
    """A single Chinese digit inside a word or name ("推荐一个", "三文鱼", "柒彩酒楼"), unless a step in price goes before it ("降五")."""
    before, after = folded[max(0, numeral.start - 1) : numeral.start], folded[numeral.end : numeral.end + 1]
    if before in ("降", "减", "減", "让", "讓", "少", "加", "涨") and before:
        return False
    return "\u4e00" <= before <= "\u9fff" or "\u4e00" <= after <= "\u9fff"


def _fold_discount(numeral: Numeral) -> Counted:
    value = numeral.value
    # "八五折" is 85 %, "8折" 80 %, "九五折" 95 %, "85折" 85 %.
    percent = value * 10 if value <= 10 else value
    return Counted(numeral, NumberKind.PERCENT, None, None, percent, discount=True)


def _is_percentage(folded: str, numeral: Numeral) -> bool:
    words = "".join(folded[numeral.start : numeral.end].split())
    return words.lstrip("负負").startswith(("百分之", "千分之", "万分之", "百万分之", "一百分之"))


def _may_be_day(numeral: Numeral) -> bool:
    value = numeral.value
    return 1 <= value <= 31 and value == int(value) and not numeral.fraction and not numeral.scaled


def _year_at(folded: str, at: int) -> int | None:
    match = re.compile(r"(?:st|nd|rd|th)?,?[ ]+((?:19|20)\d{2})(?!\d)").match(folded, at)
    return int(match[1]) if match else None


def _is_year_number(folded: str, numeral: Numeral) -> bool:
    return 1900 <= numeral.value <= 2100 and folded[numeral.start : numeral.end].isdecimal()


def _is_year(folded: str, numeral: Numeral, before: str) -> bool:
    if not _is_year_number(folded, numeral):
        return False
    if _YEAR_AFTER.match(folded, numeral.end):
        return True
    match = _YEAR_BEFORE.search(before)
    # "for 2000", "from 2000", "the 2000" may be money; a year in this trade lies close to today's.
    if _ARTICLE_BEFORE.search(before) and numeral.value % 50 != 0:
        return True
    if 2021 <= numeral.value <= 2039 and _FOR_BEFORE.search(before):
        return True
    if match is None:
        return False
    return match[0].split()[0] not in ("for", "from", "the", "of", "by") if match[0].split() else True


def _is_clock(folded: str, numeral: Numeral, before: str) -> bool:
    """ "I'll pick it up around 7": a small bare number after a word of time, where the sentence is about meeting."""
    value = numeral.value
    small = (1 <= value <= 12 and value == int(value)) or (numeral.colloquial and value < 1260 and value % 100 < 60)
    if not small or numeral.scaled or not _CLOCK_BEFORE.search(before):
        return False
    first, last = max(0, numeral.start - _SENTENCE), min(len(folded), numeral.end + _SENTENCE)
    start = max(folded.rfind(mark, first, numeral.start) for mark in ".!?;")
    ends = [place for mark in ".!?;" if (place := folded.find(mark, numeral.end, last)) >= 0]
    return _CLOCK_CUE.search(folded, max(first, start + 1), min(ends, default=last)) is not None


def _carry_months(folded: str, counted: list[Counted]) -> None:
    """ "12-15 December", "Dec 12 to 15": the day without a month takes its neighbour's."""
    for place in range(len(counted) - 1, 0, -1):
        left, right = counted[place - 1], counted[place]
        if right.kind is NumberKind.DATE and right.day and _open_day(left) and _linked(folded, left, right):
            counted[place - 1] = Counted(left.numeral, NumberKind.DATE, None, day_of(right.day.year, right.day.month, left.numeral.value))
    for place in range(1, len(counted)):
        left, right = counted[place - 1], counted[place]
        if (
            left.kind is NumberKind.DATE
            and left.day
            and _open_day(right)
            and _linked(folded, left, right)
            and "," not in _between(folded, left, right)
        ):
            counted[place] = Counted(right.numeral, NumberKind.DATE, None, day_of(left.day.year, left.day.month, right.numeral.value))


def _carry_years(folded: str, counted: list[Counted]) -> None:
    """ "May 12 - 15, 2027"."""
    for place in range(1, len(counted)):
        left, right = counted[place - 1], counted[place]
        if left.day is None or right.kind is not NumberKind.AMOUNT or not _is_year_number(folded, right.numeral):
            continue
        if _YEAR_LINK.fullmatch(folded, left.numeral.end, right.numeral.start):
            day = CalendarDay(int(right.numeral.value), left.day.month, left.day.day)
            counted[place - 1] = Counted(left.numeral, NumberKind.DATE, None, day)
            counted[place] = Counted(right.numeral, NumberKind.YEAR)


def _carry_units(folded: str, counted: list[Counted]) -> None:
    """ "2-3 nights", "1 or 2 rooms": the first number counts what the second one counts."""
    for place in range(len(counted) - 1, 0, -1):
        left, right = counted[place - 1], counted[place]
        if right.kind is NumberKind.COUNT and left.kind is NumberKind.AMOUNT and left.money is None and left.numeral.value < 100:
            between = folded[left.numeral.end : right.numeral.start]
            if len(between) < 6 and _COUNT_LINK.fullmatch(between):
                counted[place - 1] = Counted(left.numeral, NumberKind.COUNT)


def _open_day(entry: Counted) -> bool:
    return entry.kind in (NumberKind.AMOUNT, NumberKind.ORDINAL) and entry.money is None and _may_be_day(entry.numeral)


def _between(folded: str, left: Counted, right: Counted) -> str:
    between = folded[left.numeral.end : right.numeral.start]
    return re.sub(rf"^(?:st|nd|rd|th)?[ ]*(?:of[ ]+)?{MONTH_NAME}?\b\.?", "", between) if len(between) < 30 else between


def _linked(folded: str, left: Counted, right: Counted) -> bool:
    between = re.sub(rf"\b{MONTH_NAME}\b\.?", " ", _between(folded, left, right)) + ""
    return _LINK.fullmatch(between.rstrip() + " " if between.strip() else "x") is not None
