"""How fast a REPO step is beside TRL's: ``python -m benchmarks.training [--steps N] [--only ARM …] [--plots] [--json] [--gpu]``.

Measured are replies a second, from contexts to learned weights, of Parley's REPO, of the GRPO trainer of the TRL that Parley pins and of
the last PPO trainer that TRL had (1.12.0; its environment is made when it is missing). All have the starter model with a fresh adapter,
the same contexts in the same order, the same number of replies, longest reply, optimiser steps and reward. Each arm is a process of its
own; a round is one step of each, begun by another arm every time, so that all meet the same load. Processor seconds stand beside wall
seconds, and goals are judged by them where the machine has more to do than cores. ``--gpu`` measures tokens a second and the share of the
peak instead, of a larger model with random weights on the GPU.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.training_arm import ARMS, GRPO, GRPO_FREE, JUDGED, OWN_CRITIC, PPO, REPO
from benchmarks.training_environment import folder, make
from benchmarks.training_figures import ArmFigures, Goal, Step, Time, added, figures, speedup
from benchmarks.training_process import ArmFailed, ArmProcess, running
from benchmarks.training_setup import Precision, Setup
from db.errors import ParleyError
from training.badcases.evaluation import Estimate

IMAGES = Path(__file__).parents[1] / "docs" / "images"
GOALS = (
    Goal(arm=REPO, rival=PPO, least=1.5),
    Goal(arm=OWN_CRITIC, rival=PPO, least=1.5),
    Goal(arm=REPO, rival=GRPO, least=0.8),
    Goal(arm=REPO, rival=GRPO_FREE, least=0.8),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run of the benchmark."""

    setup: Setup
    steps: Mapping[str, Sequence[Step]]
    """By arm, a step a round."""
    loads: Sequence[float]
    """Of the machine, over the last minute, before each round."""

    @property
    def is_busy(self) -> bool:
        """Whether there was more to do than cores to do it."""
        return median(self.loads) > (os.cpu_count() or 1)

    @property
    def time(self) -> Time:
        """The clock that goals are judged by."""
        return "cpu" if self.is_busy else "wall"

    def arms(self) -> list[ArmFigures]:
        """The figures of each."""
        return [figures(name, steps, self.setup.replies) for name, steps in self.steps.items()]

    def ratios(self) -> list[tuple[Goal, Estimate]]:
        """Of the goals whose arms both ran."""
        both = [goal for goal in GOALS if goal.arm in self.steps and goal.rival in self.steps]
        return [(goal, speedup(self.steps[goal.arm], self.steps[goal.rival], self.time)) for goal in both]

    def judge(self) -> Estimate | None:
        """What a judge adds to a step's wall time, as a share of it; None where it was not measured."""
        if REPO not in self.steps or JUDGED not in self.steps:
            return None
        return added(self.steps[JUDGED], self.steps[REPO], "wall")


def measure(setup: Setup, names: Sequence[str], *, console: Console) -> Measured:
    """Until all steps are done, it is interrupted or an arm dies (of memory, say): what counts then are the rounds that were whole.

    Raises EnvironmentMissing; ArmFailed and KeyboardInterrupt where no round was whole.
    """
    interpreters = {name: make(folder()) if ARMS[name].kind == "ppo" else Path(sys.executable) for name in names}
    steps: dict[str, list[Step]] = {name: [] for name in names}
    loads: list[float] = []
    with _started(interpreters, setup) as arms, Progress(console=console) as progress:
        task = progress.add_task("steps", total=setup.total * len(arms))
        try:
            for number in range(setup.total):
                load, first = os.getloadavg()[0], number % len(arms)
                found: dict[str, Step] = {}
                for arm in [*arms[first:], *arms[:first]]:
                    found[arm.name] = arm.step()
                    progress.advance(task)
                if number >= setup.warmup:
                    loads.append(load)
                    for name, step in found.items():
                        steps[name].append(step)
                    spent = ", ".join(f"{name} {step.cpu:.1f}" for name, step in found.items())
                    progress.console.print(f"round {len(loads)}, processor seconds: {spent}")
        except (KeyboardInterrupt, ArmFailed) as end:
            if not loads:
                raise
            console.print(f"Ended after {len(loads)} of {setup.steps} steps: {end or 'interrupted'}")
    return Measured(setup=setup, steps=steps, loads=loads)


@contextmanager
def _started(interpreters: Mapping[str, Path], setup: Setup) -> Generator[list[ArmProcess]]:
    with tempfile.TemporaryDirectory(prefix="parley-benchmark-") as logs, ExitStack() as stack:
        yield [
            stack.enter_context(running(name, setup, python, Path(logs) / f"{at}.log"))
            for at, (name, python) in enumerate(interpreters.items())
        ]


def to_json(measured: Measured) -> dict[str, Any]:
    """Everything, the single steps included."""
    judge = measured.judge()
    return {
        "setup": measured.setup.model_dump(mode="json", exclude={"base"}),
        "cores": os.cpu_count(),
        "loads": list(measured.loads),
        "judged_by": measured.time,
        "arms": [asdict(arm) for arm in measured.arms()],
        "ratios": [{**asdict(goal), **asdict(found)} for goal, found in measured.ratios()],
        "judge_adds": None if judge is None else asdict(judge),
        "steps": {name: [asdict(step) for step in steps] for name, steps in measured.steps.items()},
    }


def show(measured: Measured, console: Console) -> None:
    setup, time = measured.setup, "processor" if measured.time == "cpu" else "wall"
    table = Table(title=f"{len(measured.loads)} steps of {setup.replies} replies to {setup.prompts} contexts, {setup.threads} thread(s)")
    for column in ("arm", "replies / CPU s", "replies / s", "CPU s", "rollout", "rewards", "values", "update", "tokens", "peak MB"):
        table.add_column(column, justify="left" if column == "arm" else "right")
    for arm in measured.arms():
        shares = [f"{arm.shares[part]:.0%}" for part in ("rollout", "rewards", "values", "update")]
        table.add_row(
            arm.name, spread(arm.replies_per_cpu_s), spread(arm.replies_per_s), spread(arm.cpu_s), *shares, f"{arm.length:.0f}",
            f"{arm.peak_mb:,.0f}",
        )  # fmt: skip
    console.print(table)
    ratios = Table("arm", "against", "times as fast", "goal", "", title=f"By {time} seconds; load {median(measured.loads):.1f}")
    for goal, found in measured.ratios():
        ratios.add_row(goal.arm, goal.rival, spread(found), f"≥ {goal.least}", "met" if found.value >= goal.least else "missed")
    console.print(ratios)
    judge = measured.judge()
    if judge is not None:
        console.print(f"A judge of 200 ms, 16 at once, adds {judge.value:.1%} [{judge.low:.1%}, {judge.high:.1%}] to a step's wall time.")


def spread(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=Setup().steps, help="measured steps of each arm")
    parser.add_argument("--prompts", type=int, default=Setup().prompts, help="contexts in a step")
    parser.add_argument("--copies", type=int, default=Setup().copies, help="replies to each context")
    parser.add_argument("--threads", type=int, default=Setup().threads)
    parser.add_argument("--precision", choices=Precision.__args__, default=Setup().precision, help="of TRL's arms; float32 is of ours too")
    parser.add_argument("--only", nargs="+", choices=list(ARMS), default=list(ARMS), metavar="ARM", help=f"of {', '.join(ARMS)}")
    parser.add_argument("--plots", action="store_true", help=f"write {IMAGES.name}/training-speed.png")
    parser.add_argument("--gpu", action="store_true", help="measure a larger model on the GPU instead")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(given)
    console = Console(width=170, stderr=arguments.json)
    if arguments.gpu:
        from benchmarks.training_gpu import main as gpu

        gpu(console, as_json=arguments.json)
        return
    sizes = {name: getattr(arguments, name) for name in ("steps", "prompts", "copies", "threads", "precision")}
    measured = measure(Setup(**sizes), arguments.only, console=console)
    show(measured, console)
    if arguments.json:
        print(json.dumps(to_json(measured)))
    if arguments.plots:
        from benchmarks.training_plots import draw

        draw(measured.arms(), IMAGES / "training-speed.png")


if __name__ == "__main__":
    try:
        main()
    except ParleyError as error:
        sys.exit(str(error))
