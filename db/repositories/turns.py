"""Queries on turns."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from db.models import Draft, Json, Turn
from db.repositories.insertion import add_unless_present
from db.vocabulary import Stage


def add_once(session: Session, turn: Turn) -> tuple[Turn, bool]:
    """Write a turn, or find the one that has its number in the conversation already; says whether it was written.

    A turn without a free ``idempotency_key`` under another number is refused (``IntegrityError``): look with
    ``find_by_idempotency_key`` first.
    """
    return add_unless_present(
        session,
        turn,
        unique=[Turn.conversation_id.expression, Turn.number.expression],
        same=[Turn.conversation_id == turn.conversation_id, Turn.number == turn.number],
    )


def find_by_idempotency_key(session: Session, conversation_id: uuid.UUID, key: str) -> Turn | None:
    """The turn that this key has written."""
    return session.scalars(select(Turn).where(Turn.conversation_id == conversation_id, Turn.idempotency_key == key)).one_or_none()


def find_by_number(session: Session, conversation_id: uuid.UUID, number: int) -> Turn | None:
    """The turn of this number."""
    return session.scalars(select(Turn).where(Turn.conversation_id == conversation_id, Turn.number == number)).one_or_none()


def list_said(session: Session, conversation_id: uuid.UUID) -> Sequence[Turn]:
    """Every turn in order, bare."""
    return session.scalars(select(Turn).where(Turn.conversation_id == conversation_id).order_by(Turn.number)).all()


def list_transcript(session: Session, conversation_id: uuid.UUID) -> Sequence[Turn]:
    """Every turn in order, with ``author``, ``policy_version`` and ``draft`` with its ``verdicts``; two statements whatever the length."""
    return session.scalars(
        select(Turn)
        .options(
            joinedload(Turn.author),
            joinedload(Turn.policy_version),
            joinedload(Turn.draft).options(selectinload(Draft.verdicts)),
        )
        .where(Turn.conversation_id == conversation_id)
        .order_by(Turn.number)
    ).all()


def record_reading(
    session: Session,
    conversation_id: uuid.UUID,
    number: int,
    *,
    hotel_move: Json,
    stage_after: Stage,
    allowed: Sequence[Json],
    policy_version_id: uuid.UUID | None = None,
    model: str | None = None,
    sop_version: str | None = None,
    prompts_version: str | None = None,
    latency_ms: Json | None = None,
) -> bool:
    """Fill in what the agent made of a hotel's turn; False if that was done before (which is left as it is)."""
    filled = session.scalars(
        update(Turn)
        .where(Turn.conversation_id == conversation_id, Turn.number == number, Turn.hotel_move.is_(None))
        .values(
            hotel_move=hotel_move,
            stage_after=stage_after,
            allowed=list(allowed),
            policy_version_id=policy_version_id,
            model=model,
            sop_version=sop_version,
            prompts_version=prompts_version,
            latency_ms=latency_ms,
        )
        .returning(Turn.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return filled is not None
