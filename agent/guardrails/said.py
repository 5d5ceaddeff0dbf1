"""What a reply says once its disguises are off: folded letters and digits, the facts it quotes set aside, its numbers, its sentences.

Every rule reads a reply through ``said``. Folding undoes full-width and styled characters, look-alike letters of other scripts, foreign
digits and invisible characters, one source character at a time, so that each finding points back at the characters that were written.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property, lru_cache

from agent.domain import Reply, TicketFacts, TurnContext
from agent.prices import NumberMention, find_numbers

# Letters of other scripts that look like Latin ones, as used to hide a word (Unicode TR 39, the part that matters for lower case).
_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁһԛԝгвнмткьꙅαοερτυικνχωɑɡıɩℓοｏßƅсʟɴʀᴛᴇᴏᴀꜱ",
    "aeopcyxijsdhqwrbhmtkbsaoeptuiknxwagiiloosbclnrteoas",
)  # fmt: skip
_SENTENCE = re.compile(r"[^.!?。！？；;\n]+(?:(?<=\d)[.](?=\d)[^.!?。！？；;\n]*|[.](?=[^\s.!?])[^.!?。！？；;\n]*)*[.!?。！？；;]*")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of the folded text."""

    text: str
    start: int
    end: int
    asks: bool


@dataclass(frozen=True)
class Said:
    """A reply with its disguises off. Offsets of the folded texts are turned back by ``span``."""

    text: str
    folded: str
    origin: tuple[int, ...]
    """For each folded character the offset of the character it came from, and the text's length at the end."""
    masked: str
    """The folded text with quoted facts (hotel, room, evidence, source) blanked out, of the same length."""
    language: str

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets into the reply's own text for offsets into the folded ones."""
        if start >= end:
            return self.origin[start], self.origin[start]
        return self.origin[start], self.origin[end - 1] + 1

    def quote(self, start: int, end: int) -> str:
        """The characters as written, in quotation marks, cut to a readable length."""
        first, last = self.span(start, end)
        words = " ".join(self.text[first:last].split())
        return f'"{words if len(words) <= 60 else words[:59] + "…"}"'

    @cached_property
    def numbers(self) -> tuple[NumberMention, ...]:
        """Every number outside quoted facts, in digits or words, with offsets into the folded text."""
        return tuple(number for number in find_numbers(self.folded, language=self.language) if not self.is_quoted(number.start, number.end))

    @cached_property
    def sentences(self) -> tuple[Sentence, ...]:
        """The sentences of the masked text."""
        return tuple(
            Sentence(text=found.group(), start=found.start(), end=found.end(), asks=found.group().rstrip()[-1:] in ("?", "？"))
            for found in _SENTENCE.finditer(self.masked)
            if found.group().strip()
        )

    def is_quoted(self, start: int, end: int) -> bool:
        """True where these folded characters belong to a quoted fact."""
        return any(self.masked[at] != self.folded[at] for at in range(start, end))

    def sentence_at(self, offset: int) -> Sentence | None:
        """The sentence that an offset into the folded text stands in."""
        return next((sentence for sentence in self.sentences if sentence.start <= offset < sentence.end), None)


def said(context: TurnContext, reply: Reply) -> Said:
    """The reply's words, folded and masked; the last few are kept, since all rules look at the same one."""
    return _said(reply.text, context.facts, context.language)


@lru_cache(maxsize=64)
def _said(text: str, facts: tuple[TicketFacts, ...], language: str) -> Said:
    folded, origin = fold(text)
    masked = folded
    for phrase in _phrases(facts):
        masked = masked.replace(phrase, "\x00" * len(phrase))
    return Said(text=text, folded=folded, origin=origin, masked=masked, language=language)


@lru_cache(maxsize=64)
def _phrases(facts: tuple[TicketFacts, ...]) -> tuple[str, ...]:
    """The strings of the facts that may be quoted word for word, longest first; a bare number is no name."""
    phrases: set[str] = set()
    for fact in facts:
        for phrase in (fact.hotel_name, fact.room_type, fact.competitor_source or "", *fact.evidence):
            folded = " ".join(fold(phrase)[0].split()).rstrip(".")
            if len(folded) >= 3 and any(character.isalpha() for character in folded):
                phrases.add(folded)
    return tuple(sorted(phrases, key=lambda phrase: (-len(phrase), phrase)))


def fold(text: str) -> tuple[str, tuple[int, ...]]:
    """The text in lower case without disguises, and for each of its characters the offset it came from (plus the length at the end)."""
    characters: list[str] = []
    origin: list[int] = []
    for offset, character in enumerate(text):
        if character.isascii():
            characters.append(character.lower() if character >= " " or character == "\n" else " ")
            origin.append(offset)
            continue
        for piece in _fold_one(character):
            characters.append(piece)
            origin.append(offset)
    return "".join(characters), (*origin, len(text))


@lru_cache(maxsize=4096)
def _fold_one(character: str) -> str:
    if unicodedata.category(character) in ("Cf", "Mn", "Me", "Cc", "Cs", "Co", "Cn"):
        return ""
    folded = unicodedata.normalize("NFKC", character)
    bare = "".join(piece for piece in unicodedata.normalize("NFKD", folded) if unicodedata.category(piece) != "Mn")
    lowered = (bare or folded).casefold().translate(_LOOKALIKES)
    return "".join(str(unicodedata.decimal(piece, piece)) for piece in lowered).replace("\u2019", "'").replace("\u2018", "'")
