"""What the steps of a retrain do that need torch, within their process: material, reward model, measuring.

Decided here: that replies of the version which the retrain starts from stand beside the scripted ones, and that the reward model's zero is
what this version writes, so that half of it is liked. Each leaves its files in its folder and goes on with what it finds there.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel

from db.engine import create_engine_from, session_factory
from db.settings import DatabaseSettings
from db.vocabulary import RetrainStep
from training.jobs.against import read_against, read_cases
from training.jobs.beginning import Beginning
from training.jobs.plan import Logged, Simulated
from training.objectives.speaker import AsServed, Speaker, in_batches
from training.release import golden
from training.release.evaluation import Effort, evaluate
from training.release.gate import GateSettings
from training.rewards.model import RewardModelSettings
from training.rewards.model.material import Material, train_on
from training.settings import TrainingSettings
from training.snapshots import Manifest, SimulatedSettings, SnapshotSettings, Split, open_snapshot, take, take_simulated
from training.snapshots.writing import TABLES
from training.starter.progress import BuildEvent, Report, counting

DATA, MODEL = "data", "model"


def carry_out(folder: Path, step: RetrainStep, tell: Report) -> dict[str, Any]:
    """Do the step, or go on with it; its figures."""
    begun = Beginning.read(folder)
    torch.set_num_threads(begun.plan.threads or TrainingSettings().threads or os.cpu_count() or 1)
    match step:
        case RetrainStep.SNAPSHOT:
            return _snapshot(begun, folder / step, tell)
        case RetrainStep.REWARD_MODEL:
            return _reward_model(begun, folder, folder / step, tell)
        case RetrainStep.EVALUATE:
            return _evaluate(begun, folder, folder / step, tell)
        case _:
            raise AssertionError(f"{step} is done by the worker itself")


def _snapshot(begun: Beginning, place: Path, tell: Report) -> dict[str, Any]:
    data = place / DATA
    if data.is_dir():
        return _counts(open_snapshot(data).manifest)
    for half in place.glob(f".{DATA}.*"):
        shutil.rmtree(half)
    match begun.plan.material:
        case Simulated() as asked:
            settings = SimulatedSettings(
                contexts=asked.contexts,
                seed=asked.seed,
                samples=max(asked.samples, 1),
                policy=begun.start,
                chinese=asked.chinese,
                validation_share=asked.validation_share,
            )
            if not asked.samples:
                return _counts(take_simulated(data, settings, report=tell))
            speaker = Speaker(adapter=begun.start_adapter, seed=asked.seed)
            policy = in_batches(speaker, counting(tell, "replies"))
            return _counts(take_simulated(data, settings, policy=policy, holds=AsServed(speaker), report=tell))
        case Logged() as asked:
            url = DatabaseSettings().database_url
            assert url is not None, "the worker names its database"
            engine = create_engine_from(url, pooled=False)
            try:
                chosen = SnapshotSettings(**asked.model_dump(exclude={"kind"}), as_of=begun.as_of)
                return _counts(take(session_factory(engine), data, chosen, report=tell))
            finally:
                engine.dispose()


def _counts(manifest: Manifest) -> dict[str, Any]:
    counts = {f"{table}/{split}": manifest.rows(table, split) for table in TABLES for split in Split}
    return {"sha256": manifest.sha256, "origin": manifest.origin, **counts}


def _reward_model(begun: Beginning, folder: Path, place: Path, tell: Report) -> dict[str, Any]:
    snapshot = open_snapshot(folder / RetrainStep.SNAPSHOT / DATA)
    material = Material.of_snapshot(snapshot)
    rows = snapshot.context_rows(Split.VALIDATION)
    if rows:
        speaker = Speaker(adapter=begun.start_adapter, seed=begun.plan.seed + 1)
        material = material.centred_on(rows, in_batches(speaker, counting(tell, "replies")))
    settings = RewardModelSettings.model_validate({"seed": begun.plan.seed, **begun.plan.reward_model})
    report = train_on(material, place / MODEL, settings, progress=tell)
    return {"accuracy": report.accuracy.value, **_numbers(report)}


def _evaluate(begun: Beginning, folder: Path, place: Path, tell: Report) -> dict[str, Any]:
    against, candidate = read_against(folder), folder / RetrainStep.POLICY / "adapter"
    verdict = evaluate(
        candidate,
        against.adapter,
        place,
        names=(f"retrain {begun.retrain_id}", against.name),
        effort=Effort.model_validate(begun.plan.effort.model_dump(exclude_none=True)),
        settings=GateSettings.model_validate(begun.plan.gate.model_dump(exclude_none=True)),
        own=read_cases(folder),
        tell=tell,
    )
    whole = all(one.met for one in verdict.criteria if one.name == "whole")
    if whole:
        # Now, since what is published waits for them otherwise.
        tell(BuildEvent(phase="golden prompts", done=0, total=1))
        golden.prepare(candidate)
    figures = {f"{one.name}/{name}": value for one in verdict.criteria for name, value in one.figures.items()}
    return {"against": against.name, "met": sum(one.met for one in verdict.criteria), "criteria": len(verdict.criteria), **figures}


def _numbers(report: BaseModel) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(report.model_dump_json())
    return {name: value for name, value in found.items() if isinstance(value, int | float)}
