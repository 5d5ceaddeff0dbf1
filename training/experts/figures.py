"""Prices and dates in a reply, as an expert reads them: digits only, with the kind of price that stands beside them.

Decided here: a small reading of our own, written for the replies of our side. It shares nothing with the price grammar, the guard or the
rewards, so that a number which they misread is still seen here.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from db.vocabulary import PriceBasis

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# "GBP 43 may be much" is no date: the month of May wants its capital.
_MONTH = r"(?P<month>(?:jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?|(?-i:May|MAY)\b)"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])"
_DATES = (
    re.compile(rf"(?<![\w.,$€£¥])(?P<day>{_DAY})(?:st|nd|rd|th)?(?: of)? {_MONTH}(?:,? (?P<year>20\d\d)\b)?", re.IGNORECASE),
    re.compile(rf"\b{_MONTH} (?P<day>{_DAY})(?:st|nd|rd|th)?\b(?:,? (?P<year>20\d\d)\b)?", re.IGNORECASE),
    re.compile(r"\b(?P<year>20\d\d)-(?P<month>\d\d)-(?P<day>\d\d)\b"),
    re.compile(r"(?:(?P<year>20\d\d)\s?年)?\s?(?P<month>\d{1,2})\s?月\s?(?P<day>\d{1,2})\s?[日号]"),
)
_CODES = "USD|EUR|GBP|JPY|CNY|RMB|DKK|SEK|NOK|PLN|CZK|ZAR|AED|INR|THB|SGD|MYR|HKD|AUD|NZD|CAD|CHF|TRY|KRW|IDR|VND|PHP|MXN|BRL|HUF"
_AMOUNT = re.compile(
    rf"(?P<before>\b(?:{_CODES})\b\s?|[$€£¥])?(?<![A-Za-z0-9_.,#])(?P<number>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?)(?P<k>k\b)?"
    rf"(?P<percent>\s?%| percent\b)?(?P<after>\s?\b(?:{_CODES})\b|\s?[€元])?(?![A-Za-z0-9_#])"
)
_KIND_AFTER = re.compile(
    r"^\s?\(?(?P<kind>net|selling)\b|^\s?(?:on sale )?to (?:the )?(?:guests|travell?ers)\b", re.IGNORECASE
)  # fmt: skip
_KIND_BEFORE = re.compile(
    r"(?P<kind>\bnet\b|\bselling\b|\bsells?\b|\bpublic\b|净价|底价|结算价|售价|卖价)"
    r"(?:[ ,:]*(?:price|rate|amount|of|to|at|is|was|stays|remains|for|be|a|the|为|是|到))*[ :为是]*$",
    re.IGNORECASE,
)
_SHOWN = re.compile(
    r"\b(?:guests?|travell?ers?|customers?)\b.{0,24}\b(?:pay|see|find|get|book)\b|\bto (?:the )?(?:guests|travell?ers)\b"
    r"|\bpublic (?:price|rate)\b|\bselling price\b|\bon (?:our|the) (?:page|site|website)\b",
    re.IGNORECASE,
)
_CLAUSES = re.compile(r"[.!?;。！？；](?:\s|$)|, (?:while|so|but|and|which)\b|: ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """One number that may be a price."""

    value: Decimal
    basis: PriceBasis
    """The kind of price that its words make it."""
    currency: str | None
    """The code or sign beside it."""
    percent: bool
    start: int
    end: int


@lru_cache(maxsize=4096)
def find_dates(text: str) -> tuple[tuple[int, int, int, int | None, int | None], ...]:
    """Every date as (start, end, day, month, year); the year is None where it is not said."""
    found: list[tuple[int, int, int, int | None, int | None]] = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            if any(match.start() < end and start < match.end() for start, end, *_ in found):
                continue
            month = match["month"]
            number = int(month) if month.isdigit() else _MONTHS.index(month[:3].lower()) + 1
            found.append((match.start(), match.end(), int(match["day"]), number, int(match["year"]) if match["year"] else None))
    return tuple(sorted(found))


def names_day(text: str, day: date) -> bool:
    """Whether the text names this day."""
    return any(said == day.day and month == day.month and year in (None, day.year) for _, _, said, month, year in find_dates(text))


@lru_cache(maxsize=4096)
def find_amounts(text: str) -> tuple[Amount, ...]:
    """Every number that is not part of a date, with the kind of price that it is said to be."""
    blanked = text
    for start, end, *_ in find_dates(text):
        blanked = blanked[:start] + "~" * (end - start) + blanked[end:]
    found: list[Amount] = []
    for match in _AMOUNT.finditer(blanked):
        value = Decimal(match["number"].replace(",", "")) * (1000 if match["k"] else 1)
        currency = match["before"] or match["after"]
        found.append(
            Amount(
                value=value, basis=_basis(blanked, match.start(), match.end()), currency=currency.strip() if currency else None,
                percent=match["percent"] is not None, start=match.start(), end=match.end(),
            )
        )  # fmt: skip
    return tuple(found)


def _basis(text: str, start: int, end: int) -> PriceBasis:
    """What stands right behind the number, else right before it, else what its clause speaks of."""
    if behind := _KIND_AFTER.search(text[end : end + 40]):
        return PriceBasis.NET if behind["kind"] and behind["kind"].lower() == "net" else PriceBasis.SELLING
    if ahead := _KIND_BEFORE.search(text[max(0, start - 40) : start]):
        return PriceBasis.NET if ahead["kind"].lower() in ("net", "净价", "底价", "结算价") else PriceBasis.SELLING
    left = max((cut.end() for cut in _CLAUSES.finditer(text, 0, start)), default=0)
    right = next((cut.start() for cut in _CLAUSES.finditer(text, end)), len(text))
    clause = text[left:right]
    if re.search(r"\bnet\b", clause, re.IGNORECASE):
        return PriceBasis.UNKNOWN
    return PriceBasis.SELLING if _SHOWN.search(clause) else PriceBasis.UNKNOWN
