"""What the SOP remembers between turns: one frozen value per conversation, stored as JSON beside the turns.

It holds only what has been said (asks, offers, agreements) and counters; no limit of ours is in it, so it may be logged and shown.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from agent.domain import Mandate, TicketFacts
from db.vocabulary import ClarifyTopic, MoveKind, PriceBasis, Stage, TicketStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Both sides of one ticket, as the SOP needs them; the mandate is secret."""

    facts: TicketFacts
    mandate: Mandate


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketState:
    """One ticket's progress. All prices are net, in the ticket's currency."""

    label: int
    status: TicketStatus = TicketStatus.OPEN
    round: int = 0
    """Asks made so far."""
    asked: tuple[Decimal, ...] = ()
    offered: tuple[Decimal, ...] = ()
    """The hotel's own prices, converted to net."""
    named: tuple[Decimal, ...] = ()
    """The hotel's amounts as it said them, whatever their kind: the ones that a reply may repeat."""
    unplaced: Decimal | None = None
    """An amount whose kind (net or selling) the hotel has not said yet."""
    basis: PriceBasis | None = None
    """The kind of price that the hotel has been talking in."""
    open_points: tuple[ClarifyTopic, ...] = ()
    """Strings on the hotel's price that have been asked about and not yet settled."""
    pushed: bool = False
    """An acceptable offer has been pushed once; it is taken the next time."""
    pending: Decimal | None = None
    """Price whose terms wait for the hotel's explicit yes."""
    agreed: Decimal | None = None
    refusals: int = 0
    clarified: int = 0
    """Clarifications since the last ask."""
    confirmed: int = 0

    @property
    def last_ask(self) -> Decimal | None:
        """What we asked for last."""
        return self.asked[-1] if self.asked else None

    @property
    def standing_offer(self) -> Decimal | None:
        """The lowest net price that the hotel has offered and not taken back."""
        return min(self.offered) if self.offered else None


@dataclass(frozen=True, slots=True, kw_only=True)
class NegotiationState:
    """One conversation's progress through the SOP."""

    stage: Stage
    focus: int
    tickets: tuple[TicketState, ...]
    turns: int = 0
    """Replies of ours so far."""
    waits: int = 0
    """Silences and noncommittal answers in a row."""
    calms: int = 0
    redirects: int = 0
    greeted: bool = False
    probed: bool = False
    last_move: MoveKind | None = None
    resume: Stage | None = None
    """Where a clarification or a follow-up goes back to."""
    close_as: TicketStatus | None = None
    """What the open tickets become when the close is said."""

    def ticket(self, label: int | None = None) -> TicketState:
        """A ticket by label, the focus where none is given. Raises KeyError for a label this conversation does not have."""
        wanted = self.focus if label is None else label
        for ticket in self.tickets:
            if ticket.label == wanted:
                return ticket
        raise KeyError(wanted)

    def with_ticket(self, ticket: TicketState) -> "NegotiationState":
        """The same state with one ticket replaced."""
        return replace(self, tickets=tuple(ticket if old.label == ticket.label else old for old in self.tickets))

    @property
    def open_labels(self) -> tuple[int, ...]:
        """Labels of the tickets that have not come to their end."""
        return tuple(ticket.label for ticket in self.tickets if ticket.status is TicketStatus.OPEN)

    @property
    def most_turns(self) -> int:
        """Replies after which the conversation is closed with what it has."""
        return 8 + 10 * len(self.tickets)


def open_state(labels: tuple[int, ...]) -> NegotiationState:
    """The state before the first word, for the tickets with these labels."""
    return NegotiationState(stage=Stage.OPENING, focus=labels[0], tickets=tuple(TicketState(label=label) for label in labels))


_ADAPTER = TypeAdapter(NegotiationState)


def dump_state(state: NegotiationState) -> dict[str, Any]:
    """The state as plain JSON values (amounts as strings)."""
    return _ADAPTER.dump_python(state, mode="json")


def load_state(data: Mapping[str, Any]) -> NegotiationState:
    """The inverse of ``dump_state``; raises pydantic.ValidationError on anything else."""
    return _ADAPTER.validate_python(data)


def sop_version() -> str:
    """Hash of the SOP's own source: it changes when, and only when, the machine does."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return f"sop-{digest.hexdigest()[:12]}"
