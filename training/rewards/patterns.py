"""Rules that operations add without code: a pattern over the words of a reply, as data in the reward spec.

Decided here: what such a rule looks like, what of the reply it sees, and which patterns are safe to run. It is a rule as the guard knows
them (``agent.guardrails.Rule``) and sees what they see: lower case, without disguises, quoted facts blanked out.

Patterns run on RE2, whose time is linear in the text whatever the pattern: it has no backtracking, and so no look-around and no
back-references. What is left to bound is the pattern's own size, and that is checked when the rule is read, not when a reply comes.
"""

from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from agent.domain import Reply, TurnContext
from agent.guardrails import Violation
from agent.guardrails.said import Said, said
from db.vocabulary import MoveKind, Severity, Stage

MOST_CHARS = 500
"""Of one pattern."""
_COPIES = 32
"""So many of one pattern must fit into RE2's memory, which keeps a single one small and quick to compile (a few milliseconds at worst)."""


class Within(StrEnum):
    """The piece of a reply that a pattern, and what excuses it, is looked for in."""

    SENTENCE = "sentence"
    REPLY = "reply"


def _safe(pattern: str) -> str:
    """The pattern, if RE2 can run it, it is small, and it does not hit a reply that says nothing."""
    if len(pattern) > MOST_CHARS:
        raise ValueError(f"has {len(pattern)} characters, and {MOST_CHARS} are allowed: make two rules of it")
    if "(?P<" in pattern or "(?<" in pattern:
        raise ValueError("names a group or looks behind: write groups as (?:…)")
    try:
        hits_nothing = _spans(pattern, ("",))[0] is not None
        _spans("".join(f"(?:{pattern})" for _ in range(_COPIES)), ("",))
    except pa.ArrowInvalid as error:
        raise ValueError(_reason(str(error))) from error
    if hits_nothing:
        raise ValueError("hits the empty text, and so every reply: leave nothing but what is meant")
    return pattern


def _reason(error: str) -> str:
    """RE2's refusal in words that help."""
    if "unnamed groups" in error:
        return "has a group that would be remembered: write groups as (?:…)"
    if "too large" in error:
        return "is too large when written out: use smaller counts than in {1,1000}, and fewer of them"
    return f"cannot be read ({error.removeprefix('Invalid regular expression: ')}): RE2 syntax, without look-around and back-references"


Pattern = Annotated[str, Field(min_length=1), AfterValidator(_safe)]


class PatternRule(BaseModel):
    """One rule. ``weight`` below zero makes it a fault, above zero a bonus; at zero it only counts its hits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{2,47}$")
    severity: Severity = Severity.MAJOR
    weight: float = Field(ge=-1000, le=1000)
    pattern: Pattern
    """Searched without regard to case in each sentence, or in the whole reply."""
    unless: Pattern | None = None
    """A piece in which this is found too is excused."""
    within: Within = Within.SENTENCE
    says: str = Field(min_length=3, max_length=300)
    """What to tell a person, after the quoted words: ``puts the hotel under pressure: leave it out``."""
    moves: tuple[MoveKind, ...] = ()
    """Only replies that make one of these moves; empty for every move."""
    stages: tuple[Stage, ...] = ()
    languages: tuple[str, ...] = ()
    """ISO 639-1."""
    note: str = Field(default="", max_length=1000)
    """Why the rule is there: the incident that led to it."""

    @model_validator(mode="after")
    def _a_bonus_is_no_breach(self) -> "PatternRule":
        if self.weight > 0 and self.severity is Severity.SEVERE:
            raise ValueError(f"a bonus ({self.weight:+g}) cannot be severe: only a fault is")
        return self

    def applies(self, context: TurnContext, reply: Reply) -> bool:
        """Whether the rule has anything to say about a reply of this move, stage and language."""
        return (
            (not self.moves or reply.move.kind in self.moves)
            and (not self.stages or context.stage in self.stages)
            and (not self.languages or context.language in self.languages)
        )

    def check(self, context: TurnContext, reply: Reply) -> list[Violation]:
        """One violation for each piece of the reply in which the pattern is found, at its first place there."""
        if not self.applies(context, reply):
            return []
        heard = said(context, reply)
        pieces, offsets = _pieces(heard, self.within)
        found: list[Violation] = []
        for piece, offset, span in zip(pieces, offsets, _spans(self.pattern, pieces), strict=True):
            if span is None or (self.unless is not None and _spans(self.unless, (piece,))[0] is not None):
                continue
            # RE2 counts bytes.
            first, last = (offset + len(piece.encode()[:at].decode()) for at in span)
            start, end = heard.span(first, last)
            message = f"{heard.quote(first, last)} {self.says}"
            found.append(Violation(rule=self.name, severity=self.severity, message=message, start=start, end=end))
        return found


def _pieces(heard: Said, within: Within) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The pieces of the masked text, and where each begins."""
    if within is Within.REPLY:
        return (heard.masked,), (0,)
    return tuple(sentence.text for sentence in heard.sentences), tuple(sentence.start for sentence in heard.sentences)


@lru_cache(maxsize=256)
def _options(pattern: str) -> Any:
    return pc.ExtractRegexSpanOptions(f"(?P<hit>(?i:{pattern}))")


def _spans(pattern: str, texts: tuple[str, ...]) -> list[tuple[int, int] | None]:
    """For each text the first place of the pattern as bytes (start, end); None where it is not found. Raises pyarrow.ArrowInvalid."""
    found: Any = pc.call_function("extract_regex_span", [pa.array(texts, pa.string())], _options(pattern))
    hits: list[dict[str, list[int]] | None] = found.to_pylist()
    return [(hit["hit"][0], hit["hit"][0] + hit["hit"][1]) if hit is not None else None for hit in hits]
