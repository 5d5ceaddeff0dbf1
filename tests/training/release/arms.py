"""Conversations as two versions would have had them, written straight into the tables: many, and quickly."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from db.models import Draft, GuardVerdict, Rating, Turn
from db.vocabulary import DraftOrigin, DraftStatus, JudgementKind, Severity, Speaker, Stage, TicketStatus
from tests.db.db_rows import Rows

_number = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """One conversation."""

    violated: Sequence[bool] = (False, False, False, False)
    """Of each of our replies, whether its first draft broke a rule."""
    severity: Severity = Severity.MAJOR
    unusable: int | None = None
    """Which reply's first draft had no words, from 0."""
    template: int | None = None
    """Which reply a template said, from 0."""
    seconds: float = 2.0
    """From the hotel's words to a draft."""
    answered: bool = True
    agreed: bool | None = None
    """How it ended; None where it has not."""
    stars: int | None = None
    """Of the first reply."""
    edited: bool = False
    """A person wrote the first reply in place of the draft."""
    minutes: float = 0.0
    """When it was opened, after the start of the canary."""


def write(session: Session, version_id: UUID, talks: Sequence[Talk], *, since: datetime) -> None:
    """Write them all, each with a hotel of its own, a minute between two replies."""
    rows = Rows(session)
    rater = rows.user(email=f"rater{next(_number)}@example.com").id
    hotel = rows.hotel(name=f"Hotel of {next(_number)}")
    for talk in talks:
        ticket = rows.ticket(hotel, reference=f"AB-{next(_number)}")
        opened = since + timedelta(minutes=talk.minutes, seconds=1)
        ended = opened + timedelta(hours=1) if talk.agreed is not None else None
        if talk.agreed is not None:
            ticket.status = TicketStatus.AGREED if talk.agreed else TicketStatus.DECLINED
            ticket.agreed_net = Decimal(420) if talk.agreed else None
        conversation = rows.conversation(ticket, policy_version_id=version_id, closed_at=ended, turn_count=2 * len(talk.violated))
        for place, violated in enumerate(talk.violated):
            number, at = 2 * place + 1, opened + timedelta(minutes=place)
            first = Draft(
                conversation_id=conversation.id, for_turn=number, attempt=1, origin=DraftOrigin.POLICY,
                text="" if place == talk.unusable else "Could you do 420?", status=DraftStatus.APPROVED, policy_version_id=version_id,
            )  # fmt: skip
            if talk.edited and place == 0:
                first.status, first.edited_text = DraftStatus.EDITED, "Would 420 be possible for you?"
            first.created_at = at
            session.add(first)
            session.flush()
            if violated:
                session.add(GuardVerdict(draft_id=first.id, rule="promises", severity=talk.severity))
            if place == talk.template:
                session.add(
                    Draft(
                        conversation_id=conversation.id, for_turn=number, attempt=3, origin=DraftOrigin.TEMPLATE, text="Thank you.",
                        status=DraftStatus.SUPERSEDED, policy_version_id=version_id, fallback_reason="promises",
                    )
                )  # fmt: skip
            ours = Turn(
                conversation_id=conversation.id, number=number, speaker=Speaker.BD, text=first.text or "Thank you.",
                stage_before=Stage.PROPOSAL, draft_id=first.id, policy_version_id=version_id,
            )  # fmt: skip
            session.add(ours)
            if talk.answered:
                session.add(
                    Turn(
                        conversation_id=conversation.id, number=number + 1, speaker=Speaker.HOTEL, text="We could do 430.",
                        stage_before=Stage.PROPOSAL, latency_ms={"read": 500.0, "write_1": talk.seconds * 1000 - 500},
                    )
                )  # fmt: skip
            session.flush()
            if talk.stars is not None and place == 0:
                rating = Rating(
                    kind=JudgementKind.TURN, rater_id=rater, conversation_id=conversation.id, turn_id=ours.id,
                    idempotency_key=f"r{next(_number)}", stars=talk.stars,
                )  # fmt: skip
                rating.created_at = at + timedelta(minutes=10)
                session.add(rating)
        session.flush()
        session.execute(text("UPDATE conversation SET created_at = :at WHERE id = :id"), {"at": opened, "id": conversation.id})


def now() -> datetime:
    """Of the clock that the tables are written by."""
    return datetime.now(UTC)
