"""How amounts, days and stays are written in our own words, in English and Chinese; and which language a sentence is written in."""

import re
from datetime import date
from decimal import Decimal

from agent.domain import plain

SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}
"""Currencies that may stand as a sign before the amount."""
CURRENCIES_ZH = {
    "CNY": "元", "USD": "美元", "EUR": "欧元", "GBP": "英镑", "JPY": "日元", "HKD": "港币", "THB": "泰铢", "SGD": "新币", "MYR": "马币",
    "AUD": "澳元", "NZD": "新西兰元", "CAD": "加元", "AED": "迪拉姆", "INR": "卢比", "DKK": "丹麦克朗", "VND": "越南盾", "KRW": "韩元",
}  # fmt: skip
"""What stands behind an amount in Chinese; a currency that is not listed stands there with its ISO code."""
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
HAN = r"\u3400-\u9fff"
"""Chinese characters, for a class of a regular expression."""
_HAN = re.compile(f"[{HAN}]")


def amount_text(amount: Decimal, currency: str, language: str = "en") -> str:
    """An amount with its currency: ``EUR 430``, ``430欧元``."""
    if language == "zh":
        return f"{plain(amount)}{CURRENCIES_ZH.get(currency, f' {currency}')}"
    return f"{currency} {plain(amount)}"


def day_text(day: date, language: str = "en", *, long: bool = False) -> str:
    """A day: ``12 Oct 2026``, ``2026年10月12日``; ``long`` spells the English month out."""
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    month = _MONTHS[day.month - 1]
    return f"{day.day} {month if long else month[:3]} {day.year}"


def stay_text(first: date, last: date, language: str = "en", *, long: bool = False) -> str:
    """From the first day to the last: ``12 Oct 2026 to 16 Oct 2026``; the Chinese names a year once, ``2026年10月12日至10月16日``."""
    if language != "zh":
        return f"{day_text(first, long=long)} to {day_text(last, long=long)}"
    end = day_text(last, language)
    return f"{day_text(first, language)}至{end if first.year != last.year else end.partition('年')[2]}"


def is_written_in(sentence: str, language: str) -> bool:
    """Whether a sentence may stand in a text of this language: no Chinese sentence in an English reply, nor the other way round."""
    return (_HAN.search(sentence) is not None) == (language == "zh")
