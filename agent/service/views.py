"""What a person or a program sees of a conversation: one frozen value, read in a handful of statements."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from agent import sop
from agent.domain import AllowedMove, HotelMove, TicketFacts, selling_from_net
from agent.records import from_json, list_from_json
from agent.service.desk import facts_of
from agent.sop import STAGES
from db.models import Draft, GuardVerdict, Turn
from db.repositories import conversations, drafts, turns
from db.vocabulary import Counterpart, DraftOrigin, Mode, Severity, Speaker, Stage, TicketStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictView:
    """One breach that the guard found."""

    rule: str
    severity: Severity
    message: str
    start: int | None
    end: int | None
    of_edit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnView:
    """One turn, with what shaped it."""

    number: int
    speaker: Speaker
    text: str
    stage_after: Stage | None
    hotel_move: HotelMove | None
    move: AllowedMove | None
    allowed: tuple[AllowedMove, ...]
    verdicts: tuple[VerdictView, ...]
    rules_checked: int
    policy_version: str | None
    sop_version: str | None
    prompts_version: str | None
    origin: DraftOrigin | None
    edited_from: str | None
    """The draft's own words, where a person changed them."""
    author: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftView:
    """The draft that waits for a person."""

    id: UUID
    for_turn: int
    attempt: int
    text: str
    move: AllowedMove
    allowed: tuple[AllowedMove, ...]
    origin: DraftOrigin
    brief: str
    verdicts: tuple[VerdictView, ...]
    fallback_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketProgress:
    """One ticket and how far it has come; prices are net unless they say otherwise."""

    label: int
    ticket_id: UUID
    reference: str
    facts: TicketFacts
    status: TicketStatus
    agreed_net: Decimal | None
    agreed_selling: Decimal | None
    last_ask: Decimal | None
    last_offer: Decimal | None
    pending: Decimal | None
    """A price whose terms wait for the hotel's yes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationView:
    """Everything that may be shown of one conversation; no limit of ours is in it."""

    id: UUID
    hotel_name: str
    city: str
    stage: Stage
    brief: str
    mode: Mode
    counterpart: Counterpart
    language: str
    turns: tuple[TurnView, ...]
    pending: DraftView | None
    tickets: tuple[TicketProgress, ...]
    policy_version: str | None
    taken_over_by: UUID | None
    opened_by: UUID | None
    created_at: datetime
    closed_at: datetime | None

    @property
    def is_end(self) -> bool:
        """True where nothing more will be said."""
        return self.closed_at is not None

    @property
    def awaits_draft(self) -> bool:
        """True where it is our turn and nothing has been drafted: a turn was cut short and can be resumed."""
        ours = not self.turns or self.turns[-1].speaker is Speaker.HOTEL
        return ours and self.pending is None and not self.is_end and self.taken_over_by is None


def view_conversation(session: Session, conversation_id: UUID) -> ConversationView:
    """The conversation as it stands. Raises ConversationNotFound."""
    conversation = conversations.get_with_tickets(session, conversation_id)
    said = turns.list_transcript(session, conversation_id)
    pending = drafts.find_pending(session, conversation_id)
    state = sop.load_state(conversation.state)
    progress: list[TicketProgress] = []
    for link, facts in zip(conversation.tickets, facts_of(conversation.tickets), strict=True):
        own = state.ticket(link.label)
        agreed = own.agreed if own.agreed is not None else link.ticket.agreed_net if own.status is not TicketStatus.OPEN else None
        progress.append(
            TicketProgress(
                label=link.label,
                ticket_id=link.ticket_id,
                reference=link.ticket.reference,
                facts=facts,
                status=own.status,
                agreed_net=agreed,
                agreed_selling=selling_from_net(agreed, facts.commission) if agreed is not None else None,
                last_ask=own.last_ask,
                last_offer=own.standing_offer,
                pending=own.pending,
            )
        )
    versions = [turn.policy_version.name for turn in said if turn.policy_version]
    return ConversationView(
        id=conversation.id,
        hotel_name=conversation.hotel.name,
        city=conversation.hotel.city,
        stage=conversation.stage,
        brief=STAGES[conversation.stage].purpose,
        mode=conversation.mode,
        counterpart=conversation.counterpart,
        language=conversation.language,
        turns=tuple(_turn(turn) for turn in said),
        pending=_draft(pending) if pending else None,
        tickets=tuple(progress),
        policy_version=versions[-1] if versions else None,
        taken_over_by=conversation.taken_over_by,
        opened_by=conversation.opened_by,
        created_at=conversation.created_at,
        closed_at=conversation.closed_at,
    )


def _turn(turn: Turn) -> TurnView:
    draft = turn.draft
    return TurnView(
        number=turn.number,
        speaker=turn.speaker,
        text=turn.text,
        stage_after=turn.stage_after,
        hotel_move=from_json(HotelMove, turn.hotel_move) if turn.hotel_move else None,
        move=from_json(AllowedMove, turn.move) if turn.move else None,
        allowed=_moves(turn.allowed),
        verdicts=_breaches(draft.verdicts) if draft else (),
        rules_checked=len(draft.rules_checked) if draft else 0,
        policy_version=turn.policy_version.name if turn.policy_version else None,
        sop_version=turn.sop_version,
        prompts_version=turn.prompts_version,
        origin=draft.origin if draft else None,
        edited_from=draft.text if draft and draft.edited_text is not None else None,
        author=(turn.author.name or turn.author.email) if turn.author else None,
        created_at=turn.created_at,
    )


def _draft(draft: Draft) -> DraftView:
    return DraftView(
        id=draft.id,
        for_turn=draft.for_turn,
        attempt=draft.attempt,
        text=draft.text,
        move=from_json(AllowedMove, draft.move),
        allowed=_moves(draft.allowed),
        origin=draft.origin,
        brief=draft.brief or "",
        verdicts=_breaches(draft.verdicts),
        fallback_reason=draft.fallback_reason,
    )


def _moves(data: list[dict[str, Any]] | None) -> tuple[AllowedMove, ...]:
    return list_from_json(AllowedMove, data or [])


def _breaches(verdicts: list[GuardVerdict]) -> tuple[VerdictView, ...]:
    return tuple(
        VerdictView(
            rule=verdict.rule,
            severity=verdict.severity,
            message=verdict.message,
            start=verdict.span_start,
            end=verdict.span_end,
            of_edit=verdict.of_edit,
        )
        for verdict in verdicts
    )
