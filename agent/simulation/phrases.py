"""What a phrase of the phrasebook is, and which tags and slots it may carry.

Decided here: the tags by which both sides' phrases are found, which slots may stand in which side's text, and which phrases are held out:
a phrase is held out by a hash of its own text, so that the split survives any reordering of the files. Loading is ``phrasebook``'s.
"""

import re
import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from db.vocabulary import HotelMoveKind, Mood, MoveKind, Stage


class Lever(StrEnum):
    """What can move a hotel, and the argument of ours that speaks to it."""

    VOLUME = "volume"
    VISIBILITY = "visibility"
    SEASON = "season"
    RELATIONSHIP = "relationship"
    PARITY = "parity"
    REVIEWS = "reviews"
    EVIDENCE = "evidence"
    """A quotable fact of the ticket; which lever it pulls depends on what it says."""


class TypingStyle(StrEnum):
    """How a hotel types."""

    PLAIN = "plain"
    TERSE = "terse"
    CHATTY = "chatty"
    TYPOS = "typos"
    EMOJI = "emoji"
    VOICE_NOTE = "voice_note"


class Quality(StrEnum):
    """How well a line of ours is put; ``WRONG`` lines carry the name of their fault."""

    EXCELLENT = "excellent"
    FINE = "fine"
    CLUMSY = "clumsy"
    WRONG = "wrong"


class HotelPart(StrEnum):
    """Where a hotel phrase stands in its message."""

    OPENER = "opener"
    BODY = "body"
    TAIL = "tail"


class BDPart(StrEnum):
    """Where a phrase of ours stands in its reply."""

    HELLO = "hello"
    INTRO = "intro"
    PURPOSE = "purpose"
    QUESTION = "question"
    ACK = "ack"
    ANSWER = "answer"
    REASON = "reason"
    BODY = "body"
    CLOSING = "closing"
    WHOLE = "whole"


class Tactic(StrEnum):
    """What a line does in the bargaining, on either side."""

    ANCHOR = "anchor"
    """Names a price of one's own to start from."""
    HOLD_FIRM = "hold_firm"
    CONCEDE = "concede"
    """A step toward the other side."""
    CONDITION = "condition"
    """Gives for something in return."""
    DEFLECT = "deflect"
    """Answers a question with another, or leaves it open."""
    DELAY = "delay"
    FLATTER = "flatter"
    COMPLAIN = "complain"
    AUTHORITY = "authority"
    """Somebody else has to decide."""
    TAKE_IT_OR_LEAVE_IT = "take_it_or_leave_it"
    DISCLOSE = "disclose"
    """Gives information."""
    OPEN_SOFTLY = "open_softly"
    REASON = "reason"
    STEP_CLOSER = "step_closer"
    RECIPROCATE = "reciprocate"
    ACKNOWLEDGE = "acknowledge"
    CLARIFY = "clarify"
    CONFIRM = "confirm"
    DE_ESCALATE = "de_escalate"
    WALK_AWAY = "walk_away"


HOTEL_TACTICS = frozenset(
    {Tactic.ANCHOR, Tactic.HOLD_FIRM, Tactic.CONCEDE, Tactic.CONDITION, Tactic.DEFLECT, Tactic.DELAY, Tactic.FLATTER, Tactic.COMPLAIN}
    | {Tactic.AUTHORITY, Tactic.TAKE_IT_OR_LEAVE_IT, Tactic.DISCLOSE}
)
BD_TACTICS = frozenset(
    {Tactic.OPEN_SOFTLY, Tactic.ANCHOR, Tactic.REASON, Tactic.STEP_CLOSER, Tactic.HOLD_FIRM, Tactic.RECIPROCATE, Tactic.ACKNOWLEDGE}
    | {Tactic.CLARIFY, Tactic.CONFIRM, Tactic.DE_ESCALATE, Tactic.WALK_AWAY}
)
Language = Literal["en", "zh"]
"""ISO 639-1 of the languages that phrases are written in."""
LANGUAGES: tuple[Language, ...] = ("en", "zh")
HOTEL_SLOTS = frozenset({"hotel", "room", "dates", "price", "ask", "vague", "condition"})
BD_SLOTS = frozenset(
    {"hotel", "room", "dates", "check_in", "check_out", "net", "selling", "current_selling"}
    | {"competitor_price", "competitor_source", "seen_on", "evidence", "offer", "agreed"}
)
HELD_OUT_SHARE = 8
"""One phrase in this many is held out."""

_SLOT = re.compile(r"\{([^{}]*)\}")


def slots_of(text: str) -> frozenset[str]:
    """Names of the slots in a phrase."""
    return frozenset(_SLOT.findall(text))


def is_held_out(text: str) -> bool:
    """Whether no training may ever see this phrase; depends on its text alone."""
    return zlib.crc32(text.encode()) % HELD_OUT_SHARE == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HotelPhrase:
    """One line of the hotel side. ``intent`` is None for openers and tails, which fit around many intents."""

    text: str
    part: HotelPart
    intent: HotelMoveKind | None
    topic: str
    mood: Mood
    lever: Lever | None
    tactic: Tactic
    stages: frozenset[Stage]
    """Stages of the conversation in which a hotel may say it; never empty."""
    styles: frozenset[TypingStyle]
    """Styles it belongs to; empty means that it fits any."""
    slots: frozenset[str]
    held_out: bool
    language: Language
    file: str
    """Name of the file it stands in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BDPhrase:
    """One line of our side."""

    text: str
    part: BDPart
    moves: frozenset[MoveKind]
    topic: str | None
    argument: Lever | None
    tactic: Tactic
    tone: Mood
    """How the line itself sounds."""
    stages: frozenset[Stage]
    """Stages it belongs to; never empty."""
    after: frozenset[HotelMoveKind]
    """Hotel moves it answers; only acknowledgements have any."""
    moods: frozenset[Mood]
    lever: Lever | None
    """The hotel's lever that an acknowledgement speaks to."""
    quality: Quality
    fault: str | None
    slots: frozenset[str]
    held_out: bool
    language: Language
    file: str
    """Name of the file it stands in."""
