"""Queries on which version answers new conversations."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session, aliased, joinedload

from db.models import Deployment, PolicyVersion
from db.vocabulary import DeploymentRole, PolicyStatus

_MOVES_LOCK = 7_274_411_006
_PUBLISH_LOCK = 7_274_411_007


def list_active(session: Session) -> Sequence[Deployment]:
    """What is deployed now, with ``policy_version``: the live one first, then the canary where there is one."""
    return session.scalars(
        select(Deployment)
        .options(joinedload(Deployment.policy_version, innerjoin=True))
        .where(Deployment.active_to.is_(None), Deployment.role != DeploymentRole.RETIRED)
        .order_by((Deployment.role == DeploymentRole.LIVE).desc())
    ).all()


def find_active(session: Session, role: DeploymentRole) -> Deployment | None:
    """What has this role now, live or canary, with ``policy_version``."""
    return session.scalars(
        select(Deployment)
        .options(joinedload(Deployment.policy_version, innerjoin=True))
        .where(Deployment.role == role, Deployment.active_to.is_(None))
        .execution_options(populate_existing=True)
    ).one_or_none()


def list_history(session: Session, *, limit: int = 100) -> Sequence[Deployment]:
    """Every deployment with ``policy_version``, newest first."""
    return session.scalars(
        select(Deployment)
        .options(joinedload(Deployment.policy_version, innerjoin=True))
        .order_by(Deployment.active_from.desc(), Deployment.id.desc())
        .limit(limit)
    ).all()


def end_active(session: Session, role: DeploymentRole, *, at: datetime | None = None) -> bool:
    """End what has this role now; False if nothing had."""
    ended = session.scalars(
        update(Deployment)
        .where(Deployment.role == role, Deployment.active_to.is_(None))
        .values(active_to=at or func.clock_timestamp())
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
    """Give the version this role from now on, in place of what had it (three statements); one span ends when the other begins.

    Of two processes that do so at once the second is refused (``IntegrityError``) instead of leaving two live ones.
    """
    moment = _moment(session)
    end_active(session, role, at=moment)
    deployed = Deployment(policy_version_id=policy_version_id, role=role, share=share, deployed_by=deployed_by)
    deployed.active_from = moment
    session.add(deployed)
    session.flush()
    return deployed


def lock_moves(session: Session) -> None:
    """Let no other transaction move a deployment until this one ends.

    Raises:
        DatabaseBusy: if somebody else does so for longer than the lock timeout.
    """
    session.execute(select(func.pg_advisory_xact_lock(_MOVES_LOCK)))


def lock_publishing(session: Session) -> None:
    """Let no other transaction publish a version until this one ends. Raises DatabaseBusy as ``lock_moves``."""
    session.execute(select(func.pg_advisory_xact_lock(_PUBLISH_LOCK)))


def may_lock_publishing(session: Session) -> bool:
    """The same without waiting; False where somebody is publishing."""
    return session.scalars(select(func.pg_try_advisory_xact_lock(_PUBLISH_LOCK))).one()


def find_live_before(session: Session, policy_version_id: uuid.UUID) -> Deployment | None:
    """The newest live deployment, with ``policy_version``, of another version than this one: what is gone back to.

    A version that was itself rolled back, or whose files are gone, is passed over.
    """
    retired = aliased(Deployment)
    return session.scalars(
        select(Deployment)
        .join(PolicyVersion, PolicyVersion.id == Deployment.policy_version_id)
        .options(joinedload(Deployment.policy_version, innerjoin=True))
        .where(
            Deployment.role == DeploymentRole.LIVE,
            Deployment.policy_version_id != policy_version_id,
            PolicyVersion.status == PolicyStatus.PUBLISHED,
            ~exists().where(
                retired.policy_version_id == Deployment.policy_version_id,
                retired.role == DeploymentRole.RETIRED,
                retired.active_to.is_(None),
            ),
        )
        .order_by(Deployment.active_from.desc(), Deployment.id.desc())
        .limit(1)
    ).one_or_none()


def retire(session: Session, policy_version_id: uuid.UUID, *, retired_by: uuid.UUID | None = None) -> Deployment:
    """Say that the version was rolled back; that holds until ``end_retirement``."""
    retired = Deployment(policy_version_id=policy_version_id, role=DeploymentRole.RETIRED, share=Decimal(0), deployed_by=retired_by)
    retired.active_from = _moment(session)
    session.add(retired)
    session.flush()
    return retired


def end_retirement(session: Session, policy_version_id: uuid.UUID) -> None:
    """Let a version that was rolled back be one like any other."""
    session.execute(
        update(Deployment)
        .where(Deployment.policy_version_id == policy_version_id, Deployment.role == DeploymentRole.RETIRED, Deployment.active_to.is_(None))
        .values(active_to=func.clock_timestamp())
    )


def is_retired(session: Session, policy_version_id: uuid.UUID) -> bool:
    """Whether the version was rolled back and has not been deployed since."""
    spans = select(Deployment.id).where(
        Deployment.policy_version_id == policy_version_id, Deployment.role == DeploymentRole.RETIRED, Deployment.active_to.is_(None)
    )
    return session.scalars(select(spans.exists())).one()


def list_of_version(session: Session, policy_version_id: uuid.UUID) -> Sequence[Deployment]:
    """Every span in which the version had a role, newest first."""
    return session.scalars(
        select(Deployment)
        .where(Deployment.policy_version_id == policy_version_id)
        .order_by(Deployment.active_from.desc(), Deployment.id.desc())
    ).all()


def _moment(session: Session) -> datetime:
    """Now, and not when the transaction began: that may have been before another one made the move that it waited for."""
    return session.scalars(select(func.clock_timestamp())).one()
