"""Queries on drafts and the guard's verdicts about them."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, selectinload

from db.errors import ParleyError
from db.models import Draft, GuardVerdict
from db.repositories.insertion import add_unless_present
from db.vocabulary import DraftStatus


class DraftNotFound(ParleyError):
    """No draft has this id."""


def add_once(session: Session, draft: Draft) -> tuple[Draft, bool]:
    """Write a draft, or find the one that is the same attempt at the same turn; says whether it was written.

    A conversation has one pending draft at most: decide the last one first (``IntegrityError`` otherwise).
    """
    return add_unless_present(
        session,
        draft,
        unique=[Draft.conversation_id.expression, Draft.for_turn.expression, Draft.attempt.expression],
        same=[Draft.conversation_id == draft.conversation_id, Draft.for_turn == draft.for_turn, Draft.attempt == draft.attempt],
    )


def add_verdicts(session: Session, verdicts: Sequence[GuardVerdict]) -> None:
    """Write what the guard objected to, in one round trip."""
    session.add_all(verdicts)
    session.flush()


def get_with_verdicts(session: Session, draft_id: uuid.UUID) -> Draft:
    """The draft with its ``verdicts``, as it is now.

    Raises:
        DraftNotFound: if there is none.
    """
    found = session.scalars(
        select(Draft).options(selectinload(Draft.verdicts)).where(Draft.id == draft_id).execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise DraftNotFound(f"there is no draft {draft_id}; it may belong to another instance: reload the conversation")
    return found


def find_pending(session: Session, conversation_id: uuid.UUID) -> Draft | None:
    """The draft that waits for a person, with its ``verdicts``."""
    return session.scalars(
        select(Draft)
        .options(selectinload(Draft.verdicts))
        .where(Draft.conversation_id == conversation_id, Draft.status == DraftStatus.PENDING)
        .execution_options(populate_existing=True)
    ).one_or_none()


def find_by_action_key(session: Session, conversation_id: uuid.UUID, key: str) -> Draft | None:
    """The draft that was decided with this key: the request is a repeat."""
    return session.scalars(select(Draft).where(Draft.conversation_id == conversation_id, Draft.action_key == key)).one_or_none()


def list_attempts(session: Session, conversation_id: uuid.UUID, for_turn: int) -> Sequence[Draft]:
    """Every attempt at one turn in order, as it is now."""
    return session.scalars(
        select(Draft)
        .where(Draft.conversation_id == conversation_id, Draft.for_turn == for_turn)
        .order_by(Draft.attempt)
        .execution_options(populate_existing=True)
    ).all()


def decide(
    session: Session,
    draft_id: uuid.UUID,
    status: DraftStatus,
    *,
    action_key: str | None = None,
    decided_by: uuid.UUID | None = None,
    edited_text: str | None = None,
) -> bool:
    """Say what became of a pending draft; False if it was decided before (which is left as it is).

    ``edited_text`` goes with ``edited`` alone. An ``action_key`` that has decided another draft of the conversation is refused
    (``IntegrityError``).
    """
    decided = session.scalars(
        update(Draft)
        .where(Draft.id == draft_id, Draft.status == DraftStatus.PENDING)
        .values(status=status, action_key=action_key, decided_by=decided_by, decided_at=func.now(), edited_text=edited_text)
        .returning(Draft.id)
    ).one_or_none()
    return decided is not None


def count_fallbacks(session: Session, *, since: datetime) -> dict[str, int]:
    """How often the template had to speak since then, by reason."""
    counted = session.execute(
        select(Draft.fallback_reason, func.count(Draft.id))
        .where(Draft.fallback_reason.is_not(None), Draft.created_at >= since)
        .group_by(Draft.fallback_reason)
    )
    return {reason: number for reason, number in counted if reason is not None}
