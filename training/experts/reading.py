"""Which lines of the phrasebook a reply is made of, or is nearest to.

Decided here: how a text is made comparable (prices, dates, names and facts become slots), how a reply falls into pieces, and when a piece
counts as a line of the phrasebook. What a piece is worth is decided in ``score``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache

from rapidfuzz import fuzz, process

from agent.domain import TicketFacts
from agent.simulation import BDPart, BDPhrase, HotelPart, HotelPhrase, Quality, phrasebook
from db.vocabulary import HotelMoveKind, MoveKind
from training.experts.figures import find_amounts, find_dates

KNOWN = 88.0
"""Similarity (0 to 100) from which a piece is taken for the line itself."""
NEAR = 68.0
"""Similarity below which a line says nothing about a piece."""
_MOST_SENTENCES = 5
_SLOTS = {
    "net": "xamount", "selling": "xamount", "current_selling": "xamount", "competitor_price": "xamount", "offer": "xamount",
    "price": "xamount", "ask": "xamount", "vague": "xamount", "dates": "xday to xday", "check_in": "xday", "check_out": "xday",
    "seen_on": "xday", "room": "xroom", "hotel": "xhotel", "competitor_source": "xsource", "evidence": "xfact.",
    "agreed": "xagreed", "condition": "xcondition",
}  # fmt: skip
_SLOT = re.compile(r"\{(\w+)\}")
_BREAKS = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])\s*")
_PUNCTUATION = re.compile(r"[^\w\s%]+")
_TERMS = r"xamount net xamount selling for the xroom from xday to xday"
_AGREED = re.compile(rf"{_TERMS}(?: and {_TERMS})*")


def bare(sentence: str) -> str:
    """A sentence with slots, without case and punctuation; what was agreed becomes one slot."""
    words = " ".join(_PUNCTUATION.sub(" ", sentence.casefold()).split())
    return _AGREED.sub("xagreed", words)


def slotted(text: str, facts: tuple[TicketFacts, ...]) -> str:
    """The text with slots in place of the facts' names, of further facts, of prices and of dates."""
    return _slotted(text, facts)


@lru_cache(maxsize=8192)
def _slotted(text: str, facts: tuple[TicketFacts, ...]) -> str:
    names = _names(facts)
    pattern = _pattern(tuple(names))
    text = pattern.sub(lambda match: names[match.group().casefold()], text)
    spans = [(start, end, "xday") for start, end, *_ in find_dates(text)]
    spans += [(amount.start, amount.end, "xamount") for amount in find_amounts(text) if not amount.percent and amount.value >= 13]
    for start, end, slot in sorted(spans, reverse=True):
        text = f"{text[:start]}{slot}{text[end:]}"
    return text


def _names(facts: tuple[TicketFacts, ...]) -> dict[str, str]:
    names: dict[str, str] = {}
    for fact in facts:
        for sentence in fact.evidence:
            names[sentence.casefold()] = "xfact."
            names[sentence.rstrip(".").casefold()] = "xfact"
        names[fact.hotel_name.casefold()] = "xhotel"
        names[fact.room_type.casefold()] = "xroom"
        if fact.competitor_source:
            names[fact.competitor_source.casefold()] = "xsource"
    return names


@cache
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile("|".join(re.escape(name) for name in longest_first), re.IGNORECASE)


def sentences(text: str) -> list[str]:
    """The sentences of a text, English or Chinese."""
    return [part.strip() for part in _BREAKS.split(text.strip()) if part.strip()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One or more sentences of a reply, with the line that they are or come nearest to."""

    text: str
    """As it was written, with slots."""
    line: BDPhrase | None
    """None where no line is near."""
    likeness: float
    """0 to 100; 100 is the line itself."""

    @property
    def known(self) -> bool:
        """Whether the piece is taken for its line."""
        return self.line is not None and self.likeness >= KNOWN


class Reader:
    """Reads replies through the lines of one phrasebook."""

    def __init__(self, lines: Iterable[BDPhrase]) -> None:
        self._lines: dict[str, list[BDPhrase]] = {}
        self._heads: dict[str, list[BDPhrase]] = {}
        sizes: dict[int, list[str]] = {}
        for line in lines:
            text = _SLOT.sub(lambda match: _SLOTS[match[1]], line.text)
            key = bare(text)
            if not key:
                continue
            if key not in self._lines:
                sizes.setdefault(len(sentences(text)), []).append(key)
            self._lines.setdefault(key, []).append(line)
            if line.text.endswith((",", "，")):
                self._heads.setdefault(key, []).append(line)
        self._sizes = {size: tuple(keys) for size, keys in sizes.items()}
        self._nearest = lru_cache(maxsize=65536)(self._find)

    def read(self, text: str, facts: tuple[TicketFacts, ...], move: MoveKind, heard: HotelMoveKind | None) -> tuple[Piece, ...]:
        """The pieces of a reply in order. ``move`` and ``heard`` settle which line is meant where several have the same words."""
        rest = sentences(slotted(text, facts))
        pieces: list[Piece] = []
        while rest:
            if (split := self._headed(rest[0])) is not None:
                head, key, tail = split
                pieces.append(Piece(text=head, line=self._fitting(key, move, heard), likeness=100.0))
                rest = [tail, *rest[1:]]
            size, key, likeness = self._longest(rest)
            said = " ".join(rest[:size])
            line = self._fitting(key, move, heard) if key is not None and likeness >= NEAR else None
            pieces.append(Piece(text=said, line=line, likeness=likeness if line is not None else 0.0))
            rest = rest[size:]
        return tuple(pieces)

    def _longest(self, rest: list[str]) -> tuple[int, str | None, float]:
        """The longest run of sentences that is a line, else the line nearest to the first sentence."""
        for size in range(min(_MOST_SENTENCES, len(rest)), 1, -1):
            key, likeness = self._nearest(size, bare(" ".join(rest[:size])))
            if likeness >= KNOWN:
                return size, key, likeness
        return 1, *self._nearest(1, bare(rest[0]))

    def _find(self, size: int, said: str) -> tuple[str | None, float]:
        keys = self._sizes.get(size, ())
        if said in self._lines:
            return said, 100.0
        found = process.extractOne(said, keys, scorer=fuzz.ratio, score_cutoff=NEAR)
        if found is None:
            return None, 0.0
        # A short line is soon like another: "Thank you" is not "Thanks but no".
        return (found[0], found[1]) if len(said.split()) > 3 or found[1] >= KNOWN else (None, 0.0)

    def _headed(self, sentence: str) -> tuple[str, str, str] | None:
        """A sentence that begins with a line of its own ("Dear team at …, I am …"): head, key and the rest."""
        for cut in re.finditer(r"[,，]\s*", sentence):
            key = bare(sentence[: cut.end()])
            if key in self._heads and sentence[cut.end() :].strip():
                return sentence[: cut.end()].strip(), key, sentence[cut.end() :]
        return None

    def _fitting(self, key: str | None, move: MoveKind, heard: HotelMoveKind | None) -> BDPhrase | None:
        """Of the lines with these words, the best one that has its place here."""
        if key is None:
            return None
        return min(self._lines[key], key=lambda line: (not fits(line, move, heard), _WORTH[line.quality]))


def fits(line: BDPhrase, move: MoveKind, heard: HotelMoveKind | None) -> bool:
    """Whether a line has its place in a reply of this move to this message."""
    if line.part is BDPart.ACK:
        return heard in line.after
    return move in line.moves


_WORTH = {Quality.EXCELLENT: 0, Quality.FINE: 1, Quality.CLUMSY: 2, Quality.WRONG: 3}


@cache
def reader(language: str = "en") -> Reader:
    """The reader of the shipped phrasebook in a language (ISO 639-1)."""
    return Reader(phrasebook(language).bd)


@cache
def _questions(language: str) -> tuple[tuple[str, ...], tuple[HotelPhrase, ...]]:
    lines = tuple(line for line in phrasebook(language).hotel if line.part is HotelPart.BODY and line.intent is HotelMoveKind.QUESTION)
    return tuple(bare(_SLOT.sub(lambda match: _SLOTS[match[1]], line.text)) for line in lines), lines


@lru_cache(maxsize=8192)
def question_topic(text: str, facts: tuple[TicketFacts, ...], language: str = "en") -> str | None:
    """What the hotel asked, told by the phrasebook's nearest question; None where none is near."""
    keys, lines = _questions(language)
    best: tuple[float, str] | None = None
    for sentence in [text, *sentences(text)]:
        found = process.extractOne(bare(slotted(sentence, facts)), keys, scorer=fuzz.ratio, score_cutoff=NEAR)
        if found is not None and (best is None or found[1] > best[0]):
            best = (found[1], lines[found[2]].topic)
    return None if best is None else best[1]


def stay(fact: TicketFacts) -> frozenset[tuple[int, int]]:
    """Every (day, month) from check-in to check-out."""
    nights = (fact.check_out - fact.check_in).days
    days = (fact.check_in + timedelta(days=day) for day in range(nights + 1))
    return frozenset((day.day, day.month) for day in days)
