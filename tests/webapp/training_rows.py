"""Training as the pages find it in the database, for tests that cannot wait for a real one: runs with figures, retrains with steps."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from db.engine import SessionFactory
from db.models import Retrain, TrainingMetric, TrainingRun
from db.repositories import retrains
from db.vocabulary import RetrainState, RetrainStep, RetrainTrigger, RunState, StepState
from training.jobs.plan import RetrainPlan

FIGURES: Mapping[int, Mapping[str, Any]] = {
    step: {
        "reward/total": -0.4 + step * 0.02,
        "reward/model": -0.3 + step * 0.015,
        "reward/enhanced": step * 0.4,
        "reward/judge": step * 0.3,
        "reward/functions": -12 + step * 0.3,
        "reward/violation_rate": max(0.0, 0.4 - step * 0.01),
        "kl": step * 0.003,
        "entropy": 2.4 - step * 0.01,
        "value/explained_variance": min(0.9, step * 0.03),
    }
    | ({"held_out/total": -0.5 + step * 0.018, "held_out/model": -0.3 + step * 0.01} if step % 10 == 0 else {})
    for step in range(31)
}
"""Of a run that goes well."""


def add_run(
    sessions: SessionFactory,
    folder: Path,
    *,
    objective: str = "repo",
    state: RunState = RunState.DONE,
    step: int = 0,
    error: str | None = None,
    figures: Mapping[int, Mapping[str, Any]] | None = None,
) -> UUID:
    """A run of 100 steps with its folder, and the figures of its steps."""
    folder.mkdir(parents=True, exist_ok=True)
    begun = datetime.now(UTC) - timedelta(minutes=7)
    running = state is RunState.RUNNING
    run = TrainingRun(
        objective=objective,
        seed=7,
        config={"settings": {"beta": 0.05, "seed": 7}},
        folder=str(folder),
        snapshot_sha256="5" * 64,
        spec_version=1,
        spec_digest="d" * 64,
        versions={"torch": "2"},
        git_revision="abc123",
        state=state,
        step=step,
        steps=100,
        error=error,
        started_at=begun,
        ended_at=None if running else begun + timedelta(minutes=5),
        lease_owner="host:1" if running else None,
        lease_expires_at=begun + timedelta(hours=1) if running else None,
        adapter_path=str(folder / "adapter") if state is RunState.DONE else None,
        adapter_sha256="a" * 64 if state is RunState.DONE else None,
    )
    with sessions.begin() as session:
        session.add(run)
        session.flush()
        session.add_all(TrainingMetric(run_id=run.id, step=at, values=dict(values)) for at, values in (figures or {}).items())
    return run.id


VERDICT: Mapping[str, Any] = {
    "candidate": "policy-v2",
    "live": "policy-v1",
    "settings": {},
    "criteria": [
        {"name": "whole", "title": "can be served", "met": True, "says": "every file is there and fits the base", "figures": {}},
        {
            "name": "better",
            "title": "rated better than what is live",
            "met": True,
            "says": "+0.21 stars (+0.09 to +0.33, p = 0.002, 100 dialogues)",
            "figures": {"gain": 0.21, "low": 0.09, "high": 0.33, "p": 0.002},
        },
        {
            "name": "kl",
            "title": "divergence from the base",
            "met": True,
            "says": "0.112 nats a token, at most 1 may be",
            "figures": {"kl": 0.112},
        },
    ],
}
REFUSED: Mapping[str, Any] = VERDICT | {
    "criteria": [
        *VERDICT["criteria"][:1],
        {
            "name": "better",
            "title": "rated better than what is live",
            "met": False,
            "says": "-0.08 stars <b>worse</b>; wanted is a gain with p below 0.05",
            "figures": {"gain": -0.08, "low": -0.21, "high": 0.05, "p": 0.4},
        },
    ]
}


def add_retrain(
    sessions: SessionFactory,
    folder: Path,
    *,
    state: RetrainState,
    step: RetrainStep | None = None,
    requested_by: UUID | None = None,
    run: UUID | None = None,
    candidate: UUID | None = None,
    verdict: Mapping[str, Any] | None = None,
    error: str | None = None,
    line: str = "main",
) -> UUID:
    """A retrain that has come to a step, the ones before it done."""
    running = state is RetrainState.RUNNING
    begun = datetime.now(UTC) - timedelta(minutes=9)
    order = list(RetrainStep)
    at = order.index(step) if step is not None else -1
    with sessions.begin() as session:
        retrain = retrains.create(
            session,
            Retrain(
                policy_line=line,
                trigger=RetrainTrigger.BY_HAND,
                plan=RetrainPlan().model_dump(mode="json"),
                folder=str(folder),
                requested_by=requested_by,
                state=state,
                step=step,
                training_run_id=run,
                candidate_id=candidate,
                verdict=None if verdict is None else dict(verdict),
                error=error,
                started_at=begun if at >= 0 else None,
                ended_at=begun + timedelta(minutes=8) if state.is_end else None,
                lease_owner="host:1" if running else None,
                lease_expires_at=begun + timedelta(hours=1) if running else None,
            ),
        )
        for row in retrains.steps(session, retrain.id):
            place = order.index(row.step)
            if place < at:
                row.state, row.progress = StepState.DONE, 1.0
                row.started_at, row.ended_at = begun + timedelta(seconds=40 * place), begun + timedelta(seconds=40 * (place + 1))
                row.figures = {"contexts": 450, "pairs": 1204, "accuracy": 0.713}
            elif place == at:
                row.state, row.progress = (StepState.RUNNING, 0.3) if running else (StepState.FAILED, 0.3)
                row.started_at, row.figures = begun + timedelta(seconds=40 * place), {"doing": "step 30 of 100"}
        return retrain.id
