"""Which policy version a new conversation gets: the canary for its share, the live one for the rest. A conversation keeps its arm."""

from sqlalchemy.orm import Session

from db.models import PolicyVersion
from db.repositories import deployments, policy_versions
from db.vocabulary import DeploymentRole, PolicyStatus

_POINTS = 1_000_000


def ensure_base_version(session: Session, model_name: str) -> PolicyVersion:
    """The version that is the base model itself, without an adapter; live where nothing else is."""
    version, _ = policy_versions.create(session, PolicyVersion(name=model_name, base_model=model_name, status=PolicyStatus.PUBLISHED))
    if not deployments.list_active(session):
        deployments.deploy(session, version.id, DeploymentRole.LIVE)
    return version


def choose_version(session: Session, *, point: int, model_name: str) -> PolicyVersion:
    """The version for a new conversation; ``point`` is a random number that draws the arm."""
    active = {deployment.role: deployment for deployment in deployments.list_active(session)}
    canary = active.get(DeploymentRole.CANARY)
    if canary is not None and point % _POINTS < canary.share * _POINTS:
        return canary.policy_version
    live = active.get(DeploymentRole.LIVE)
    return live.policy_version if live is not None else ensure_base_version(session, model_name)
