"""Lines that say nearly the same in nearly the same words.

Decided here: how likeness is measured: RapidFuzz's ``token_set_ratio`` (0 … 100) over lower-cased words without punctuation, where a slot
counts as a word of its own. A line whose words are all contained in another one therefore reaches 100. Chinese has no spaces between words,
so a Chinese line is one run of characters, in which a slot counts as one character.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process

from agent.simulation.phrasebook import Phrasebook
from agent.simulation.phrases import BD_SLOTS, HOTEL_SLOTS, BDPhrase, HotelPhrase, Language

THRESHOLD = 90.0
_SLOT = re.compile(r"\{(\w+)\}")
# One character for each slot, out of the area that no writing uses.
_SIGNS = {slot: chr(0xE000 + place) for place, slot in enumerate(sorted(HOTEL_SLOTS | BD_SLOTS))}


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicate:
    """Two lines of one side, language and part; ``score`` in [threshold, 100]."""

    side: str
    language: Language
    part: str
    first: HotelPhrase | BDPhrase
    second: HotelPhrase | BDPhrase
    score: float


def near_duplicates(book: Phrasebook, threshold: float = THRESHOLD) -> list[NearDuplicate]:
    """All pairs at or above the threshold, in file order. The same words under two tags are one line and no pair."""
    return [*_pairs("hotel", book.hotel, threshold), *_pairs("bd", book.bd, threshold)]


def _pairs(side: str, lines: tuple[HotelPhrase, ...] | tuple[BDPhrase, ...], threshold: float) -> Iterator[NearDuplicate]:
    by_part: dict[str, dict[str, HotelPhrase | BDPhrase]] = {}
    for line in lines:
        by_part.setdefault(line.part, {}).setdefault(_words(line), line)
    for part, known in by_part.items():
        words, phrases = list(known), list(known.values())
        for at, (text, line) in enumerate(known.items()):
            # A line of signs alone (an emoji) has no words that could be alike.
            later = words[at + 1 :] if text else []
            for _, score, offset in process.extract(text, later, scorer=fuzz.token_set_ratio, limit=None, score_cutoff=threshold):
                other = phrases[at + 1 + offset]
                yield NearDuplicate(side=side, language=line.language, part=part, first=line, second=other, score=score)


def _words(line: HotelPhrase | BDPhrase) -> str:
    if line.language == "zh":
        signed = _SLOT.sub(lambda slot: _SIGNS[slot[1]], line.text.lower())
        return "".join(character for character in signed if character.isalnum() or character in _SIGNS.values())
    return default_process(_SLOT.sub(r" slot\1 ", line.text))
