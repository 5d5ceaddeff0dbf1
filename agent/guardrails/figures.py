"""Rules about numbers: none that is unknown, none in disguise, none called by the wrong name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent.domain import Reply, TurnContext
from agent.guardrails.known import KnownNumbers, known_numbers
from agent.guardrails.rule import Violation
from agent.guardrails.said import Said, said
from agent.prices import NumberKind, NumberMention
from db.vocabulary import PriceBasis, Severity

_DIGIT_WORD = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|\d)"
_DISGUISED = re.compile(
    rf"(?<![\w.]){_DIGIT_WORD}(?:[\s\-_*/|·.,'~]{{1,3}}{_DIGIT_WORD}){{2,}}(?![\w]|[.,]\d)|(?<!\d)\d(?:[\s\-_*/|·~]{{1,3}}\d){{1,}}(?!\d)"
)
_HARMLESS_WORDS = frozenset({"one", "two", "first", "second", "once", "twice", "both", "single", "一", "两", "第一", "couple", "a couple"})
_JOINED = re.compile(r"[\s\-–—/]{0,2}")


@dataclass(frozen=True, slots=True)
class UnknownNumbers:
    """Every amount, percentage, date and count must be a public fact, asked, offered or agreed before, or the move's own."""

    name: str = "unknown_number"
    severity: Severity = Severity.SEVERE

    def check(self, context: TurnContext, reply: Reply) -> list[Violation]:
        """Every number that stands nowhere, and every number in disguise."""
        heard = said(context, reply)
        known = known_numbers(context, reply.move)
        found = [
            self._violation(heard, number.start, number.end, "stands nowhere in the facts: name only known numbers")
            for number in heard.numbers
            if not _is_known(number, known, heard)
        ]
        found += [self._violation(heard, start, end, "hides a number: write numbers plainly") for start, end in self._hidden(heard)]
        return found

    def _violation(self, heard: Said, start: int, end: int, message: str) -> Violation:
        first, last = heard.span(start, end)
        return Violation(rule=self.name, severity=self.severity, message=f"{heard.quote(start, end)} {message}", start=first, end=last)

    def _hidden(self, heard: Said) -> Iterator[tuple[int, int]]:
        dates = [number for number in heard.numbers if number.kind is NumberKind.DATE]
        for hit in _DISGUISED.finditer(heard.masked):
            if not any(number.start < hit.end() and hit.start() < number.end for number in dates):
                yield hit.start(), hit.end()
        covered = {at for number in heard.numbers for at in range(number.start, number.end)}
        for hit in re.finditer(r"\d+", heard.masked):
            if not covered.intersection(range(hit.start(), hit.end())):
                yield hit.start(), hit.end()


def _is_known(number: NumberMention, known: KnownNumbers, heard: Said) -> bool:
    match number.kind:
        case NumberKind.AMOUNT:
            return known.has_amount(number.value) or _is_mere_word(number, heard)
        case NumberKind.PERCENT:
            return number.value in known.percents
        case NumberKind.DATE:
            return number.day is not None and known.has_day(number.day)
        case NumberKind.YEAR:
            return any(day.year == number.value for day in known.days)
        case NumberKind.TIME:
            return False
        case NumberKind.COUNT | NumberKind.ORDINAL | NumberKind.OTHER:
            return known.has_amount(number.value) or number.value in known.counts or _is_mere_word(number, heard)


def _is_mere_word(number: NumberMention, heard: Said) -> bool:
    """ "one" and "two" are words like others, unless a further number stands right beside them."""
    return number.text.strip() in _HARMLESS_WORDS and not any(
        _JOINED.fullmatch(heard.folded[min(number.end, other.end) : max(number.start, other.start)]) is not None
        for other in heard.numbers
        if other is not number
    )


_NET = r"\bnett?o?\b|净价|净房价|底价|结算价|净"
_SELLING = (
    r"\bsell(?:ing|s)?\b|\bretail\b|\bpublic price\b|\bto (?:guests|travell?ers|customers)\b|\b(?:guests?|travell?ers?|"
    r"customers?) (?:(?:should|would|will|can|could) )?(?:pay|see|find)\b|\bon our (?:site|website|page)\b|售价|卖价|"
    r"零售价|销售价"
)
_KIND_WORD = re.compile(rf"(?P<net>{_NET})|(?P<selling>{_SELLING})")
_BREAK = re.compile(r"[,;/()（），；、]|\band\b|\bor\b|和|或")
_REACH = 28


def named_kind(heard: Said, number: NumberMention) -> PriceBasis:
    """Which kind of price the words beside an amount call it: the nearest ``net`` or ``selling``, where a break counts as distance."""
    numbers = heard.numbers
    before = max((other.end for other in numbers if other.end <= number.start), default=0)
    after = min((other.start for other in numbers if other.start >= number.end), default=len(heard.masked))
    sentence = heard.sentence_at(number.start)
    if sentence is not None:
        before, after = max(before, sentence.start), min(after, sentence.end)
    best, best_distance = PriceBasis.UNKNOWN, 1e9
    text = heard.masked
    for hit in _KIND_WORD.finditer(text, max(before, number.start - _REACH), number.start):
        best, best_distance = _nearer(hit, text[hit.end() : number.start], best, best_distance)
    for hit in _KIND_WORD.finditer(text, number.end, min(after, number.end + _REACH)):
        best, best_distance = _nearer(hit, text[number.end : hit.start()], best, best_distance)
    return best


def _nearer(hit: re.Match[str], gap: str, best: PriceBasis, best_distance: float) -> tuple[PriceBasis, float]:
    distance = len(gap) + 20.0 * len(_BREAK.findall(gap))
    if distance >= best_distance:
        return best, best_distance
    return (PriceBasis.NET if hit.lastgroup == "net" else PriceBasis.SELLING), distance


@dataclass(frozen=True, slots=True)
class PriceKind:
    """A net price is never called selling, nor the reverse."""

    name: str = "price_kind"
    severity: Severity = Severity.SEVERE

    def check(self, context: TurnContext, reply: Reply) -> list[Violation]:
        """Every amount that is called what it is not."""
        heard = said(context, reply)
        known = known_numbers(context, reply.move)
        found: list[Violation] = []
        for number in heard.numbers:
            if number.kind in (NumberKind.DATE, NumberKind.PERCENT, NumberKind.TIME, NumberKind.YEAR):
                continue
            if (number.value in known.net) == (number.value in known.selling):
                continue
            called = named_kind(heard, number)
            really = PriceBasis.NET if number.value in known.net else PriceBasis.SELLING
            if called not in (PriceBasis.UNKNOWN, really):
                start, end = heard.span(number.start, number.end)
                message = f"{heard.quote(number.start, number.end)} is a {really} price and is called {called}"
                found.append(Violation(rule=self.name, severity=self.severity, message=message, start=start, end=end))
        return found
