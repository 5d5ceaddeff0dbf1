"""Numbers in digits: the conventions in which they are written, and the letters behind them that multiply.

Decided here: what a digit literal says ("1,234.5", "1.234,50", "1'234") and which letters are a magnitude ("k", "lakh"). Where a number
begins and ends is decided in ``scan``.
"""

from decimal import Decimal

LITERAL = (
    r"(?:\d{1,3}(?:,\d{3})+(?![\d])(?:\.\d+)?"  # 1,234.5
    r"|\d{1,2}(?:,\d{2})+,\d{3}(?!\d)(?:\.\d+)?"  # 1,50,000
    r"|\d{1,3}(?:'\d{3})+(?!\d)(?:\.\d+)?"  # 1'234
    r"|\d{1,3}(?:\.\d{3})+,\d{1,2}(?!\d)"  # 1.234,50
    r"|\d{1,3}(?:\.\d{3}){2,}(?!\d)"  # 1.234.567
    r"|\d{1,3}(?: \d{3}){2,}(?!\d)(?:\.\d+)?"  # 1 234 567
    r"|\d+,\d{1,2}(?![\d,])(?!\.\d)"  # 5,00
    r"|\d+(?:\.\d+)?|(?<!\d)\.\d+)"
)
"""An expression for one of them."""
MAGNITUDES = {
    "k": 10**3,
    "mil": 10**6,
    "mio": 10**6,
    "mn": 10**6,
    "mm": 10**6,
    "bn": 10**9,
    "lakh": 10**5,
    "lakhs": 10**5,
    "lac": 10**5,
    "jt": 10**6,
    "juta": 10**6,
    "rb": 10**3,
    "ribu": 10**3,
    "cr": 10**7,
}
CAPITAL_MAGNITUDES = {"M": 10**6, "B": 10**9, "G": 10**9, "T": 10**12}
"""Read only where they are capitals (or after a currency sign): "5m" is a length, "4g" a network."""


def parse_literal(token: str) -> Decimal:
    """A digit literal in any of the written conventions: ``1,234.5``, ``1.234,50``, ``5,00``, ``1'234``, ``1 234 567``."""
    plain = token.replace(" ", "").replace("'", "")
    comma, point = plain.rfind(","), plain.rfind(".")
    comma_is_point = comma > point and len(plain) - comma - 1 != 3
    plain = plain.replace(".", "").replace(",", ".") if comma_is_point else plain.replace(",", "")
    if plain.count(".") > 1:
        plain = plain.replace(".", "")
    return Decimal(plain)


def attached_letters(text: str, end: int) -> str:
    """The Latin letters (folded) that follow a literal without a space."""
    after = end
    while after < len(text) and "a" <= text[after] <= "z":
        after += 1
    return text[end:after]
