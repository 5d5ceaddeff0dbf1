"""Queries for whoever watches the whole installation: a few small numbers, asked for every few seconds."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.models import Conversation, PolicyVersion, Retrain, TrainingMetric, TrainingRun
from db.vocabulary import RetrainState, RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningTraining:
    """A training run that is worked on now."""

    run_id: uuid.UUID
    objective: str
    step: int
    steps: int
    """Of the whole run; 0 as long as it is not known."""
    silent_s: float
    """Seconds since its supervisor was last heard of."""


def count_open_conversations_by_version(session: Session) -> Mapping[str, int]:
    """How many conversations are open, by the name of the policy version that speaks in them."""
    rows = session.execute(
        select(PolicyVersion.name, func.count())
        .join(Conversation, Conversation.policy_version_id == PolicyVersion.id)
        .where(Conversation.closed_at.is_(None))
        .group_by(PolicyVersion.name)
    )
    return dict(rows.all())


def count_retrains_by_state(session: Session) -> Mapping[RetrainState, int]:
    """How many retrains there are in each state; one without any is left out."""
    rows = session.execute(select(Retrain.state, func.count()).group_by(Retrain.state))
    return dict(rows.all())


def list_running_trainings(session: Session) -> Sequence[RunningTraining]:
    """The training runs that are worked on now."""
    silent = func.extract("epoch", func.now() - TrainingRun.heartbeat_at)
    rows = session.execute(
        select(TrainingRun.id, TrainingRun.objective, TrainingRun.step, TrainingRun.steps, func.coalesce(silent, 0)).where(
            TrainingRun.state == RunState.RUNNING
        )
    )
    return [
        RunningTraining(run_id=run_id, objective=objective, step=step, steps=steps, silent_s=float(silent_s))
        for run_id, objective, step, steps, silent_s in rows
    ]


def newest_figures(session: Session, run_id: uuid.UUID) -> Mapping[str, Any]:
    """The figures of the newest step that a run has told of; empty before the first."""
    found = session.scalars(
        select(TrainingMetric.values).where(TrainingMetric.run_id == run_id).order_by(TrainingMetric.step.desc()).limit(1)
    ).one_or_none()
    return found or {}
