"""Which policy version a new conversation gets: the canary for its share, the live one for the rest. A conversation keeps its arm."""

from sqlalchemy.orm import Session

from agent.serving.starter import MODEL_NAME, shipped_adapters
from db.models import PolicyVersion
from db.repositories import deployments, policy_versions
from db.vocabulary import DeploymentRole, PolicyStatus

_POINTS = 1_000_000


def ensure_first_version(session: Session, model_name: str) -> PolicyVersion:
    """The version that a new instance starts with, live where nothing else is.

    That is the base model itself, or the adapter that was shipped with it.
    """
    version, _ = policy_versions.create(session, PolicyVersion(name=model_name, base_model=model_name, status=PolicyStatus.PUBLISHED))
    for name, path in (shipped_adapters() if model_name == MODEL_NAME else {}).items():
        shipped = PolicyVersion(
            name=name, base_model=model_name, adapter_path=str(path), parent_id=version.id, status=PolicyStatus.PUBLISHED
        )
        known, _ = policy_versions.create(session, shipped)
        # An instance that began with another base has the name already, for an adapter on that one.
        version = known if known.base_model == model_name else version
    if not deployments.list_active(session):
        deployments.deploy(session, version.id, DeploymentRole.LIVE)
    return version


def choose_version(session: Session, *, point: int, model_name: str) -> PolicyVersion:
    """The version for a new conversation; ``point`` is a random number that draws the arm.

    Versions of another base than ``model_name``, which is the one that is served, are passed over.
    """
    served = [one for one in deployments.list_active(session) if one.policy_version.base_model == model_name]
    active = {deployment.role: deployment for deployment in served}
    canary = active.get(DeploymentRole.CANARY)
    if canary is not None and point % _POINTS < canary.share * _POINTS:
        return canary.policy_version
    live = active.get(DeploymentRole.LIVE)
    return live.policy_version if live is not None else ensure_first_version(session, model_name)
