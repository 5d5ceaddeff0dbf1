"""Queries on versions of the policy."""

import uuid
from collections.abc import Sequence

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session

from db.errors import ParleyError
from db.models import Conversation, Deployment, PolicyVersion
from db.repositories.insertion import add_unless_present
from db.vocabulary import DeploymentRole, PolicyStatus


class VersionNotFound(ParleyError):
    """No policy version has this id or name."""


def create(session: Session, version: PolicyVersion) -> tuple[PolicyVersion, bool]:
    """Add a version, or find the one of its name (unchanged); says whether it was added."""
    return add_unless_present(session, version, unique=[PolicyVersion.name.expression], same=[PolicyVersion.name == version.name])


def get(session: Session, version_id: uuid.UUID) -> PolicyVersion:
    """The version as it is now. Raises VersionNotFound."""
    found = session.get(PolicyVersion, version_id, populate_existing=True)
    if found is None:
        raise VersionNotFound(f"there is no policy version {version_id}; choose one that `parley release status` lists")
    return found


def find_by_id(session: Session, version_id: uuid.UUID) -> PolicyVersion | None:
    """The version of this id."""
    return session.get(PolicyVersion, version_id)


def find_by_name(session: Session, name: str) -> PolicyVersion | None:
    """The version that is served under this name."""
    return session.scalars(select(PolicyVersion).where(PolicyVersion.name == name)).one_or_none()


def find_bare(session: Session) -> PolicyVersion | None:
    """The base model as it is, without an adapter, where it was ever served under a name: the newest such version."""
    return session.scalars(
        select(PolicyVersion).where(PolicyVersion.adapter_path.is_(None)).order_by(PolicyVersion.id.desc()).limit(1)
    ).one_or_none()


def list_all(session: Session) -> Sequence[PolicyVersion]:
    """Every version, newest first."""
    return session.scalars(select(PolicyVersion).order_by(PolicyVersion.created_at.desc(), PolicyVersion.id.desc())).all()


def set_status(session: Session, version_id: uuid.UUID, status: PolicyStatus) -> None:
    """Say how far the version has come."""
    session.execute(update(PolicyVersion).where(PolicyVersion.id == version_id).values(status=status))


def list_named(session: Session, names: Sequence[str]) -> Sequence[PolicyVersion]:
    """The versions that have one of these names, oldest first."""
    return session.scalars(select(PolicyVersion).where(PolicyVersion.name.in_(names)).order_by(PolicyVersion.id)).all()


def list_needed(session: Session) -> Sequence[PolicyVersion]:
    """The versions that must be served: live, canary, or held by a conversation that is not closed. Oldest first."""
    deployed = exists().where(
        Deployment.policy_version_id == PolicyVersion.id, Deployment.active_to.is_(None), Deployment.role != DeploymentRole.RETIRED
    )
    held = exists().where(Conversation.policy_version_id == PolicyVersion.id, Conversation.closed_at.is_(None))
    return session.scalars(select(PolicyVersion).where(or_(deployed, held)).order_by(PolicyVersion.id)).all()
