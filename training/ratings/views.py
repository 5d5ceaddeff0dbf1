"""What the desk hands to a person and takes back: blind to versions, and without anything secret of the tickets.

Decided here: which facts a rater sees. A reply is shown as it was said; nothing tells who or which version wrote it.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from db.vocabulary import ClarifyTopic, IssueTag, JudgementKind, MoveKind, Preferred, Severity, Speaker, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message of the conversation."""

    number: int
    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One ticket, as far as the hotel itself may know it. Amounts and dates are written out."""

    label: int
    room: str
    dates: str
    current: str
    """Net and selling price today."""
    competitor: str
    """Empty where none is known."""
    extras: str
    """Rooms, breakfast, tax, as far as they are known."""
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One item in the hands of one person."""

    assignment_id: uuid.UUID
    item_id: uuid.UUID
    turn_id: uuid.UUID | None
    """The reply of ours; None for a comparison or a dialogue."""
    kind: JudgementKind
    queue: str
    """Name of the queue."""
    expires_at: datetime
    hotel: str
    language: str
    facts: tuple[Facts, ...]
    lines: tuple[Line, ...]
    """For a turn or a comparison: the conversation before the reply. For a dialogue: all of it."""
    stage: Stage | None
    """In which the reply was written; None for a dialogue."""
    move: MoveKind | None
    """What the reply was meant to do; None for a comparison or a dialogue."""
    topic: ClarifyTopic | None
    replies: tuple[str, ...]
    """The reply; two of them for a comparison, in the order in which they are shown; none for a dialogue."""
    adjudication: tuple["Judgement", ...] = ()
    """Where a dispute is to be decided: what the others said, without their names, in the order in which the replies are shown."""
    taken_back: "Judgement | None" = None
    """What the person said of it before undoing the save, to go on from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One fault."""

    tag: IssueTag
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a person says of a task. Which fields are needed depends on its kind; ``RatingDesk.save`` refuses what does not fit."""

    stars: int | None = None
    """1-5; for a turn or a dialogue."""
    excellent: bool = False
    tags: tuple[Tag, ...] = ()
    comment: str = ""
    rewrite: str | None = None
    preferred: Preferred | None = None
    """Of a comparison: ``first`` is the reply that was shown first."""
    strength: int | None = None
    """1 negligibly, 2 slightly, 3 clearly, 4 much better; None for a tie."""
    outcome: str | None = None
    """Of a dialogue: ``won``, ``lost`` or ``open``."""
    decided_by: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gold:
    """What the known answer was, told after the save."""

    right: bool
    stars_from: int
    stars_to: int
    tags: tuple[IssueTag, ...]
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A judgement that is in the database: the transaction is committed when this is returned."""

    rating_id: uuid.UUID
    gold: Gold | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one person, or one queue, has come."""

    judged_today: int
    judged: int
    skipped: int
    waiting: int
    """Items with a free place for this person, counted up to 1,000."""
