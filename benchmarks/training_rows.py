"""What a step of SFT and DPO takes: ``python -m benchmarks.training_rows [--steps N] [--json]``.

The starter model on simulated demonstrations and preferences, eight rows a step, one thread. Each objective is run twice, side by side: as
TRL scores tokens where Triton is not, all of them, and as ``training.objectives.library`` has it, those that are learned from alone. Both
learn the same rows in the same order, and whether the same weights came out is told as well. Seconds are of the processor and of every
step but the first.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.training_figures import median_of
from training.badcases.evaluation import Estimate
from training.objectives import library
from training.objectives.catalogue import settings_of, train
from training.objectives.objective import Task
from training.snapshots import SimulatedSettings, Split, open_snapshot, take_simulated

CONTEXTS = 120
BATCH = 8
Chosen = Callable[[torch.device], bool]


def every_token(device: torch.device) -> bool:
    """As TRL has it on a CPU."""
    del device
    return False


def nothing_to_score(items: Sequence[Any]) -> list[Any]:
    """Neither objective learns from a reward, and no checkpoint is looked at."""
    raise AssertionError(f"{len(items)} replies to score")


def run(objective: str, rows: Mapping[str, Any], steps: int, compact: Chosen) -> tuple[list[float], str]:
    """Processor seconds of each step but the first, and the hash of the adapter."""
    at: list[float] = []
    setattr(library.utils, "_use_triton", compact)  # noqa: B010 - a private name, which a type checker would refuse
    settings = settings_of(objective, {"steps": steps + 1, "batch": BATCH, "seed": 0})
    with tempfile.TemporaryDirectory() as folder:
        task = Task(folder=Path(folder), score=nothing_to_score, **rows)
        done = train(objective, task, settings, resume=False, listener=lambda _: at.append(time.process_time()))
    return [after - before for before, after in pairwise(at)], done.digest


def measured(steps: int) -> dict[str, dict[str, Any]]:
    """By objective: seconds of a step in both ways, how many times as fast one is, and whether the weights are the same."""
    ours: Chosen = vars(library.utils)["_use_triton"]
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        take_simulated(Path(folder) / "snapshot", SimulatedSettings(contexts=CONTEXTS))
        snapshot = open_snapshot(Path(folder) / "snapshot")
        material: dict[str, dict[str, Any]] = {
            "sft": {"demonstrations": snapshot.demonstrations(Split.TRAIN).to_list()},
            "dpo": {"preferences": snapshot.preferences(Split.TRAIN).to_list()},
        }
    for objective, rows in material.items():
        (all_tokens, before), (learned, after) = (run(objective, rows, steps, compact) for compact in (every_token, ours))
        found[objective] = {
            "every token, s": median_of(all_tokens),
            "learned tokens, s": median_of(learned),
            "times as fast": median_of([one / other for one, other in zip(all_tokens, learned, strict=True)]),
            "same weights": before == after,
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


def _told(figure: Estimate | bool) -> str:
    if isinstance(figure, bool):
        return "yes" if figure else "no"
    return f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]"


if __name__ == "__main__":
    main()
