"""What a price or a number in a text *is*: the words in which the other modules of this package answer.

Decided here: the shape of an answer. How a text becomes one is decided in ``offers`` (prices) and ``kinds`` (numbers); how a mention
becomes an amount of this conversation in ``anchors``.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from db.vocabulary import PriceBasis


class PriceForm(StrEnum):
    """How a price was put."""

    ABSOLUTE = "absolute"
    """One amount: "430"."""
    DELTA = "delta"
    """An amount up or down from where things stand: "knock 10 off"."""
    PERCENT = "percent"
    """A share up or down, or a bare share: "10% off", "八五折" (15 down), "18% commission" (no direction)."""
    RANGE = "range"
    """Two amounts, or one open bound: "400-450", "mid 300s", "not under 450" (a low bound only)."""
    RELATIVE = "relative"
    """A named anchor instead of an amount: "same as Agoda", "split the difference"."""


class Polarity(StrEnum):
    """What the speaker does with the price.

    A bound is an offer of the bound: "not a cent under 450" is a ``RANGE`` from 450 with ``OFFER``; "430 is too low" is ``REFUSAL``.
    """

    OFFER = "offer"
    REFUSAL = "refusal"
    MENTION = "mention"
    """Told about, not put forward: "Agoda shows 455", "we are at 480 today", "breakfast is 30"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceMention:
    """One price in a text, with the characters it stands on (``text == source[start:end]``)."""

    form: PriceForm
    value: Decimal | None = None
    """Amount in whole currency units; percentage points for ``PERCENT``; the only bound for a one-sided ``RANGE``. Never negative."""
    low: Decimal | None = None
    high: Decimal | None = None
    sign: int = 0
    """-1 down, +1 up, 0 where the text names no direction; only for ``DELTA`` and ``PERCENT``."""
    anchor: str | None = None
    """For ``RELATIVE``: "competitor", "midpoint", "current", "last_ask" or "last_offer"."""
    currency: str | None = None
    """ISO 4217; None where the text leaves it open ("$" is the dollar of the conversation)."""
    basis: PriceBasis = PriceBasis.UNKNOWN
    polarity: Polarity = Polarity.OFFER
    approximate: bool = False
    plus_tax: bool = False
    """Tax or service come on top ("450++")."""
    start: int
    end: int
    text: str


class NumberKind(StrEnum):
    """What a number in a sentence counts."""

    AMOUNT = "amount"
    PERCENT = "percent"
    DATE = "date"
    TIME = "time"
    ORDINAL = "ordinal"
    COUNT = "count"
    YEAR = "year"
    OTHER = "other"
    """Phone numbers, references, room numbers, fractions, pronouns ("that one")."""


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day as it was written; the year is None where the text leaves it out."""

    year: int | None
    month: int
    day: int

    def matches(self, day: date) -> bool:
        """True where ``day`` may be meant."""
        return (self.month, self.day) == (day.month, day.day) and self.year in (None, day.year)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberMention:
    """One number in a text, in digits or words. For ``PERCENT`` the value is the percentage as said (85 for "八五折")."""

    value: Decimal
    kind: NumberKind
    start: int
    end: int
    text: str
    day: CalendarDay | None = None
    """The day meant, for ``DATE`` with at least day and month."""
