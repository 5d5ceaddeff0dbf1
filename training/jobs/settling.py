"""What became of canaries: read from the deployments, whoever has moved them, and written into the retrains.

Decided here: the deployments say what is true. A canary that is live by now has made its retrain live; one that answers nobody any more was
rolled back, and so was a live version that is marked as retired.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from db.models import Retrain
from db.repositories import deployments, retrains
from db.vocabulary import DeploymentRole, RetrainState, RetrainStep, StepState

_ROLLED_BACK = "Its version was rolled back."
_RECENT = 20
"""Live retrains that are looked at: a version that was followed by so many is not rolled back any more."""


def settle(session: Session) -> Sequence[Retrain]:
    """Write down what has been decided since the last time; the retrains that it was decided about."""
    roles = {one.policy_version_id: one.role for one in deployments.list_active(session)}
    canaries = retrains.list_newest(session, states=[RetrainState.CANARY])
    live = retrains.list_newest(session, states=[RetrainState.LIVE], limit=_RECENT)
    return [row for row in canaries if _decided(session, row, roles)] + [row for row in live if _taken_back(session, row, roles)]


def _decided(session: Session, row: Retrain, roles: Mapping[UUID, DeploymentRole]) -> bool:
    assert row.candidate_id is not None, "a canary has a version"
    match roles.get(row.candidate_id):
        case DeploymentRole.LIVE:
            changed = retrains.decide_canary(session, row.id, RetrainState.LIVE)
            ended = (RetrainStep.CANARY, StepState.DONE), (RetrainStep.LIVE, StepState.DONE)
        case None:
            changed = retrains.decide_canary(session, row.id, RetrainState.ROLLED_BACK, why=_ROLLED_BACK)
            ended = (RetrainStep.CANARY, StepState.FAILED), (RetrainStep.LIVE, StepState.SKIPPED)
        case _:
            return False
    for step, state in ended if changed else ():
        retrains.write_step(session, row.id, step, state, progress=1.0 if state is StepState.DONE else 0.0)
    return changed


def _taken_back(session: Session, row: Retrain, roles: Mapping[UUID, DeploymentRole]) -> bool:
    if row.candidate_id is None or row.candidate_id in roles:
        return False
    spans = deployments.list_of_version(session, row.candidate_id)
    retired = any(span.role is DeploymentRole.RETIRED and span.active_to is None for span in spans)
    return retired and retrains.take_back(session, row.id, why=_ROLLED_BACK)
