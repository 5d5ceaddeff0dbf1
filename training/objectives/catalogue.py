"""The objectives by name, and the one way to train one of them."""

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import torch

from db.errors import ParleyError
from training.objectives.dpo import DPOTrainer
from training.objectives.grpo import GRPOTrainer
from training.objectives.metrics import Listener, MetricsLog
from training.objectives.objective import Task
from training.objectives.policy import Policy
from training.objectives.ppo import PPOTrainer
from training.objectives.repo import REPOTrainer
from training.objectives.rollout import pool
from training.objectives.running import HeldOut, Outcome, run
from training.objectives.served import RolloutServer
from training.objectives.settings import STARTER, PolicySettings, RunSettings, parsed
from training.objectives.sft import SFTTrainer

Objective = type[SFTTrainer] | type[DPOTrainer] | type[PPOTrainer] | type[GRPOTrainer] | type[REPOTrainer]
OBJECTIVES: dict[str, Objective] = {kind.name: kind for kind in (SFTTrainer, DPOTrainer, PPOTrainer, GRPOTrainer, REPOTrainer)}


class UnknownObjective(ParleyError):
    """A name that no objective has."""


def objective(name: str) -> Objective:
    """The objective of that name. Raises UnknownObjective."""
    try:
        return OBJECTIVES[name]
    except KeyError as error:
        raise UnknownObjective(f"there is no objective {name!r}; choose one of {', '.join(OBJECTIVES)}") from error


def settings_of(name: str, values: Mapping[str, Any] | None = None, *, starter: bool = True) -> RunSettings:
    """Settings of an objective: the defaults, the starter model's preset where it is that one, what makes it the objective, then yours.

    Raises:
        UnknownObjective, SettingsError.
    """
    kind = objective(name)
    return parsed(kind.settings_type, {**(STARTER[name] if starter else {}), **kind.preset, **(values or {})})


def train(name: str, task: Task, settings: RunSettings, *, resume: bool = False, listener: Listener | None = None) -> Outcome:
    """One run, to its end or to the stop file in its folder; what is wrong with the material is said before any time is spent.

    Raises:
        UnknownObjective: for the name.
        TaskError, PolicyError, CriticError: for the task.
        ModelServerUnavailable, RolloutServerError: for a rollout server.
    """
    kind = objective(name)
    policy = Policy.load(settings, base=task.base, adapter=task.adapter, sampler=_dtype(settings), reference=kind is not DPOTrainer)
    with RolloutServer(settings.rollout_server) if settings.rollout_server else nullcontext() as policy.server:
        return _trained(kind, task, settings, policy, resume=resume, listener=listener)


def _trained(kind: Objective, task: Task, settings: RunSettings, policy: Policy, *, resume: bool, listener: Listener | None) -> Outcome:
    trainer: Any = kind.of(task, settings, policy)  # type: ignore[arg-type]
    held_out = HeldOut(pool=pool(task.held_out, policy, settings), score=task.score) if task.held_out else None
    log = MetricsLog(task.folder, listener)
    updates = settings.updates if isinstance(settings, PolicySettings) else 1
    return run(trainer, settings, task.folder, log, held_out=held_out, updates=updates, resume=resume)


def _dtype(settings: RunSettings) -> torch.dtype:
    return torch.float32 if settings.sampler_dtype == "float32" else torch.bfloat16
