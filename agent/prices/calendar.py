"""Days, clock times and years as people write them, found before anything else so that their numbers are never taken for prices.

Decided here: which characters are a date, a time, a telephone number, a web address or a reference. A date whose day and month may be
exchanged ("05/06") is read day first.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from agent.prices.chinese import read_han
from agent.prices.mention import CalendarDay, NumberKind

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
MONTH_NAME = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?"
    r"|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_HAN_DAY = r"(?:\d{1,2}|[一二三四五六七八九十廿卅]{1,3})"
_MARKED = re.compile(
    r"(?=[\d(+])(?:(?P<iso>(?<![\d/.-])(?:19|20)\d{2}[-/.]\d{1,2}[-/.]\d{1,2}(?![\d]))"
    r"|(?P<dmy>(?<![\d/.-])\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})(?![\d/-])(?!\.\d))"
    r"|(?P<phone>(?<![\d.,])\+\d{1,3}[ -]?\(?\d[\d ()/-]{5,}\d|\(\d{3}\) ?\d{3}-\d{4}|(?<![\d.,$€£-])\d{3}-\d{3}-\d{4}(?!\d)"
    r"|(?<![\d-])\d{3,4}-\d{7,8}(?!\d)|(?<!\d)1[3-9]\d{9}(?!\d))"
    r"|(?P<time>(?<![\d:.])\d{1,2}[:\"]\d{2}(?::\d{2})?(?:[ ]?[ap]\.?m\b\.?)?|(?<![\d.,])\d{1,2}(?:\.\d{2})?[ ]?(?:[ap]\.?m\b\.?"
    r"|o'?[ ]?clock))"
    r"|(?P<slash>(?<![\d/.-])\d{1,2}/\d{1,2}(?![\d/%]))"
    r"|(?P<address>(?<![\d$€£¥.,])\d{1,5}(?:-\d{1,5})?(?: (?!(?:per|a|an|the|and|for|to|is|at|of|on|in|nights?|net|usd|dollars?"
    r"|if|or|as|with|all)\b)"
    r"(?:\d{1,3}(?:st|nd|rd|th)|[a-z]{1,3}\.|[a-z][a-z']*)){0,4}"
    r" (?:street|road|lane|avenue|ave|drive|boulevard|blvd|parkway|highway|terrace)\b)"
    rf"|(?P<mdash>(?<!\d)\d{{1,2}}-{MONTH_NAME}(?:-\d{{2,4}})?\b))"
)
_HAN_MARKED = re.compile(
    r"(?=[\d〇零一二三四五六七八九十廿卅两凌早上中下晚傍今明])(?:"
    rf"(?P<han>(?:(?P<hy>(?:19|20)?\d{{2}}|[〇零一二三四五六七八九]{{4}})年[ ]?)?(?P<hm>{_HAN_DAY})月(?:份|(?P<hd>{_HAN_DAY})(?:日|号|號)?"
    rf"(?:[ ]?[-到至~和][ ]?(?:(?P<hm2>{_HAN_DAY})月)?(?P<hd2>{_HAN_DAY})[日号號])?)?)"
    rf"|(?P<hy3>(?<!\d)(?:(?:19|20)\d{{2}}|二[〇零][〇零一二三四五六七八九]{{2}}))年(?!前|后)"
    rf"|(?P<hdays>(?<![\d.])(?P<hd4>{_HAN_DAY})[日号號]?[ ]?[-到至~][ ]?(?P<hd5>{_HAN_DAY})[日号號](?!楼|線|线|房))"
    rf"|(?P<hdonly>(?<![\d.第])(?P<hd3>{_HAN_DAY})[日号號](?![元楼線线房本]))"
    r"|(?P<htime>(?:(?:凌晨|早上|上午|中午|下午|晚上|傍晚|今晚|明早)[ ]?(?:\d{1,2}|[一二三四五六七八九十]{1,3}|两)[点點时時](?:半"
    r"|钟|[一二三四五六七八九十\d]{1,3}分?)?)"
    r"|\d{1,2}[点點](?:钟|鐘|半)|\d{1,2}[时時](?![段间間候]))"
    r")"
)
_URL = re.compile(r"(?:https?://|www\.)\S+|\S+@\S+\.\w+")
_MARKS = re.compile(r"\d|[年月日号號点點时時]")
_SLASH_CUE = re.compile(
    r"\b(?:on|from|until|till|by|since|for|to|dates?|between|and|arriv\w+|check-?in|check-?out|stay\w*|starting|of"
    r"|through)[ ]*(?:the[ ]*)?$|^[(-]?$|[-(][ ]?$"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of text whose numbers are settled: one entry of ``numbers`` per number in it."""

    start: int
    end: int
    numbers: tuple[tuple[Decimal, NumberKind, CalendarDay | None], ...]


def find_marks(folded: str) -> list[Mark]:
    """Dates, times, telephone numbers, addresses and references, left to right."""
    if not _MARKS.search(folded):
        return []
    urls = [Mark(*match.span(), ()) for match in _URL.finditer(folded)] if "@" in folded or "://" in folded or "www." in folded else []
    found = [mark for match in _MARKED.finditer(folded) if (mark := _mark(match, folded)) is not None]
    chinese = [] if folded.isascii() else [_han_mark(match) for match in _HAN_MARKED.finditer(folded)]
    return sorted([*urls, *found, *chinese], key=lambda mark: mark.start)


def _mark(match: re.Match[str], folded: str) -> Mark | None:
    text = match[0]
    numbers: list[tuple[Decimal, NumberKind, CalendarDay | None]] = []
    if match["iso"]:
        year, month, day = (int(part) for part in re.split(r"[-/.]", text))
        numbers.append((Decimal(day), NumberKind.DATE, _day(year, month, day)))
    elif match["dmy"]:
        first, second, year = (int(part) for part in re.split(r"[-/.]", text))
        numbers.append((Decimal(first), NumberKind.DATE, _either(first, second, year + 2000 if year < 100 else year)))
    elif match["phone"] or match["address"]:
        numbers.extend((Decimal(part), NumberKind.OTHER, None) for part in re.findall(r"\d+", text))
    elif match["time"]:
        numbers.append((Decimal(re.findall(r"\d+", text)[0]), NumberKind.TIME, None))
    elif match["mdash"]:
        day, month = text.split("-")[:2]
        numbers.append((Decimal(day), NumberKind.DATE, _day(None, month_number(month), int(day))))
    elif match["slash"]:
        first, second = (int(part) for part in text.split("/"))
        when = _either(first, second, None)
        before = folded[max(0, match.start() - 14) : match.start()]
        if when is None or text == "24/7" or not (len(text) == 5 or (len(text) < len(folded.strip()) and _SLASH_CUE.search(before))):
            return None
        numbers.append((Decimal(first), NumberKind.DATE, when))
    return Mark(match.start(), match.end(), tuple(numbers))


def _han_mark(match: re.Match[str]) -> Mark:
    if match["han"]:
        return _han_date(match)
    if match["hy3"]:
        numbers = [(_han_int(match["hy3"]), NumberKind.YEAR)]
    elif match["hdays"]:
        numbers = [(_han_int(match[name]), NumberKind.DATE) for name in ("hd4", "hd5")]
    elif match["hdonly"]:
        numbers = [(_han_int(match["hd3"]), NumberKind.DATE)]
    else:
        digits = re.findall(r"\d+|[一二三四五六七八九十两]+", match["htime"])
        numbers = [(_han_int(digits[0]), NumberKind.TIME)]
    return Mark(match.start(), match.end(), tuple((value, kind, None) for value, kind in numbers))


def _han_date(match: re.Match[str]) -> Mark:
    year = int(_han_int(match["hy"])) if match["hy"] else None
    month = int(_han_int(match["hm"]))
    numbers: list[tuple[Decimal, NumberKind, CalendarDay | None]] = []
    if match["hd"] is None:
        numbers.append((Decimal(month), NumberKind.DATE, None))
    else:
        day = int(_han_int(match["hd"]))
        numbers.append((Decimal(day), NumberKind.DATE, _day(year, month, day)))
        if match["hd2"]:
            last = int(_han_int(match["hd2"]))
            last_month = int(_han_int(match["hm2"])) if match["hm2"] else month
            numbers.append((Decimal(last), NumberKind.DATE, _day(year, last_month, last)))
    if year is not None:
        numbers.append((Decimal(year), NumberKind.YEAR, None))
    return Mark(match.start(), match.end(), tuple(numbers))


def _han_int(text: str) -> Decimal:
    if text.isdecimal():
        return Decimal(text)
    read = read_han(text)
    return read.value if read else Decimal(0)


def month_number(name: str) -> int:
    """1 to 12 for a folded English month name or its abbreviation."""
    return _MONTHS.index(name[:3]) + 1


def _either(first: int, second: int, year: int | None) -> CalendarDay | None:
    return _day(year, second, first) or _day(year, first, second)


def _day(year: int | None, month: int, day: int) -> CalendarDay | None:
    return CalendarDay(year, month, day) if 1 <= month <= 12 and 1 <= day <= 31 else None


def day_of(year: int | None, month: int, day: Decimal) -> CalendarDay | None:
    """The calendar day for a number that stands beside a month name; None where it is no day of a month."""
    return _day(year, month, int(day)) if day == int(day) else None
