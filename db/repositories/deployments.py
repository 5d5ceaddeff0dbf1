"""Queries on which version answers new conversations."""

import uuid
from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, joinedload

from db.models import Deployment
from db.vocabulary import DeploymentRole


def list_active(session: Session) -> Sequence[Deployment]:
    """What is deployed now, with ``policy_version``: the live one first, then the canary where there is one."""
    return session.scalars(
        select(Deployment)
        .options(joinedload(Deployment.policy_version, innerjoin=True))
        .where(Deployment.active_to.is_(None), Deployment.role != DeploymentRole.RETIRED)
        .order_by((Deployment.role == DeploymentRole.LIVE).desc())
    ).all()


def list_history(session: Session, *, limit: int = 100) -> Sequence[Deployment]:
    """Every deployment with ``policy_version``, newest first."""
    return session.scalars(
        select(Deployment)
        .options(joinedload(Deployment.policy_version, innerjoin=True))
        .order_by(Deployment.active_from.desc(), Deployment.id.desc())
        .limit(limit)
    ).all()


def end_active(session: Session, role: DeploymentRole) -> bool:
    """End what has this role now; False if nothing had."""
    ended = session.scalars(
        update(Deployment)
        .where(Deployment.role == role, Deployment.active_to.is_(None))
        .values(active_to=func.now())
        .returning(Deployment.id)
    )
    return ended.one_or_none() is not None


def deploy(
    session: Session,
    policy_version_id: uuid.UUID,
    role: DeploymentRole,
    *,
    share: Decimal = Decimal(1),
    deployed_by: uuid.UUID | None = None,
) -> Deployment:
    """Give the version this role from now on, in place of what had it (two statements).

    Of two processes that do so at once the second is refused (``IntegrityError``) instead of leaving two live ones.
    """
    end_active(session, role)
    deployed = Deployment(policy_version_id=policy_version_id, role=role, share=share, deployed_by=deployed_by)
    session.add(deployed)
    session.flush()
    return deployed
