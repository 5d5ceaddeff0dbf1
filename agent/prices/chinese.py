"""Chinese numerals to amounts: "四百三" 430, "三百八十八", "1万2", "三四百" (300 to 400), "十几万", "一七二零点一三四".

Decided here: the value of a run of Chinese numerals and digit literals. cn2an refuses stretches ("三四百", "十几万"), spaces inside and
mixtures in most of its modes; its own test cases are a benchmark set here. See decision record 0002.
"""

from dataclasses import dataclass
from decimal import Decimal

DIGITS = {
    **dict(zip("零一二三四五六七八九", range(10), strict=True)),
    **dict(zip("壹贰叁肆伍陆柒捌玖", range(1, 10), strict=True)),
    "〇": 0, "○": 0, "两": 2, "兩": 2, "俩": 2, "倆": 2, "貳": 2, "弍": 2, "參": 3, "叄": 3, "叁": 3, "陸": 6, "幺": 1, "弌": 1,
}  # fmt: skip
_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_BIG = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8, "兆": 10**12}
_TENS = {"廿": 20, "卅": 30, "卌": 40}
_VAGUE = frozenset("几幾多余餘来來")
_POINT = frozenset("点點")
NUMERALS = "".join({*DIGITS, *_UNITS, *_BIG, *_TENS})
"""Characters that may open a numeral."""
INNER = NUMERALS + "几幾多余餘来來点點"
"""Characters that may stand inside one."""

_ZERO = frozenset("零〇○")


@dataclass(frozen=True, slots=True)
class HanValue:
    """A number read from a Chinese run, with the length of what was read; ``high`` where it names a stretch ("三四百", "四百多")."""

    value: Decimal
    length: int
    high: Decimal | None = None


def read_han(run: str) -> HanValue | None:
    """Read the longest numeral at the start of ``run`` (folded; digits, Chinese numerals and white space); None where there is none."""
    return _HanReader(run).read()


class _HanReader:
    def __init__(self, run: str) -> None:
        self._run = run
        self._total = Decimal(0)
        self._section = Decimal(0)
        self._pending: Decimal | None = None
        self._second: Decimal | None = None
        """The upper digit of "三四百"."""
        self._last_unit = 0
        self._last_big = 0
        self._zero_before = False
        self._spread = Decimal(0)
        self._read = 0
        self._plain = ""
        self._vague_end = False
        """"多" or "几" was read: only a big unit may follow."""

    def read(self) -> HanValue | None:
        at = 0
        run = self._run
        while at < len(run):
            char = run[at]
            if char.isspace():
                at += 1
                continue
            after = self._take(char, at)
            if after is None:
                break
            at = self._read = after
        if not self._read:
            return None
        return self._finish()

    def _take(self, char: str, at: int) -> int | None:
        if self._vague_end and char not in _BIG:
            return None
        if char in DIGITS:
            return self._digit(char, at)
        if "0" <= char <= "9" or char == ".":
            return self._literal(at)
        if char in _TENS:
            if self._pending is not None:
                return None
            self._section += _TENS[char]
            self._last_unit = 10
            self._plain = ""
            return at + 1
        if char in _UNITS:
            return self._unit(_UNITS[char], at)
        if char in _BIG:
            return self._big(_BIG[char], at)
        if char in _VAGUE:
            return self._vague(char, at)
        if char in _POINT:
            return self._point(at)
        return None

    def _digit(self, char: str, at: int) -> int | None:
        digit = Decimal(DIGITS[char])
        if char in _ZERO and (self._last_unit or self._last_big) and self._pending is None:
            self._zero_before = True
            return at + 1
        if self._pending is None:
            self._pending = digit
            self._plain = str(DIGITS[char])
            return at + 1
        if self._plain and not self._last_unit and not self._last_big:
            unit = self._next_char(at + 1)
            if len(self._plain) == 1 and unit in _UNITS | _BIG and 0 < self._pending < digit:
                self._second = digit
                return at + 1
            self._plain += str(DIGITS[char])
            self._pending = Decimal(self._plain)
            return at + 1
        if self._plain and len(self._plain) == 1 and digit == self._pending + 1 and self._second is None:
            self._second = digit
            return at + 1
        return None

    def _next_char(self, at: int) -> str:
        return self._run[at : at + 1]

    def _literal(self, at: int) -> int | None:
        if self._pending is not None:
            return None
        end = at
        run = self._run
        while end < len(run) and (run[end].isdecimal() or run[end] in ".,"):
            end += 1
        while end > at and run[end - 1] in ".,":
            end -= 1
        text = run[at:end].replace(",", "")
        if not text or text.count(".") > 1 or not text.replace(".", "").isascii():
            return None
        # A literal after a unit belongs to it only where it is smaller: "1万2", "5万4千", never "十 2016".
        if (self._last_unit or self._last_big) and "." in text:
            return None
        if self._last_unit and len(text) >= len(str(self._last_unit)):
            return None
        self._pending = Decimal(text)
        self._plain = text if len(text) == 1 else ""
        return end

    def _unit(self, unit: int, at: int) -> int | None:
        if self._second is not None:
            assert self._pending is not None
            self._spread = (self._second - self._pending) * unit
            self._second = None
        if self._last_unit and unit >= self._last_unit and self._pending is None:
            # "百百" is two numbers; "十百" never happens.
            return None
        if self._last_unit and unit >= self._last_unit:
            return None
        count = self._pending if self._pending is not None else Decimal(1)
        self._section += count * unit
        self._pending = None
        self._plain = ""
        self._last_unit = unit
        self._zero_before = False
        return at + 1

    def _big(self, unit: int, at: int) -> int | None:
        if self._second is not None:
            assert self._pending is not None
            self._spread = self._second - self._pending
            self._second = None
        here = self._section + (self._pending if self._pending is not None else Decimal(0))
        if self._pending is None and not self._section and not self._total:
            here = Decimal(1)
        if self._last_big and unit >= self._last_big:
            self._total = (self._total + here) * unit
        else:
            self._total += here * unit
        self._spread *= unit
        self._section = Decimal(0)
        self._pending = None
        self._plain = ""
        self._last_big = unit
        self._last_unit = 0
        self._zero_before = False
        return at + 1

    def _vague(self, char: str, at: int) -> int | None:
        """ "十几", "四百多", "十余万": something more than what was said, less than one of its last unit."""
        if self._pending is not None and self._last_unit + self._last_big == 0 and char not in "几幾":
            return at + 1 if self._next_char(at + 1) in _BIG else None
        if self._pending is not None or not (self._section or self._total):
            return None
        unit = self._last_unit or self._last_big
        self._spread = Decimal(unit) - 1 if not self._zero_before else Decimal(9)
        self._vague_end = True
        self._plain = ""
        return at + 1

    def _point(self, at: int) -> int | None:
        digits = ""
        place = at + 1
        run = self._run
        while place < len(run) and (run[place] in DIGITS or run[place].isspace() or "0" <= run[place] <= "9"):
            if run[place] in DIGITS:
                digits += str(DIGITS[run[place]])
            elif not run[place].isspace():
                digits += run[place]
            place += 1
        while place > at + 1 and run[place - 1].isspace():
            place -= 1
        if not digits or self._spread or (self._pending is None and at and not (self._section or self._zero_before)):
            return None
        self._section += (self._pending or Decimal(0)) + Decimal(f"0.{digits}")
        self._pending = None
        self._plain = ""
        # Only a big unit may follow a decimal ("4.78万亿").
        self._last_unit = 1
        return place

    def _finish(self) -> HanValue:
        value = self._total + self._section
        spread = self._spread
        if self._pending is not None:
            tail = self._pending
            unit = self._last_unit or self._last_big
            if self._plain and unit >= 100 and not self._zero_before and len(self._plain) == 1:
                tail *= unit // 10
                if self._second is not None:
                    spread = (self._second - self._pending) * (unit // 10)
            elif self._second is not None:
                spread = self._second - self._pending
            value += tail
        return HanValue(value, self._read, value + spread if spread else None)
