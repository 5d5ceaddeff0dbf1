"""Queries on versions of the policy."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.models import PolicyVersion
from db.repositories.insertion import add_unless_present
from db.vocabulary import PolicyStatus


def create(session: Session, version: PolicyVersion) -> tuple[PolicyVersion, bool]:
    """Add a version, or find the one of its name (unchanged); says whether it was added."""
    return add_unless_present(session, version, unique=[PolicyVersion.name.expression], same=[PolicyVersion.name == version.name])


def find_by_id(session: Session, version_id: uuid.UUID) -> PolicyVersion | None:
    """The version of this id."""
    return session.get(PolicyVersion, version_id)


def find_by_name(session: Session, name: str) -> PolicyVersion | None:
    """The version that is served under this name."""
    return session.scalars(select(PolicyVersion).where(PolicyVersion.name == name)).one_or_none()


def list_all(session: Session) -> Sequence[PolicyVersion]:
    """Every version, newest first."""
    return session.scalars(select(PolicyVersion).order_by(PolicyVersion.created_at.desc(), PolicyVersion.id.desc())).all()


def set_status(session: Session, version_id: uuid.UUID, status: PolicyStatus) -> None:
    """Say how far the version has come."""
    session.execute(update(PolicyVersion).where(PolicyVersion.id == version_id).values(status=status))
