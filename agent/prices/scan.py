"""Every number of a text with its characters: digit literals, English number words, Chinese numerals, and mixtures of them.

Decided here: where a number begins and ends. What its digits and words say is decided in ``literals``, ``english`` and ``chinese``, what it
counts (money, a date, rooms) in ``kinds``, which currency it is in ``money``. One pass of one compiled expression, so the cost grows with
the length of the text only.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from agent.prices.chinese import DIGITS, INNER, NUMERALS, read_han
from agent.prices.english import Value, Word, read_run
from agent.prices.literals import CAPITAL_MAGNITUDES, LITERAL, MAGNITUDES, attached_letters, parse_literal
from agent.prices.number_words import ORDINALS, WORDS, Part


def _any_of(words: Iterable[str]) -> str:
    """An expression for any of the words that shares their common beginnings, so that other words fail at their first letters."""
    tree: dict[str, list[str]] = {}
    for word in words:
        tree.setdefault(word[:1], []).append(word[1:])
    branches: list[str] = []
    for letter, rests in sorted(tree.items(), reverse=True):
        longer = [rest for rest in rests if rest]
        tail = _any_of(longer) if longer else ""
        branches.append(letter + (f"(?:{tail})?" if "" in rests and tail else tail))
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


_WEAK = frozenset({"a", "an", "and", "n", "of", "o", "point", "minus", "negative"})
"""Words that belong to a number only where one follows."""
_STRONG = _any_of([*(word for word in WORDS if word not in _WEAK), *ORDINALS])
_WORD = (
    rf"(?<![a-z])(?:{_STRONG}(?![a-z])|(?:an?|o)(?=[ -]{_STRONG}(?![a-z]))|(?:and|n|of|point|minus|negative)(?=[ ]+(?:\d"
    rf"|(?:an? |oh? )?{_STRONG}(?![a-z]))))"
)
_TOKEN = re.compile(rf"(?P<lit>{LITERAL})|(?P<word>{_WORD})|(?P<han>[{NUMERALS}半])")
_LITERAL = re.compile(LITERAL)
_DIGIT = re.compile(r"\d")
_KILO = re.compile(r"k(\d{1,3})(?!\w)")
_OPENERS = [word for word, (part, _) in WORDS.items() if part < Part.ARTICLE or part in (Part.HALF, Part.SHARE)]
_SPELLED = re.compile(
    rf"[{NUMERALS}半]"
    rf"|(?<![a-z]){_any_of([*ORDINALS, *_OPENERS, 'minus', 'negative', 'point'])}(?![a-z])"
)
_HAN_RUN = re.compile(rf"(?:[{INNER}]|\d[\d,.]*|[ \t])+")
_HAN_UNIT_NEXT = re.compile(r"[ \t]*(?:[余餘多几幾来][ \t]*(?=[万亿萬億兆]))?[十百千万亿萬億佰仟拾兆]")
_HAN_MORE = re.compile(r"[ \t]*[十百千万亿萬億佰仟拾兆块塊元圆美欧港日]|[ \t]*分[ ]*之")
_GAP = re.compile(r"[ \t\n]*(?:-[ \t]*)?")
_BEFORE_NEGATIVE = re.compile(r"(?:(?:^|[\t\n(:=<>]|(?<![\d元块a-z%])[ ])-|[负負])[ ]?$")
_HAN_NEGATIVE = re.compile(r"[负負][ ]?$")
_FRACTION = re.compile(r"[ ]?/[ ]?(\d{1,4})(?![\d/])")
_OVER = re.compile(r"[ ]+(?:over|out of|in)[ ]+$")
_RUN_ON = re.compile(r"(?<![a-z])(?:net+|at|for|to|is|only|just|do|about|price|rate|selling|ask|say|ok)$")
"""Words that people type against a price: "net430"."""
_VAGUE_AFTER = re.compile(
    r"(?P<some>[ -]?(?:something|some(?:thin)?\b|odd\b))|(?P<decade>'?s\b(?!\w))|(?P<ish>[ -]?ish\b|[ ]?or so\b|[ ]?左右|[ ]?上下)"
)
_HAN_SHARE = re.compile(r"[ ]*分[ ]*之[ ]*")
_HAN_DOZEN = re.compile(r"[ ]?打(?![折对對个個包电電扫])")
_HAN_LONE_UNIT = frozenset("百佰千仟万萬亿億兆")
# Chinese idioms and names in which a numeral says no number.
_HAN_IDIOM = re.compile(
    r"一(?:点|點)(?![零一二三四五六七八九\d])|一(?:下|步|起|样|樣|直|定|般|共|旦|切|些|向|致|律|并|方面|时|則|则)"
    r"|十分(?![之钟鐘\d一二三四五六七八九])|千万(?![块元个間间])(?=[别不要])"
    r"|万(?:豪|达|達|怡|丽|麗|圣|事|国)|三亚|三亞|四季|千(?:岛|島|禧)|半岛|半島|半(?:夜|山)|百(?:度|货|貨|合|姓|思)|两(?:者|边"
    r"|邊)|一(?:会|會)"
)
_HAN_IDIOM_BEFORE = re.compile(r"(?:万|統|统|唯|同|专|專|第三方|星期|周|週|礼拜|禮拜)$")
_ORDINAL_SUFFIXES = frozenset({"st", "nd", "rd", "th"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Numeral:
    """One number of a text, before anything is known about what it counts."""

    value: Decimal
    start: int
    end: int
    high: Decimal | None = None
    """The upper end where the words name a stretch: "300s", "4-something", "三四百", "四百多"."""
    spelled: bool = False
    """Written in words, at least in part."""
    scaled: bool = False
    """A word or letter fixed the magnitude ("hundred", "k", "万")."""
    colloquial: bool = False
    """Hundreds left unsaid: "two fifty"."""
    approximate: bool = False
    ordinal: bool = False
    fraction: bool = False
    glued: bool = False
    """Letters that are no currency may stand right before it ("A2021", "Q4"); ``money`` decides."""
    suffix: str = ""
    """Letters attached behind it that are no magnitude: "gb", "th", "usd"."""
    han: bool = False


class _Scan:
    """State of one pass: the numbers found and the run of English tokens being collected."""

    def __init__(self, raw: str, folded: str) -> None:
        self.raw = raw
        self.text = folded
        self.found: list[Numeral] = []
        self.run: list[Word] = []
        self.live = False
        """The run holds something that may open a number."""

    def flush(self) -> None:
        if self.live and len(self.run) == 1 and (word := self.run[0]).part is Part.LITERAL:
            self.found.append(self.numeral(Value(word.value, word.start, word.end, False, False)))
        elif self.live:
            self.found.extend(self.numeral(value) for value in read_run(self.run))
        self.run = []
        self.live = False

    def numeral(self, value: Value) -> Numeral:
        return self.finish(
            Numeral(
                value=value.value,
                start=value.start,
                end=value.end,
                spelled=value.spelled,
                scaled=value.scaled,
                colloquial=value.colloquial,
                fraction=value.fraction,
                glued=value.start > 0 and not value.spelled and _glued(self.text, value.start),
            )
        )

    def finish(self, numeral: Numeral) -> Numeral:
        """Look at the letters behind the number: vague stretches and attached suffixes."""
        text, end = self.text, numeral.end
        if numeral.spelled and numeral.value > 100 and text.endswith(("hundreds", "thousands"), numeral.start, end):
            return replace(numeral, approximate=True, high=numeral.value + _step(numeral.value) - 1)
        vague = _VAGUE_AFTER.match(text, end)
        if vague is None:
            return numeral
        if vague["ish"]:
            return replace(numeral, end=vague.end(), approximate=True)
        step = _step(numeral.value) if numeral.value >= 10 else Decimal(0)
        if vague["decade"] and (step < 10 or numeral.spelled):
            return numeral
        high = numeral.value + step - 1 if step else numeral.value
        return replace(numeral, end=vague.end(), approximate=True, high=high)

    def word(self, token: str, start: int, end: int) -> None:
        entry = WORDS.get(token)
        ordinal = ORDINALS.get(token)
        if ordinal is not None and (entry is None or not self.adjacent(start) or not self.run or self.run[-1].part is Part.TENS):
            self.ordinal(ordinal, start, end)
            return
        if entry is None:
            if self.run:
                self.flush()
            return
        self.push(Word(entry[0], entry[1], start, end, digits=token))

    def ordinal(self, value: Decimal, start: int, end: int) -> None:
        if self.run and self.run[-1].part is Part.TENS and self.adjacent(start) and value < 10:
            tens = self.run.pop()
            start, value = tens.start, tens.value + value
            self.live = any(word.part < Part.ARTICLE for word in self.run)
        self.flush()
        self.found.append(Numeral(value=value, start=start, end=end, spelled=True, ordinal=True))

    def adjacent(self, start: int) -> bool:
        if not self.run:
            return False
        last = self.run[-1]
        gap = _GAP.match(self.text, last.end)
        return gap is not None and gap.end() == start

    def push(self, word: Word) -> None:
        if self.run:
            last = self.run[-1]
            between = self.text[last.end : word.start]
            if between == " ":
                tied = False
            elif self.adjacent(word.start):
                tied = "-" in between
                # "10-20" and "4 - 5" are two numbers, "fifty-two" is one.
                if tied and Part.LITERAL in (word.part, last.part):
                    self.flush()
            elif between == ", " and last.part is Part.SCALE and word.part is not Part.LITERAL:
                tied = False
            else:
                self.flush()
                tied = False
            if tied:
                word = Word(word.part, word.value, word.start, word.end, True, word.digits)
        self.run.append(word)
        if word.part < Part.ARTICLE or word.part in (Part.HALF, Part.POINT, Part.SHARE):
            self.live = True

    def literal(self, token: str, start: int, end: int) -> int:
        """Take a digit literal with what is attached to it; the position to go on from."""
        text = self.text
        if _HAN_UNIT_NEXT.match(text, end):
            self.flush()
            return self.han_number(start)
        value = parse_literal(token)
        share = _HAN_SHARE.match(text, end)
        if share:
            self.flush()
            return self.han_share(start, value, share.end())
        kilo = _KILO.match(text, end)
        if kilo and value < 1000 and token.isdecimal():
            # "1k2" is 1200, "2k050" 2050.
            self.flush()
            value = value * 1000 + Decimal(kilo[1]) * Decimal(10) ** (3 - len(kilo[1]))
            self.found.append(Numeral(value=value, start=start, end=kilo.end(), scaled=True, glued=_glued(text, start)))
            return kilo.end()
        letters = attached_letters(text, end)
        factor = self.factor(letters, end) if letters else None
        if factor:
            self.flush()
            self.found.append(
                self.finish(
                    self.signed(Numeral(value=value * factor, start=start, end=end + len(letters), scaled=True, glued=_glued(text, start)))
                )
            )
            return end + len(letters)
        if letters and (letters not in WORDS or letters in ("a", "n", "o")):
            self.flush()
            numeral = Numeral(
                value=value, start=start, end=end, suffix=letters, ordinal=letters in _ORDINAL_SUFFIXES, glued=_glued(text, start)
            )
            self.found.append(self.finish(self.signed(numeral)))
            return end + (len(letters) if letters in _ORDINAL_SUFFIXES else 0)
        if _negated(text, start):
            self.flush()
            value = -value
        fraction = _FRACTION.match(text, end)
        if (
            fraction
            and value < 100
            and 0 < int(fraction[1]) <= 100
            and "." not in token
            and "," not in token
            and (start == 0 or text[start - 1] not in "/-")
        ):
            self.flush()
            share = value / Decimal(fraction[1])
            self.found.append(Numeral(value=share, start=start, end=fraction.end(), fraction=True))
            return fraction.end()
        self.push(Word(Part.LITERAL, value, start, end, digits=token))
        return end

    def signed(self, numeral: Numeral) -> Numeral:
        return replace(numeral, value=-numeral.value) if _negated(self.text, numeral.start) else numeral

    def factor(self, letters: str, end: int) -> int | None:
        if letters in MAGNITUDES:
            return MAGNITUDES[letters]
        if len(letters) == 1:
            return CAPITAL_MAGNITUDES.get(self.raw[end])
        return None

    def han(self, start: int) -> int:
        """Take a Chinese numeral; the position to go on from."""
        self.flush()
        text = self.text
        idiom = _HAN_IDIOM.match(text, start)
        if idiom:
            return idiom.end()
        if text[start] == "半":
            return self.han_half(start)
        return self.han_number(start)

    def han_number(self, start: int) -> int:
        """Take a run of Chinese numerals and digit literals that begins at ``start``."""
        text = self.text
        run = _HAN_RUN.match(text, start)
        read = read_han(run[0]) if run else None
        if read is None or (read.length == 1 and text[start] in _HAN_LONE_UNIT and not _HAN_MORE.match(text, start + 1)):
            # "百" and "万" by themselves stand in names and idioms.
            return start + 1
        end = start + read.length
        if text[end : end + 1] == "半" and read.length == 1 and text[start] == "一":
            self.found.append(Numeral(value=Decimal("0.5"), start=start, end=end + 1, spelled=True, fraction=True, han=True))
            return end + 1
        dozen = _HAN_DOZEN.match(text, end)
        if dozen:
            self.found.append(Numeral(value=read.value * 12, start=start, end=dozen.end(), spelled=True, scaled=True, han=True))
            return dozen.end()
        if text[start] == "一" and _HAN_IDIOM_BEFORE.search(text[max(0, start - 2) : start]):
            return end
        share = _HAN_SHARE.match(text, end)
        if share and share.end() < len(text):
            return self.han_share(start, read.value, share.end())
        negative = _HAN_NEGATIVE.search(text[max(0, start - 2) : start])
        value = -read.value if negative else read.value
        length_one = read.length == 1 and text[start] in DIGITS
        numeral = Numeral(
            value=value,
            start=start,
            end=end,
            high=read.high,
            spelled=True,
            scaled=not length_one,
            approximate=read.high is not None,
            han=True,
        )
        self.found.append(self.finish(numeral))
        return end

    def han_half(self, start: int) -> int:
        if self.text[start + 1 : start + 2] in ("百", "千", "万"):
            unit = {"百": 50, "千": 500, "万": 5000}[self.text[start + 1]]
            self.found.append(Numeral(value=Decimal(unit), start=start, end=start + 2, spelled=True, scaled=True, han=True))
            return start + 2
        if self.text[start + 1 : start + 2] in ("个", "個"):
            self.found.append(Numeral(value=Decimal("0.5"), start=start, end=start + 2, spelled=True, fraction=True, han=True))
        return start + 1

    def han_share(self, start: int, bottom: Decimal, at: int) -> int:
        """ "二分之一" is a fraction; "百分之五" is left for ``kinds`` to call a percentage, with its value as a share of a hundred."""
        token = _LITERAL.match(self.text, at)
        run = _HAN_RUN.match(self.text, at)
        if token and not _HAN_UNIT_NEXT.match(self.text, token.end()):
            top, end = parse_literal(token[0]), token.end()
            if self.text[end : end + 1] == "k":
                top, end = top * 1000, end + 1
        else:
            read = read_han(run[0]) if run else None
            if read is None:
                return at
            top, end = read.value, at + read.length
        if not bottom:
            return end
        if self.text[max(0, start - 1) : start] in ("负", "負"):
            top = -top
        self.found.append(Numeral(value=top / bottom, start=start, end=end, spelled=True, fraction=True, han=True))
        return end


def scan(raw: str, folded: str) -> list[Numeral]:
    """All numbers of ``folded`` (``fold(raw)``), left to right, not overlapping. Never raises."""
    state = _Scan(raw, folded)
    if _SPELLED.search(folded):
        _scan_words(state)
    else:
        _scan_digits(state)
    state.flush()
    return state.found


def _scan_digits(state: _Scan) -> None:
    """The common case, three times as fast: no number word and no Chinese numeral stands in the text."""
    text, at = state.text, 0
    while digit := _DIGIT.search(text, at):
        start = digit.start()
        if start > at and text[start - 1] == "." and not text[start - 2 : start - 1].isdigit():
            start -= 1
        literal = _LITERAL.match(text, start)
        # Every decimal digit opens a literal.
        at = state.literal(literal[0], start, literal.end()) if literal else digit.end()


def _scan_words(state: _Scan) -> None:
    folded, at = state.text, 0
    search = _TOKEN.search
    while match := search(folded, at):
        start, at = match.span()
        match match.lastgroup:
            case "word":
                before = folded[start - 1 : start]
                if before.isalnum() and before not in DIGITS and not before.isdecimal():
                    state.flush()
                else:
                    state.word(match[0], start, at)
            case "lit":
                at = state.literal(match[0], start, at)
            case _:
                at = state.han(start)


def _negated(text: str, start: int) -> bool:
    return start > 0 and text[start - 1] in "- 负負" and _BEFORE_NEGATIVE.search(text[max(0, start - 4) : start]) is not None


def _glued(text: str, start: int) -> bool:
    if start == 0 or not text[start - 1].isalpha() or "\u2e80" <= text[start - 1] <= "\u9fff":
        return False
    run_on = _RUN_ON.search(text, max(0, start - 8), start)
    return run_on is None


def _step(value: Decimal) -> Decimal:
    """The place of the last non-zero digit: 10 for 340, 100 for 300, 1000 for 4000."""
    step = Decimal(1)
    while 0 < value < 10**15 and value % (step * 10) == 0:
        step *= 10
    return step
