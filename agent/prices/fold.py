"""One folded copy of a text, character for character as long as the original, so that every span found in it holds in both.

Decided here: what is the same character (case, full width, typographic dashes and quotes). What the characters mean is not.
"""

import re

_WIDE_THOUSANDS = re.compile(r"(?<=[０-９])，(?=[０-９]{3}(?![０-９]))")
_SAME = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    0x3000: " ",
    0x00A0: " ",
    0x202F: " ",
    0x2009: " ",
    0x2010: "-",
    0x2011: "-",
    0x2012: "-",
    0x2013: "-",
    0x2014: "-",
    0x2015: "-",
    0x2212: "-",
    0x301C: "~",
    0x2018: "'",
    0x2019: "'",
    0x201C: '"',
    0x201D: '"',
    0x3002: ".",
    # Chinese commas part clauses, never thousands: "20，300" is two prices.
    0x3001: ";",
    0xFF0C: ";",
}


def fold(text: str) -> str:
    """Lower case, half width, plain dashes and quotes; ``len(fold(text)) == len(text)`` for any text."""
    if text.isascii():
        return text.lower()
    if "，" in text:
        text = _WIDE_THOUSANDS.sub(",", text)
    plain = text.translate(_SAME)
    lowered = plain.lower()
    if len(lowered) == len(plain):
        return lowered
    return "".join(low if len(low := char.lower()) == 1 else char for char in plain)
