"""Queries on attempts to sign in: what a rate limit counts."""

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from db.models import LoginAttempt
from db.repositories.users import normal_email


def record(session: Session, *, email: str, remote_address: str | None, succeeded: bool) -> None:
    """Remember one attempt."""
    session.add(LoginAttempt(email=normal_email(email), remote_address=remote_address, succeeded=succeeded))
    session.flush()


def count_failures_by_email(session: Session, email: str, *, since: datetime) -> int:
    """Failed attempts on this account since then."""
    return session.scalars(
        select(func.count())
        .select_from(LoginAttempt)
        .where(LoginAttempt.email == normal_email(email), LoginAttempt.created_at >= since, LoginAttempt.succeeded.is_(False))
    ).one()


def count_failures_by_address(session: Session, remote_address: str, *, since: datetime) -> int:
    """Failed attempts from this network address since then, on whatever account."""
    return session.scalars(
        select(func.count())
        .select_from(LoginAttempt)
        .where(LoginAttempt.remote_address == remote_address, LoginAttempt.created_at >= since, LoginAttempt.succeeded.is_(False))
    ).one()


def delete_old(session: Session, *, before: datetime) -> int:
    """Sweep what no limit looks at any more; how many went."""
    return len(session.scalars(delete(LoginAttempt).where(LoginAttempt.created_at < before).returning(LoginAttempt.id)).all())
