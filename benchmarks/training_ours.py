"""The arms of ``benchmarks.training`` that are Parley's own: a run as any other, held up after each step."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.training_gate import Gate
from benchmarks.training_setup import Material, Setup
from training.objectives.catalogue import train
from training.objectives.objective import Task
from training.objectives.settings import PolicySettings


def repo(setup: Setup, material: Material, settings: PolicySettings, gate: Gate, folder: Path) -> None:
    """REPO, until the gate stays shut."""

    def listen(told: Mapping[str, Any]) -> None:
        gate.length = float(told["length"])
        gate.passed({part: float(told[f"time/{part}"]) for part in ("rollout", "rewards", "values")})

    gate.open()
    train("repo", Task(folder=folder, score=material.score, contexts=material.contexts, base=setup.base), settings, listener=listen)
