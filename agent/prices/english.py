"""English number words to amounts: "two fifty", "2.5 hundred", "three lakh", "a couple hundred", "one and a half million".

Decided here: the value of a run of English number words and digit literals. text2num reads the textbook forms only ("two fifty" is
"2 50" there, "half a million" stays half a text), so the evaluator is our own; see decision record 0002.
"""

from dataclasses import dataclass
from decimal import Decimal

from agent.prices.number_words import Part


@dataclass(frozen=True, slots=True)
class Word:
    """One token of a run."""

    part: Part
    value: Decimal
    start: int
    end: int
    tied: bool = False
    """A hyphen joins it to the token before."""
    digits: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """A number read from a run; ``spelled`` where at least one word took part, ``scaled`` where a scale word fixed the magnitude."""

    value: Decimal
    start: int
    end: int
    spelled: bool
    scaled: bool
    colloquial: bool = False
    """Read as hundreds without saying so ("two fifty")."""
    fraction: bool = False


_D = Decimal
_SMALL = frozenset({Part.UNIT, Part.TEEN, Part.TENS, Part.LITERAL})
_MAGNITUDE = frozenset({Part.HUNDRED, Part.SCALE, Part.DOZEN})
_OPENERS = frozenset({Part.LITERAL, Part.UNIT, Part.TEEN, Part.TENS, Part.HUNDRED, Part.SCALE, Part.DOZEN, Part.HALF})


def read_run(words: list[Word]) -> list[Value]:
    """Every number of a run of tokens that stand next to each other; a run may hold several ("50 50", "4000 3 hundred")."""
    found: list[Value] = []
    at = 0
    while at < len(words):
        value, after = _Reader(words, at).read()
        if value is not None:
            found.append(value)
        at = max(after, at + 1)
    return found


class _Reader:
    """Reads one number from ``words[at:]``, longest first, by one pass with a look-ahead of two tokens."""

    def __init__(self, words: list[Word], at: int) -> None:
        self._words = words
        self._first = at
        self._at = at
        self._colloquial = False
        self._scaled = False
        self._fraction = False

    def _part(self, ahead: int = 0) -> Part | None:
        place = self._at + ahead
        return self._words[place].part if place < len(self._words) else None

    def _value(self, ahead: int = 0) -> Decimal:
        return self._words[self._at + ahead].value

    def read(self) -> tuple[Value | None, int]:
        sign = _D(1)
        if self._part() is Part.MINUS:
            sign = _D(-1)
            self._at += 1
        amount = self._amount()
        if amount is None:
            return None, self._at
        words = self._words[self._first : self._at]
        spelled = any(word.part is not Part.LITERAL for word in words)
        value = Value(sign * amount, words[0].start, words[-1].end, spelled, self._scaled, self._colloquial, self._fraction)
        return value, self._at

    def _amount(self) -> Decimal | None:
        total = _D(0)
        limit: Decimal | None = None
        group = self._leading()
        if group is None:
            group = self._group(limit)
        if group is None:
            return None
        while True:
            if self._part() is Part.SCALE:
                scale = self._value()
                self._scaled = True
                self._at += 1
                if limit is not None and scale > limit:
                    total = (total + group) * scale
                else:
                    total += group * scale
                limit = scale
                group = _D(0)
                tail = self._tail_fraction()
                if tail is not None:
                    return total + tail * scale
                following = self._following_group(limit)
                if following is None:
                    break
                group = following
                continue
            break
        total += group
        if limit is None:
            total = self._over(total)
        return total

    def _leading(self) -> Decimal | None:
        """The openings that are no plain group: "a hundred", "half a million", "a couple hundred", "three quarters of a million"."""
        part, second, third = self._part(), self._part(1), self._part(2)
        if part is Part.ARTICLE:
            return self._after_article(second, third)
        if part is Part.HALF and second in (Part.ARTICLE, Part.SCALE, Part.DOZEN):
            if second is not Part.ARTICLE:
                self._at += 1
                return self._scaled_share(_D("0.5"))
            if third in (Part.SCALE, Part.DOZEN, Part.HUNDRED):
                self._at += 2
                return self._scaled_share(_D("0.5"))
        if part is Part.QUARTER and second is Part.SCALE:
            self._at += 1
            return _D("0.25")
        if part is Part.UNIT and second is Part.QUARTER and third in (Part.SCALE, Part.OF):
            share = self._value() / 4
            self._at += 2
            if self._part() is Part.OF:
                if (self._part(1), self._part(2)) != (Part.ARTICLE, Part.SCALE):
                    self._fraction = True
                    return share
                self._at += 2
            return share
        return None

    def _after_article(self, second: Part | None, third: Part | None) -> Decimal | None:
        if second in _MAGNITUDE:
            self._at += 1
            return self._group(None) if second is not Part.SCALE else _D(1)
        if second is Part.COUPLE:
            steps = 3 if third is Part.OF else 2
            if self._part(steps) in (Part.HUNDRED, Part.SCALE, Part.DOZEN):
                share = self._value(1)
                self._at += steps
                return self._scaled_share(share)
            return None
        if second in (Part.HALF, Part.QUARTER, Part.SHARE):
            share = self._value(1) if second is not Part.SHARE else 1 / self._value(1)
            if third is Part.SCALE:
                self._at += 2
                return share
            if second is Part.QUARTER:
                return None
            self._at += 2
            self._fraction = True
            return share
        return None

    def _scaled_share(self, share: Decimal) -> Decimal:
        """A share of a hundred or a dozen; a scale word is left to the caller's loop."""
        if self._part() in (Part.HUNDRED, Part.DOZEN):
            share *= self._value()
            self._scaled = True
            self._at += 1
        return share

    def _tail_fraction(self) -> Decimal | None:
        """ "three million and a half": the fraction is of the scale."""
        if self._part() is not Part.AND:
            return None
        start = self._at
        self._at += 1
        share = self._small_share()
        if share is None or self._part() is Part.SCALE:
            self._at = start
            return None
        return share

    def _small_share(self) -> Decimal | None:
        part, second = self._part(), self._part(1)
        if part in (Part.ARTICLE, Part.UNIT) and second in (Part.HALF, Part.QUARTER, Part.SHARE):
            top = self._value()
            share = self._value(1) if second is not Part.SHARE else 1 / self._value(1)
            self._at += 2
            return top * share
        return None

    def _following_group(self, limit: Decimal) -> Decimal | None:
        start = self._at
        joined = self._part() is Part.AND
        if joined:
            self._at += 1
        if self._part() in (Part.ARTICLE, Part.UNIT) and self._part(1) in (Part.HALF, Part.QUARTER) and self._part(2) is Part.SCALE:
            share = self._small_share()
            if share is not None and self._value() < limit:
                return share
        if self._part() is Part.LITERAL and not joined and self._part(1) not in (Part.HUNDRED, Part.SCALE):
            self._at = start
            return None
        if self._part() not in _SMALL:
            self._at = start
            return None
        group = self._group(limit)
        if group is None or group >= limit:
            self._at = start
            return None
        if self._part() is Part.SCALE and self._value() >= limit:
            self._at = start
            return None
        return group

    def _group(self, limit: Decimal | None) -> Decimal | None:
        """Up to 999, or any literal, with "hundred", "dozen", "point" and the colloquial hundreds."""
        part = self._part()
        if part not in _OPENERS and part is not Part.POINT:
            return None
        if part is Part.POINT:
            return self._decimals(_D(0)) if self._decimals_follow() else None
        if part is Part.SCALE:
            return _D(1)
        if part is Part.HALF:
            return None
        small = _D(1) if part in (Part.HUNDRED, Part.DOZEN) else self._below_hundred()
        if self._part() is Part.AND:
            start = self._at
            self._at += 1
            share = self._small_share()
            if share is not None:
                small += share
            else:
                self._at = start
        if self._part() is Part.HUNDRED:
            self._at += 1
            self._scaled = True
            small *= 100
            small += self._rest_of_hundred()
        elif self._part() is Part.DOZEN:
            self._at += 1
            self._scaled = True
            small *= 12
        elif limit is None and not self._scaled and part in (Part.UNIT, Part.TEEN, Part.TENS):
            small = self._colloquial_hundreds(small)
        if self._decimals_follow():
            small = self._decimals(small)
        return small

    def _below_hundred(self) -> Decimal:
        part, value = self._part(), self._value()
        self._at += 1
        if part is Part.TENS and self._part() is Part.UNIT and self._value() > 0:
            value += self._value()
            self._at += 1
        return value

    def _rest_of_hundred(self) -> Decimal:
        start = self._at
        joined = self._part() is Part.AND
        if joined:
            self._at += 1
        part = self._part()
        if part in (Part.UNIT, Part.TEEN, Part.TENS) or (part is Part.LITERAL and joined):
            rest = self._below_hundred()
            if self._part() is Part.DOZEN:
                self._at += 1
                rest *= 12
            if rest < 100 and self._part() is not Part.HUNDRED:
                return rest
        self._at = start
        return _D(0)

    def _colloquial_hundreds(self, small: Decimal) -> Decimal:
        """ "two fifty" 250, "twelve fifty" 1250, "two oh five" 205, "four three zero" 430."""
        if not 0 < small < 100:
            return small
        part, second = self._part(), self._part(1)
        if part in (Part.TEEN, Part.TENS) and not (self._words[self._at].tied and small >= 10):
            start = self._at
            rest = self._below_hundred()
            if self._part() in _MAGNITUDE:
                self._at = start
                return small
            self._colloquial = True
            return small * 100 + rest
        if part is Part.OH and second is Part.UNIT and self._value(1) > 0:
            rest = self._value(1)
            self._at += 2
            self._colloquial = True
            return small * 100 + rest
        if small < 10 and part is Part.UNIT and second in (Part.UNIT, Part.OH) and not self._words[self._at].tied:
            value = small
            while self._part() in (Part.UNIT, Part.OH) and value < 10**6:
                value = value * 10 + self._value()
                self._at += 1
            self._colloquial = True
            return value
        return small

    def _decimals_follow(self) -> bool:
        return self._part() is Part.POINT and self._part(1) in (Part.UNIT, Part.TEEN, Part.TENS, Part.LITERAL, Part.OH)

    def _decimals(self, whole: Decimal) -> Decimal:
        self._at += 1
        digits = ""
        while self._part() in (Part.UNIT, Part.OH):
            digits += str(self._value())
            self._at += 1
        if not digits:
            word = self._words[self._at]
            digits = word.digits if word.part is Part.LITERAL else str(self._below_hundred())
            if word.part is Part.LITERAL:
                self._at += 1
        return whole + _D(f"0.{digits}") if digits.isdecimal() else whole

    def _over(self, top: Decimal) -> Decimal:
        """ "three fifths", "two thirds"; with "of a million" the scale too."""
        if self._part() is Part.SHARE and (self._words[self._at].value == 3 or top == 1 or self._plural()):
            share = top / self._value()
            self._at += 1
            self._fraction = True
            if (self._part(), self._part(1), self._part(2)) == (Part.OF, Part.ARTICLE, Part.SCALE):
                share *= self._value(2)
                self._at += 3
                self._fraction = False
                self._scaled = True
            return share
        return top

    def _plural(self) -> bool:
        word = self._words[self._at]
        return word.digits.endswith("s")
