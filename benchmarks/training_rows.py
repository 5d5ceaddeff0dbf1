"""What a step of SFT and DPO takes: ``python -m benchmarks.training_rows [--steps N] [--json]``.

The starter model on simulated demonstrations and preferences, eight rows a step, one thread. Each objective is run twice, side by side: as
TRL has it, which scores every token where Triton is not and computes a prompt for each of its two replies, and as it is here
(``training.objectives.library`` and ``together``). Both learn the same rows in the same order; by how much a step's loss differs at most is
told as well. Seconds are of the processor and of every step but the first.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.training_figures import median_of
from training.badcases.evaluation import Estimate
from training.objectives import dpo, library
from training.objectives.catalogue import settings_of, train
from training.objectives.objective import Task
from training.snapshots import SimulatedSettings, Split, open_snapshot, take_simulated

CONTEXTS = 120
BATCH = 8


@contextmanager
def as_trl_has_it() -> Generator[None]:
    """Within, TRL's own way on a CPU."""
    with patch.object(library.utils, "_use_triton", lambda _: False), patch.object(dpo, "prompts_once", lambda _: None):
        yield


def nothing_to_score(items: Sequence[Any]) -> list[Any]:
    """Neither objective learns from a reward, and no checkpoint is looked at."""
    raise AssertionError(f"{len(items)} replies to score")


def run(objective: str, rows: Mapping[str, Any], steps: int) -> tuple[list[float], list[float]]:
    """Processor seconds of each step but the first, and the loss of each."""
    at, losses = list[float](), list[float]()

    def tell(record: Mapping[str, Any]) -> None:
        at.append(time.process_time())
        losses.append(record["loss"])

    settings = settings_of(objective, {"steps": steps + 1, "batch": BATCH, "seed": 0})
    with tempfile.TemporaryDirectory() as folder:
        train(objective, Task(folder=Path(folder), score=nothing_to_score, **rows), settings, resume=False, listener=tell)
    return [after - before for before, after in pairwise(at)], losses


def measured(steps: int) -> dict[str, dict[str, Any]]:
    """By objective: seconds of a step in both ways, how many times as fast one is, and how far the losses are apart."""
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        take_simulated(Path(folder) / "snapshot", SimulatedSettings(contexts=CONTEXTS))
        snapshot = open_snapshot(Path(folder) / "snapshot")
        material: dict[str, dict[str, Any]] = {
            "sft": {"demonstrations": snapshot.demonstrations(Split.TRAIN).to_list()},
            "dpo": {"preferences": snapshot.preferences(Split.TRAIN).to_list()},
        }
    for objective, rows in material.items():
        with as_trl_has_it():
            before, losses = run(objective, rows, steps)
        after, again = run(objective, rows, steps)
        found[objective] = {
            "TRL's way, s": median_of(before),
            "here, s": median_of(after),
            "times as fast": median_of([one / other for one, other in zip(before, after, strict=True)]),
            "loss differs by": max(abs(one - other) for one, other in zip(losses, again, strict=True)),
        }
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = measured(options.steps)
    if options.json:
        print(json.dumps(found, indent=1, default=vars))
        return
    table = Table("", *next(iter(found.values())), title="A step of eight rows (simulated), processor seconds")
    for objective, figures in found.items():
        table.add_row(objective, *(_told(figure) for figure in figures.values()))
    Console().print(table)


def _told(figure: Estimate | float) -> str:
    return f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]" if isinstance(figure, Estimate) else f"{figure:.1e}"


if __name__ == "__main__":
    main()
