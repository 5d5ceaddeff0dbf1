"""What rewards add to a step of REPO: ``python -m benchmarks.training_overlap [--steps N] [--latency SECONDS] [--at-once N]``.

The starter model, contexts of simulated negotiations, the shipped rules, no reward model, and in place of a judge a stub in this process
that takes 200 ms a reply and 16 at once. Times are medians over a run's steps, the first left out. *Added* is the time in which a step did
nothing but wait for rewards, in shares of the rest of it; *in between* is what rewards would add if nothing were done while they are asked
for. On a busy machine all but the judge takes longer, which flatters: so both are told in processor seconds as well, which are those of a
core of one's own. There all rewards are taken to begin when the last reply is written, and to overlap with the values alone.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from transformers import TrainerCallback

from agent.domain import Reply, TurnContext
from training.judging import Marks, shipped_rubric
from training.objectives.catalogue import settings_of
from training.objectives.objective import Task
from training.objectives.policy import Policy
from training.objectives.repo import REPOTrainer
from training.objectives.rollout import Rollout
from training.objectives.valuing import Seen
from training.rewards.scoring import Scorer
from training.rewards.spec import shipped_spec
from training.starter.selfplay import WriteExercise, play

Items = Sequence[tuple[TurnContext, Reply]]
SHAPES = ((8, 4, 16), (16, 8, 16))
"""Contexts in a step, replies to each, contexts that are answered at once; ``--shape`` names others."""


class Stub:
    """Neutral marks for every reply, so many at once, each after so long."""

    def __init__(self, latency: float, at_once: int) -> None:
        self._latency, self._pool = latency, ThreadPoolExecutor(at_once, thread_name_prefix="stub")
        self._marks: Marks = {item.name: 0 for item in shipped_rubric().items}

    def __call__(self, items: Items) -> list[Marks | None]:
        """Marks of each reply, in order."""
        return list(self._pool.map(self._judged, items))

    def _judged(self, item: tuple[TurnContext, Reply]) -> Marks:
        time.sleep(self._latency)
        return self._marks


def no_liking(items: Items) -> list[float]:
    """In place of a reward model: it costs nothing."""
    return [0.5 - len(reply.text) / 1000 for _, reply in items]


def written() -> Iterator[TurnContext]:
    """Contexts of self-play."""
    for seed in range(70_000, 80_000):
        yield from (one.context for one in play(seed) if isinstance(one, WriteExercise) and not one.violations)


def measured(folder: Path, contexts: Sequence[TurnContext], shape: tuple[int, int, int], judge: Stub, steps: int) -> dict[str, float]:
    """A run's medians over its steps, the first left out; seconds."""
    prompts, copies, width = shape
    values: dict[str, Any] = {"steps": steps + 1, "prompts": prompts, "copies": copies, "rollout_width": width, "save_every": steps + 1}
    settings: Any = settings_of("repo", values)
    score = Scorer(no_liking, judge, shipped_spec()).score_many
    trainer: Any = REPOTrainer.of(Task(folder=folder, score=score, contexts=contexts), settings, Policy.load(settings))
    look, looked = trainer.valuing.look, list[float]()
    ended = _Ended()

    def timed(rollout: Rollout) -> Seen:
        began = time.thread_time()
        seen = look(rollout)
        looked.append(time.thread_time() - began)
        return seen

    trainer.valuing.look = timed
    trainer.add_callback(ended)
    trainer.train()
    rows = [record for record in trainer.state.log_history if "loss" in record][1:]
    figures = {name: median(row[f"time/{name}"] for row in rows) for name in ("rollout", "values", "scoring", "rewards")}
    figures["step"] = median(row["time/training_step"] * settings.updates for row in rows)
    figures["processor"] = median(after - before for before, after in pairwise(ended.at[settings.updates - 1 :: settings.updates]))
    figures["processor_values"] = median(looked[1:])
    rest = figures["step"] - figures["rewards"]
    return figures | {
        "added": figures["rewards"] / rest,
        "between": figures["scoring"] / rest,
        "processor_added": max(figures["scoring"] - figures["processor_values"], 0.0) / figures["processor"],
        "processor_between": figures["scoring"] / figures["processor"],
    }


class _Ended(TrainerCallback):
    """When each update ended, in processor seconds."""

    def __init__(self) -> None:
        self.at: list[float] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Called by the trainer."""
        self.at.append(time.process_time())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--shape", type=int, nargs=3, action="append", metavar=("CONTEXTS", "REPLIES", "AT_ONCE"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    contexts = list(islice(written(), 200))
    stub = Stub(options.latency, options.at_once)
    rows: list[dict[str, float]] = []
    for shape in options.shape or SHAPES:
        with tempfile.TemporaryDirectory() as folder:
            found = measured(Path(folder), contexts, shape, stub, options.steps)
        rows.append(dict(zip(("contexts", "replies", "width"), shape, strict=True)) | found)
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    Console().print(table(rows))


def table(rows: Sequence[dict[str, float]]) -> Table:
    """The rows, for people."""
    out = Table(title="Rewards with a judge stub (simulated)")
    names = ("contexts × replies, at once", "step", "rollout", "values", "scoring", "waited", "added", "in between")
    own = ("step", "values", "added", "in between")
    for name in (*names, *(f"{name} (processor)" for name in own)):
        out.add_column(name, justify="right")
    for row in rows:
        shape = f"{row['contexts']:.0f} × {row['replies']:.0f}, {row['width']:.0f}"
        seconds = [f"{row[name]:.2f} s" for name in ("step", "rollout", "values", "scoring", "rewards")]
        shares = [f"{row[name]:.1%}" for name in ("added", "between")]
        processor = [f"{row['processor']:.2f} s", f"{row['processor_values']:.2f} s"]
        out.add_row(shape, *seconds, *shares, *processor, *(f"{row[f'processor_{name}']:.1%}" for name in ("added", "between")))
    return out


if __name__ == "__main__":
    main()
