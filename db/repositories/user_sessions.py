"""Queries on signed-in browsers. Tokens come in hashed: the random value itself never reaches this room."""

import uuid
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, contains_eager

from db.models import User, UserSession


def start(session: Session, *, user_id: uuid.UUID, token_hash: str, expires_at: datetime) -> UserSession:
    """Record a login."""
    started = UserSession(user_id=user_id, token_hash=token_hash, expires_at=expires_at)
    session.add(started)
    session.flush()
    return started


def find_active(session: Session, token_hash: str, *, now: datetime) -> UserSession | None:
    """The login with its ``user``; None if unknown, expired, revoked, or the person is disabled."""
    return session.scalars(
        select(UserSession)
        .join(UserSession.user)
        .options(contains_eager(UserSession.user))
        .where(
            UserSession.token_hash == token_hash,
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > now,
            User.disabled_at.is_(None),
        )
    ).one_or_none()


def revoke(session: Session, token_hash: str) -> None:
    """End one login; harmless if it has ended."""
    session.execute(
        update(UserSession).where(UserSession.token_hash == token_hash, UserSession.revoked_at.is_(None)).values(revoked_at=func.now())
    )


def revoke_all_of_user(session: Session, user_id: uuid.UUID) -> None:
    """End every login of a person."""
    session.execute(
        update(UserSession).where(UserSession.user_id == user_id, UserSession.revoked_at.is_(None)).values(revoked_at=func.now())
    )


def delete_expired(session: Session, *, before: datetime) -> int:
    """Sweep logins that expired before that instant; how many went."""
    return len(session.scalars(delete(UserSession).where(UserSession.expires_at < before).returning(UserSession.id)).all())
