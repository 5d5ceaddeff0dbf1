"""Queries on the audit trail: it can be added to and read."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from db.models import AuditEvent, Json


def record(
    session: Session,
    *,
    actor_id: uuid.UUID | None,
    action: str,
    subject_type: str,
    subject_id: uuid.UUID | None = None,
    before: Json | None = None,
    after: Json | None = None,
) -> AuditEvent:
    """Write down an act, in the transaction of the act itself."""
    event = AuditEvent(actor_id=actor_id, action=action, subject_type=subject_type, subject_id=subject_id, before=before, after=after)
    session.add(event)
    session.flush()
    return event


def list_of_subject(session: Session, subject_type: str, subject_id: uuid.UUID) -> Sequence[AuditEvent]:
    """What happened to one row, with ``actor``, oldest first."""
    return session.scalars(
        select(AuditEvent)
        .options(joinedload(AuditEvent.actor))
        .where(AuditEvent.subject_type == subject_type, AuditEvent.subject_id == subject_id)
        .order_by(AuditEvent.created_at, AuditEvent.id)
    ).all()


def list_newest(
    session: Session, *, actor_id: uuid.UUID | None = None, action: str | None = None, limit: int = 100, offset: int = 0
) -> Sequence[AuditEvent]:
    """One page of the trail with ``actor``, newest first."""
    newest = select(AuditEvent).options(joinedload(AuditEvent.actor)).order_by(AuditEvent.created_at.desc(), AuditEvent.id.desc())
    if actor_id is not None:
        newest = newest.where(AuditEvent.actor_id == actor_id)
    if action is not None:
        newest = newest.where(AuditEvent.action == action)
    return session.scalars(newest.limit(limit).offset(offset)).all()
