"""Draining: versions that are out of use lose their last conversations, then their place on the model servers.

Decided here: a conversation of a version that was rolled back goes on with the live one at once, for what harms new hotels harms old ones;
and so does one of a version on a base that is served no more; one of a version that was merely followed by a better one keeps it to its
end, but for at most ``drain_days``. A version that nobody uses any more is taken out after a grace; its files stay, so that it can be gone
back to. What a server lost by a restart, it is given again.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from agent.serving import AdapterRefused, ModelServerUnavailable
from db.engine import SessionFactory
from db.models import PolicyVersion
from db.repositories import audit_events, conversations, deployments, policy_versions
from db.vocabulary import DeploymentRole
from training.release.fleet import Fleet, restore
from training.release.settings import ReleaseSettings

log = structlog.get_logger(__name__)

DRAIN = "deployment.drain"
"""In the audit trail; the subject is the version that was left."""
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What ``sweep`` has put right."""

    loaded: tuple[str, ...]
    """Versions that a replica had lost."""
    unloaded: tuple[str, ...]
    """Versions that nobody uses any more."""
    moved: int
    """Conversations that go on with the live version."""
    away: tuple[str, ...]
    """Addresses of replicas that do not answer."""


def sweep(sessions: SessionFactory, fleet: Fleet, *, settings: ReleaseSettings | None = None, now: datetime | None = None) -> Swept:
    """Put right what time has changed: load what a replica lost, move conversations off versions out of use, unload what nobody uses.

    To be called every minute; harmless at any time and by several processes at once. A replica that is away is passed over.

    Raises:
        AdapterRefused: if a replica will not load a version that conversations need; all others were seen to.
    """
    how, moment = settings or ReleaseSettings(), now or datetime.now(UTC)
    moved = _move_off(sessions, moment - timedelta(days=how.drain_days))
    names, away = _loaded(fleet)
    loaded: set[str] = set()
    refused: list[AdapterRefused] = []
    with sessions.begin() as session:
        may_unload = deployments.may_lock_publishing(session)
        deployments.lock_moves(session)
        needed = policy_versions.list_needed(session)
        for version in needed:
            try:
                if _load_where_missing(fleet, version):
                    loaded.add(version.name)
            except AdapterRefused as error:
                refused.append(error)
        used = {version.name for version in needed}
        idle = [
            version.name
            for version in policy_versions.list_named(session, sorted(names - used))
            if may_unload and _idle_since(session, version) <= moment - timedelta(seconds=how.drain_grace_s)
        ]
        for name in idle:
            fleet.unload(name)
    if loaded or idle or moved:
        log.info("release.swept", loaded=sorted(loaded), unloaded=idle, moved=moved, away=away)
    if refused:
        raise refused[0]
    return Swept(loaded=tuple(sorted(loaded)), unloaded=tuple(idle), moved=moved, away=tuple(away))


def move_all(sessions: SessionFactory, from_id: UUID, to_id: UUID, *, opened_before: datetime | None = None) -> int:
    """Let another version speak in open conversations of this one, as far as they are free (``move_to_version``); returns how many."""
    total = 0
    while True:
        with sessions.begin() as session:
            moved = conversations.move_to_version(session, from_id, to_id, opened_before=opened_before, limit=_AT_ONCE)
            if moved:
                audit_events.record(
                    session,
                    actor_id=None,
                    action=DRAIN,
                    subject_type="policy_version",
                    subject_id=from_id,
                    after={"conversations": len(moved), "to": str(to_id)},
                )
        total += len(moved)
        if len(moved) < _AT_ONCE:
            return total


def _move_off(sessions: SessionFactory, opened_before: datetime) -> int:
    """Conversations of versions out of use go on with the live one: of those rolled back, or on another base, all; of others those opened
    before then."""
    with sessions() as session:
        live = deployments.find_active(session, DeploymentRole.LIVE)
        in_use = {one.policy_version_id for one in deployments.list_active(session)}
        idle = [version for version in policy_versions.list_needed(session) if version.id not in in_use]
        rolled_back = {version.id for version in idle if deployments.is_retired(session, version.id)}
    if live is None:
        return 0
    base = live.policy_version.base_model
    at_once = rolled_back | {version.id for version in idle if version.base_model != base}
    return sum(
        move_all(sessions, version.id, live.policy_version_id, opened_before=None if version.id in at_once else opened_before)
        for version in idle
    )


def _loaded(fleet: Fleet) -> tuple[set[str], list[str]]:
    """Names of what any replica holds, and the addresses of those that are away."""
    names: set[str] = set()
    away: list[str] = []
    for server in fleet.servers:
        try:
            names |= server.loaded()
        except ModelServerUnavailable:
            away.append(server.base_url)
    return names, away


def _load_where_missing(fleet: Fleet, version: PolicyVersion) -> bool:
    """Whether any replica that answers had lost it."""
    lost = False
    for server in fleet.servers:
        try:
            lost |= restore(server, version)
        except ModelServerUnavailable:
            log.warning("release.away", url=server.base_url, version=version.name)
    return lost


def _idle_since(session: Session, version: PolicyVersion) -> datetime:
    """When the version was last given a role, or taken one; when it was written, where it never had one."""
    spans = deployments.list_of_version(session, version.id)
    return max([version.created_at, *(span.active_to or span.active_from for span in spans)])
