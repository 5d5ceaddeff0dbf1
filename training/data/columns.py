"""The formats in which judgements go out and come in, and their columns: TRL's own, those of whole dialogues, and where each row came from.

A row is a flat mapping in the order of the columns. Its one canonical text (``line``) decides what "the same bytes" means.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from db.vocabulary import JudgementKind

Row = dict[str, Any]
"""One example: every column of its format, in order."""

_NAMES = UUID("6b1f6c0e-1b7a-5f3c-9a43-5d0a4b8c2e71")


class Format(StrEnum):
    """What a row teaches; each of ``TRAINED`` is one of TRL's dataset types in the conversational form."""

    PROMPT_COMPLETION = "prompt_completion"
    """A demonstration, for ``SFTTrainer``."""
    PREFERENCE = "preference"
    """One reply beats another, for ``DPOTrainer`` and ``RewardTrainer``."""
    UNPAIRED_PREFERENCE = "unpaired_preference"
    """One reply is good or bad, for ``KTOTrainer``."""
    DIALOGUE = "dialogue"
    """A whole conversation and what one person says of it: a format of our own, for rewards on dialogues and their validation."""


TRAINED = (Format.PROMPT_COMPLETION, Format.PREFERENCE, Format.UNPAIRED_PREFERENCE)
"""The formats that TRL trains from."""


class Source(StrEnum):
    """What people did that made the example."""

    EXCELLENT = "excellent"
    """Somebody called the reply excellent and nobody thinks badly of it."""
    REWRITE = "rewrite"
    """An annotator wrote what they would have said instead."""
    EDIT = "edit"
    """Staff changed the draft before it went out."""
    COMPARISON = "comparison"
    STARS = "stars"
    """Stars by themselves, or two replies to the same prompt that are two or more stars apart."""
    DIALOGUE = "dialogue"
    """Somebody judged a conversation as a whole."""
    IMPORTED = "imported"
    """A file that does not say."""


CONTENT: dict[Format, tuple[str, ...]] = {
    Format.PROMPT_COMPLETION: ("prompt", "completion"),
    Format.PREFERENCE: ("prompt", "chosen", "rejected"),
    Format.UNPAIRED_PREFERENCE: ("prompt", "completion", "label"),
    Format.DIALOGUE: ("messages", "stars", "excellent", "outcome", "decided_by", "faults", "comment"),
}
"""What a row says. What TRL reads are lists of messages, and ``label``, true for a good reply."""

TALK = frozenset({"prompt", "completion", "chosen", "rejected", "messages"})
"""Columns that hold a list of messages."""

WORDS = frozenset({"decided_by", "comment"})
"""Columns that hold a person's own words."""

PROVENANCE: dict[str, str] = {
    "source": "what people did: " + ", ".join(Source),
    "rating_ids": "the judgements behind it",
    "turn_id": "the turn of ours that it is about; empty where it was never sent",
    "conversation_id": "the conversation",
    "hotel": "pseudonym of the hotel, to split by",
    "policy_version": "who wrote the reply that was judged",
    "prompts_version": "the prompts in which `prompt` is written",
    "rater": "pseudonym of the person; empty where several agreed or nobody in particular did",
    "language": "of the reply, ISO 639-1",
    "created_at": "when it was judged, UTC",
    "simulated_hotel": "whether the hotel was a simulated one",
    "simulated_rater": "whether the judgement is a simulated expert's",
}
"""Where a row came from, with what each column says."""


def columns(kind: Format) -> tuple[str, ...]:
    """Every column in order."""
    return ("id", *CONTENT[kind], *PROVENANCE)


def is_content(kind: Format, column: str) -> bool:
    """Whether it says something, and not where the row came from."""
    return column in CONTENT[kind]


def ordered(kind: Format, values: Mapping[str, Any]) -> Row:
    """The values as a row; what is missing is None."""
    return {column: values.get(column) for column in columns(kind)}


def line(row: Mapping[str, Any]) -> bytes:
    """The row's one text: a line of JSON Lines."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def derived_id(kind: Format, *parts: object) -> UUID:
    """An id that the same parts always give."""
    return uuid5(_NAMES, "\x1f".join([kind, *map(str, parts)]))


def pseudonym(what: str, row_id: UUID | None) -> str | None:
    """A name that tells rows apart without telling whose they are; None for nobody."""
    return None if row_id is None else f"{what}-{sha256(f'parley {what} {row_id}'.encode()).hexdigest()[:12]}"


def instant(moment: datetime) -> str:
    """``2027-01-31T09:30:00.000000Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def kind_of_judgement(source: str | None) -> JudgementKind | None:
    """What a person was looking at; None where nobody says."""
    if source == Source.COMPARISON:
        return JudgementKind.COMPARISON
    if source == Source.DIALOGUE:
        return JudgementKind.DIALOGUE
    return JudgementKind.TURN if source in set(Source) - {Source.IMPORTED} else None


def messages(role: str, content: str) -> list[dict[str, str]]:
    """One message, as TRL wants it."""
    return [{"role": role, "content": content}]


def format_of(names: Sequence[str]) -> Format | None:
    """The format that these columns are; None where they are none."""
    have = set(names)
    if {"chosen", "rejected"} <= have:
        return Format.PREFERENCE
    if {"messages", "stars"} <= have:
        return Format.DIALOGUE
    if "completion" in have:
        return Format.UNPAIRED_PREFERENCE if "label" in have else Format.PROMPT_COMPLETION
    return None
