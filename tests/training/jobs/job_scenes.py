"""What the tests of retrains start from: a plan that is over in a minute, and a release without a model server that keeps real rows."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from agent.service.routing import ensure_first_version
from agent.serving.starter import ADAPTER_FOLDER, MODEL_NAME
from agent.serving.versions import AdapterStore
from db.engine import SessionFactory
from db.models import PolicyVersion, Retrain
from db.repositories import deployments, policy_versions, retrains
from db.vocabulary import DeploymentRole, PolicyStatus, RetrainStep
from training.files import put
from training.jobs.plan import Budget, Effort, GateLimits, RetrainPlan, Simulated
from training.jobs.requests import request_retrain
from training.jobs.settings import JobSettings

TOY = RetrainPlan(
    objective="repo",
    settings={"steps": 3, "prompts": 2, "copies": 2, "minibatches": 2, "max_tokens": 40, "save_every": 1, "held_out_every": 3},
    material=Simulated(contexts=20, samples=0, validation_share=0.4),
    reward_model={"epochs": 0.25},
    held_out=2,
    threads=1,
    effort=Effort(dialogues=10, case_copies=3),
    canary_share=0.1,
)
"""Real in every step, and small."""


class Shelf:
    """A release on the store and the rows alone: nothing is loaded anywhere. It counts what it is asked."""

    def __init__(self, sessions: SessionFactory, folder: Path) -> None:
        self.sessions, self.store = sessions, AdapterStore(folder)
        self.published: list[str] = []
        self.served: set[str] = set()
        self.looks = 0

    def publish(self, adapter: Path, *, name: str, parent_id: UUID | None, note: Mapping[str, Any], created_by: UUID | None) -> UUID:
        with self.sessions.begin() as session:
            found = policy_versions.find_by_name(session, name)
            if found is not None:
                return found.id
            path = self.store.publish(adapter, name).path
            row = PolicyVersion(name=name, base_model=MODEL_NAME, adapter_path=str(path), parent_id=parent_id, note=dict(note))
            row.status = PolicyStatus.PUBLISHED
            self.published.append(name)
            self.served.add(name)
            return policy_versions.create(session, row)[0].id

    def start_canary(self, version_id: UUID, *, share: float) -> None:
        with self.sessions.begin() as session:
            deployments.deploy(session, version_id, DeploymentRole.CANARY, share=Decimal(str(share)))

    def promote(self, version_id: UUID) -> None:
        with self.sessions.begin() as session:
            deployments.end_active(session, DeploymentRole.CANARY)
            deployments.deploy(session, version_id, DeploymentRole.LIVE)

    def look(self) -> None:
        self.looks += 1

    def loaded(self) -> frozenset[str]:
        return frozenset(self.served)

    def remove(self, name: str) -> None:
        self.store.remove(name)


def settings_in(folder: Path, **changed: Any) -> JobSettings:
    return JobSettings.model_validate({"retrains_folder": folder / "retrains", "jobs_pause_s": 0.1, **changed})


def asked(sessions: SessionFactory, settings: JobSettings, plan: RetrainPlan = TOY, **changed: Any) -> UUID:
    """A queued retrain, on a database where something is live."""
    with sessions.begin() as session:
        ensure_first_version(session, MODEL_NAME)
        return request_retrain(session, plan, settings=settings, **changed).id


def row_of(sessions: SessionFactory, retrain_id: UUID) -> Retrain:
    with sessions() as session:
        return retrains.get(session, retrain_id)


def steps_of(session: Session, retrain_id: UUID) -> dict[str, str]:
    return {str(row.step): str(row.state) for row in retrains.steps(session, retrain_id)}


def weights(folder: Path) -> str:
    return hashlib.sha256((folder / "policy" / "adapter" / "adapter_model.safetensors").read_bytes()).hexdigest()


def already_trained(settings: JobSettings, retrain_id: UUID) -> Path:
    """Puts the result of a training there, so that the chain goes on after it."""
    folder = settings.folder() / str(retrain_id)
    place = folder / RetrainStep.POLICY
    shutil.copytree(ADAPTER_FOLDER, place / "adapter")
    digest = weights(folder)
    put(place / "outcome.json", json.dumps({"adapter_sha256": digest, "training_run": None}))
    put(place / "READY", "")
    return folder


__all__ = ["TOY", "Budget", "GateLimits", "Shelf", "already_trained", "asked", "row_of", "settings_in", "steps_of", "weights"]
