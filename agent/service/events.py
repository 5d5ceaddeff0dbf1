"""What happens during one turn, in order, as the caller of the service sees it."""

from dataclasses import dataclass
from uuid import UUID

from agent.domain import HotelMove
from agent.guardrails import Violation
from db.vocabulary import DraftOrigin, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """The hotel's words are in the database."""

    turn_number: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """The message was understood as this move."""

    hotel_move: HotelMove


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """The SOP moved on; these moves are open to us."""

    stage: Stage
    allowed: tuple[str, ...]
    brief: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """More words of the draft. ``fresh`` is true for the first words of a new attempt: what was shown before is void."""

    text: str
    fresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The guard's verdict on the draft just written; empty means that every rule passed."""

    violations: tuple[Violation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A draft is in the database and waits for a person (copilot) or is about to be sent (autopilot)."""

    draft_id: UUID
    text: str
    origin: DraftOrigin


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Our reply is in the database as a turn."""

    turn_number: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The conversation has come to its end."""

    stage: Stage


TurnEvent = Received | Read | Advanced | Writing | Judged | Drafted | Sent | Ended
