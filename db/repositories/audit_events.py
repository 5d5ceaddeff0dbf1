"""Queries on the audit trail: it can be added to and read."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from db.models import AuditEvent, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailFilter:
    """Which events are meant; what is left out does not narrow."""

    actor_id: uuid.UUID | None = None
    by_system: bool = False
    """Only what nobody did by hand; ``actor_id`` does not count then."""
    action: str | None = None
    subject_type: str | None = None
    subject_id: uuid.UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Not included."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """For a statement on ``AuditEvent``."""
        found: list[ColumnElement[bool]] = []
        if self.by_system:
            found.append(AuditEvent.actor_id.is_(None))
        elif self.actor_id is not None:
            found.append(AuditEvent.actor_id == self.actor_id)
        if self.action is not None:
            found.append(AuditEvent.action == self.action)
        if self.subject_type is not None:
            found.append(AuditEvent.subject_type == self.subject_type)
        if self.subject_id is not None:
            found.append(AuditEvent.subject_id == self.subject_id)
        if self.since is not None:
            found.append(AuditEvent.created_at >= self.since)
        if self.until is not None:
            found.append(AuditEvent.created_at < self.until)
        return found


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


def search(session: Session, wanted: TrailFilter, *, limit: int = 50, offset: int = 0) -> Sequence[AuditEvent]:
    """One page of the trail with ``actor``, newest first."""
    return session.scalars(
        select(AuditEvent)
        .options(joinedload(AuditEvent.actor))
        .where(*wanted.conditions())
        .order_by(AuditEvent.created_at.desc(), AuditEvent.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()


def list_actions(session: Session) -> Sequence[str]:
    """Every action that stands in the trail, once, in order."""
    return _different(session, AuditEvent.action)


def list_subject_types(session: Session) -> Sequence[str]:
    """Every type of subject that stands in the trail, once, in order."""
    return _different(session, AuditEvent.subject_type)


def _different(session: Session, column: InstrumentedAttribute[str]) -> Sequence[str]:
    """The different words of an indexed column: one look into the index for each, however long the trail is."""
    first = select(func.min(column).label("word")).cte(recursive=True)
    following = select(select(func.min(column)).where(column > first.c.word).scalar_subquery()).where(first.c.word.is_not(None))
    words = first.union_all(following)
    return session.scalars(select(words.c.word).where(words.c.word.is_not(None)).order_by(words.c.word)).all()
