"""The English words that numbers are made of, and what each of them contributes to one.

Decided here: which words may stand in a number, slips of spelling included. What a run of them says is decided in ``english``.
"""

from decimal import Decimal
from enum import IntEnum


class Part(IntEnum):
    """What a token contributes to a number."""

    LITERAL = 0
    UNIT = 1
    TEEN = 2
    TENS = 3
    HUNDRED = 4
    SCALE = 5
    DOZEN = 6
    ARTICLE = 7
    AND = 8
    POINT = 9
    HALF = 10
    QUARTER = 11
    MINUS = 12
    COUPLE = 13
    SHARE = 14
    """A denominator: "thirds", "fifth"."""
    OF = 15
    OH = 16


_D = Decimal
_UNITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SCALES = {
    "thousand": 10**3, "thousands": 10**3, "grand": 10**3, "k": 10**3, "million": 10**6, "millions": 10**6, "mil": 10**6, "mio": 10**6,
    "mn": 10**6, "mm": 10**6, "billion": 10**9, "billions": 10**9, "bn": 10**9, "trillion": 10**12, "trillions": 10**12,
    "lakh": 10**5, "lakhs": 10**5, "lac": 10**5, "lacs": 10**5, "lkh": 10**5, "crore": 10**7, "crores": 10**7, "cr": 10**7, "koti": 10**7,
}  # fmt: skip
_SHARES = {
    "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "twentieth": 20, "hundredth": 100,
}  # fmt: skip

WORDS: dict[str, tuple[Part, Decimal]] = {
    **{word: (Part.UNIT, _D(value)) for value, word in enumerate(_UNITS)},
    **{word: (Part.TEEN, _D(value)) for value, word in enumerate(_TEENS, 10)},
    **{word: (Part.TENS, _D(value * 10)) for value, word in enumerate(_TENS, 2)},
    **{word: (Part.SCALE, _D(value)) for word, value in _SCALES.items()},
    **{word: (Part.SHARE, _D(value)) for word, value in _SHARES.items()},
    **{f"{word}s": (Part.SHARE, _D(value)) for word, value in _SHARES.items()},
    "naught": (Part.UNIT, _D(0)),
    "nought": (Part.UNIT, _D(0)),
    "fourty": (Part.TENS, _D(40)),
    "ninty": (Part.TENS, _D(90)),
    "hundred": (Part.HUNDRED, _D(100)),
    "hundreds": (Part.HUNDRED, _D(100)),
    "hundo": (Part.HUNDRED, _D(100)),
    "hunderd": (Part.HUNDRED, _D(100)),
    "hundered": (Part.HUNDRED, _D(100)),
    "dozen": (Part.DOZEN, _D(12)),
    "dozens": (Part.DOZEN, _D(12)),
    "a": (Part.ARTICLE, _D(1)),
    "an": (Part.ARTICLE, _D(1)),
    "and": (Part.AND, _D(0)),
    "n": (Part.AND, _D(0)),
    "point": (Part.POINT, _D(0)),
    "half": (Part.HALF, _D("0.5")),
    "quarter": (Part.QUARTER, _D("0.25")),
    "quarters": (Part.QUARTER, _D("0.25")),
    "minus": (Part.MINUS, _D(-1)),
    "negative": (Part.MINUS, _D(-1)),
    "couple": (Part.COUPLE, _D(2)),
    "pair": (Part.COUPLE, _D(2)),
    "few": (Part.COUPLE, _D(3)),
    "of": (Part.OF, _D(0)),
    "oh": (Part.OH, _D(0)),
    "o": (Part.OH, _D(0)),
}
"""Each word with its part and its value."""
ORDINALS = {
    word: _D(value)
    for value, word in enumerate(
        [
            *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"),
            *("thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth"),
        ],
        1,
    )
} | {"thirtieth": _D(30)}
