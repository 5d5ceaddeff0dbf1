"""Who answers new conversations: a canary for its share, the live version for the rest; and the way back.

Decided here: that every move is one transaction with an event in the audit trail, that two people who move at once come one after the
other, and that a replica holds a version before the first conversation is given to it. A conversation keeps the version that it was opened
with, unless that one is rolled back; how versions out of use are drained is decided in ``draining``. When to move is decided by people, by
jobs, or by ``watch``.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from agent.serving import AdapterRefused, ModelServerUnavailable
from db.engine import SessionFactory
from db.errors import ParleyError
from db.models import Deployment, Json, PolicyVersion
from db.repositories import audit_events, deployments, policy_versions
from db.vocabulary import DeploymentRole, PolicyStatus
from training.release.draining import Swept, move_all, sweep
from training.release.fleet import Fleet, restore

log = structlog.get_logger(__name__)

__all__ = [
    "CANARY",
    "PROMOTE",
    "ROLL_BACK",
    "SHARE",
    "Moved",
    "NotDeployable",
    "NothingToRollBackTo",
    "Swept",
    "promote",
    "roll_back",
    "set_share",
    "start_canary",
    "sweep",
]

CANARY, SHARE, PROMOTE, ROLL_BACK = "deployment.canary", "deployment.share", "deployment.promote", "deployment.roll_back"
"""What the moves are called in the audit trail; the subject is the version."""


class NotDeployable(ParleyError):
    """The version is not published, or another one is in its way."""


class NothingToRollBackTo(ParleyError):
    """No version was live before, or none that could be gone back to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One move that was made."""

    action: str
    version_id: UUID
    version: str
    """Name of the version that was moved."""
    live: str | None
    """Name of the version that is live now."""
    conversations: int = 0
    """Open ones that go on with the live version."""


def start_canary(
    sessions: SessionFactory, fleet: Fleet, version_id: UUID, *, share: float | Decimal, actor: UUID | None = None
) -> Moved | None:
    """Give the version ``share`` of the new conversations; None where it has exactly that already.

    Raises:
        VersionNotFound: for an unknown version.
        NotDeployable: if it is not published or is live already, if another canary runs, or if the share is not between 0 and 1.
        AdapterRefused, ModelServerUnavailable: if a replica cannot serve it. Nothing was moved.
    """
    part = _share(share)
    with sessions.begin() as session:
        deployments.lock_moves(session)
        version = _deployable(session, version_id)
        live, canary = _active(session)
        if live is not None and live.policy_version_id == version_id:
            raise NotDeployable(f"{version.name} is live already.")
        if canary is not None:
            if canary.policy_version_id != version_id:
                raise NotDeployable(f"{canary.policy_version.name} is the canary: promote it or roll it back first.")
            return None if canary.share == part else _reshare(session, canary, part, live, actor)
        _ensure(fleet, version)
        deployments.end_retirement(session, version_id)
        deployments.deploy(session, version_id, DeploymentRole.CANARY, share=part, deployed_by=actor)
        return _told(session, CANARY, version, live, actor, before=None, after={"share": float(part)})


def set_share(sessions: SessionFactory, *, share: float | Decimal, actor: UUID | None = None) -> Moved | None:
    """Give the canary another share of the new conversations; None where it has it already.

    Raises:
        NotDeployable: if there is no canary, or the share is not between 0 and 1.
    """
    part = _share(share)
    with sessions.begin() as session:
        deployments.lock_moves(session)
        live, canary = _active(session)
        if canary is None:
            raise NotDeployable("There is no canary whose share could be set: start one first.")
        return None if canary.share == part else _reshare(session, canary, part, live, actor)


def promote(
    sessions: SessionFactory, fleet: Fleet, version_id: UUID, *, actor: UUID | None = None, reason: str | None = None
) -> Moved | None:
    """Make the version live for all new conversations, the canary or any other published one; None where it is live already.

    The version before is no longer given to new conversations, and is kept to go back to.

    Raises:
        VersionNotFound, NotDeployable, AdapterRefused, ModelServerUnavailable: as ``start_canary``. Nothing was moved.
    """
    with sessions.begin() as session:
        deployments.lock_moves(session)
        version = _deployable(session, version_id)
        live, canary = _active(session)
        if live is not None and live.policy_version_id == version_id:
            return None
        if canary is not None and canary.policy_version_id != version_id:
            raise NotDeployable(f"{canary.policy_version.name} is the canary: promote it or roll it back first.")
        _ensure(fleet, version)
        deployments.end_retirement(session, version_id)
        deployments.end_active(session, DeploymentRole.CANARY)
        deployments.deploy(session, version_id, DeploymentRole.LIVE, deployed_by=actor)
        before = {"live": live.policy_version.name} if live is not None else None
        after: Json = {"live": version.name} | ({"reason": reason} if reason else {})
        return _told(session, PROMOTE, version, None, actor, before=before, after=after)


def roll_back(
    sessions: SessionFactory, fleet: Fleet, *, actor: UUID | None = None, reason: str, version_id: UUID | None = None
) -> Moved | None:
    """Take a version out of use: the canary where there is one, else the live one, in whose place the one before becomes live again.

    Name the ``version_id`` that is to go, so that of two people who press the button at once the second changes nothing (None is returned).
    Its open conversations go on with the live version at once, but for those that are being answered or whose draft waits for a person;
    ``sweep`` comes for them. A replica that is away does not stop it.

    Raises:
        NothingToRollBackTo: if the live version is to go and there was none before it.
        AdapterRefused, ModelServerUnavailable: if no replica can serve the version that would be live. Nothing was moved.
    """
    with sessions.begin() as session:
        deployments.lock_moves(session)
        live, canary = _active(session)
        goes = next((one for one in (canary, live) if one is not None and version_id in (None, one.policy_version_id)), None)
        if goes is None:
            if version_id is None:
                raise NothingToRollBackTo("Nothing is deployed, so there is nothing to roll back.")
            return None
        if goes.role is DeploymentRole.CANARY:
            deployments.end_active(session, DeploymentRole.CANARY)
            stays = live.policy_version if live is not None else None
        else:
            stays = _go_back(session, fleet, goes, actor)
            if canary is not None and canary.policy_version_id == stays.id:
                deployments.end_active(session, DeploymentRole.CANARY)
        deployments.retire(session, goes.policy_version_id, retired_by=actor)
        after: Json = {"live": stays.name if stays is not None else None, "reason": reason}
        moved = _told(session, ROLL_BACK, goes.policy_version, None, actor, before={"role": str(goes.role)}, after=after)
        gone_id, live_id = goes.policy_version_id, stays.id if stays is not None else None
    went = move_all(sessions, gone_id, live_id) if live_id is not None else 0
    return replace(moved, live=stays.name if stays is not None else None, conversations=went)


# -- parts of a move --------------------------------------------------------------------------------------------------------------------


def _active(session: Session) -> tuple[Deployment | None, Deployment | None]:
    return deployments.find_active(session, DeploymentRole.LIVE), deployments.find_active(session, DeploymentRole.CANARY)


def _share(share: float | Decimal) -> Decimal:
    part = round(Decimal(str(share)), 6)
    if not 0 < part < 1:
        raise NotDeployable(f"{share} is no share of a canary: give a number between 0 and 1, or promote the version.")
    return part


def _deployable(session: Session, version_id: UUID) -> PolicyVersion:
    version = policy_versions.get(session, version_id)
    if version.status is not PolicyStatus.PUBLISHED:
        raise NotDeployable(f"{version.name} is {version.status}, not published: publish it first.")
    return version


def _ensure(fleet: Fleet, version: PolicyVersion) -> None:
    """Every replica holds it."""
    for server in fleet.servers:
        restore(server, version)


def _reshare(session: Session, canary: Deployment, share: Decimal, live: Deployment | None, actor: UUID | None) -> Moved:
    # A new span and not a changed one, so that the history tells who got what when.
    deployments.deploy(session, canary.policy_version_id, DeploymentRole.CANARY, share=share, deployed_by=actor)
    return _told(session, SHARE, canary.policy_version, live, actor, before={"share": float(canary.share)}, after={"share": float(share)})


def _go_back(session: Session, fleet: Fleet, goes: Deployment, actor: UUID | None) -> PolicyVersion:
    """Make the version before live again."""
    before = deployments.find_live_before(session, goes.policy_version_id)
    if before is None:
        raise NothingToRollBackTo(f"No version was live before {goes.policy_version.name}, or all were rolled back or removed.")
    _ensure_somewhere(fleet, before.policy_version)
    deployments.deploy(session, before.policy_version_id, DeploymentRole.LIVE, deployed_by=actor)
    return before.policy_version


def _ensure_somewhere(fleet: Fleet, version: PolicyVersion) -> None:
    """Every replica that answers holds it; one at least has to."""
    failures: list[AdapterRefused | ModelServerUnavailable] = []
    for server in fleet.servers:
        try:
            restore(server, version)
        except (AdapterRefused, ModelServerUnavailable) as error:
            log.warning("release.replica_left_behind", url=server.base_url, version=version.name, error=str(error))
            failures.append(error)
    if len(failures) == len(fleet.servers):
        raise failures[0]


def _told(
    session: Session, action: str, version: PolicyVersion, live: Deployment | None, actor: UUID | None, *, before: Json | None, after: Json
) -> Moved:
    """Write the move into the audit trail."""
    audit_events.record(
        session, actor_id=actor, action=action, subject_type="policy_version", subject_id=version.id, before=before, after=after
    )
    log.info(action, version=version.name, **after)
    return Moved(
        action=action, version_id=version.id, version=version.name, live=live.policy_version.name if live is not None else version.name
    )
