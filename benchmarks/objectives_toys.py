"""Each option of the objectives on a toy that shows what it is for: ``python -m benchmarks.objectives_toys [--only NAME …] [--plots]``.

Every policy is a table of logits, so that what is reported of it is exact and not sampled. The experiments are in ``benchmarks.toys_*``;
here is what is run, averaged over seeds, printed and drawn. ``tests/training/objectives/test_objectives_toys.py`` asserts each outcome.
"""

import argparse
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import altair as alt
import torch
from rich.console import Console
from rich.table import Table

from benchmarks.toys_groups import Rows, Toy, care, gdpo_toy, gopo
from benchmarks.toys_pairs import p3o, sppo
from benchmarks.toys_repo import repo
from benchmarks.toys_values import dvpo, offpolicy

IMAGES = Path(__file__).parent.parent / "docs" / "images"


@dataclass(frozen=True, slots=True)
class Experiment:
    """A toy, what its picture shows over which step, and the columns that tell its rows apart: first the colour, second the panel."""

    run: Callable[[int], Toy]
    title: str
    names: tuple[str, ...]
    step: str = "step"
    measures: tuple[str, ...] = ()


EXPERIMENTS = {
    "repo": Experiment(repo, "REPO: a reward model that likes promises and leaks", ("arm",), measures=("deals", "leaks", "promises")),
    "gopo": Experiment(gopo, "GOPO: another monotone scale at every step", ("method", "scorer"), measures=("quality",)),
    "gdpo": Experiment(gdpo_toy, "GDPO: three rewards of scale 1, 10 and 100", ("reward", "arm"), measures=("share",)),
    "offpolicy": Experiment(offpolicy, "Training on version 0's replies alone", ("correction", "lag"), measures=("reached", "gradient")),
    "care": Experiment(care, "GRPO-CARE: does the line do what was planned?", ("arm",), measures=("success", "kept")),
    "dvpo": Experiment(dvpo, "DVPO: a frozen value model beside PPO's critic", ("arm",), measures=("reward",)),
    "sppo": Experiment(sppo, "SPPO: preferences in a circle", ("arm",), step="round", measures=("average", "last")),
    "p3o": Experiment(p3o, "P3O: an offset for each prompt", ("arm", "offsets"), measures=("quality",)),
}


def pooled(runs: Sequence[Rows]) -> Rows:
    """Each row with the mean of its figures over the runs, and half their range."""
    rows: Rows = []
    for same in zip(*runs, strict=True):
        row: dict[str, Any] = {}
        for key, first in same[0].items():
            values = [one[key] for one in same]
            row[key] = _figure(values) if isinstance(first, float) else ", ".join(dict.fromkeys(map(str, values)))
        rows.append(row)
    return rows


def _figure(values: Sequence[float]) -> str:
    if any(math.isnan(value) for value in values):
        return ""
    half = (max(values) - min(values)) / 2
    return f"{fmean(values):.3g} ± {half:.1g}" if half else f"{values[0]:.3g}"


def draw(experiment: Experiment, runs: Sequence[Rows]) -> Any:
    """The mean over the runs of each measure, over the steps."""
    steps = max(row[experiment.step] for row in runs[0])
    thinned = [row for rows in runs for row in rows if row[experiment.step] % max(steps // 50, 1) == 0]
    colour, *panel = experiment.names
    scheme = "tableau20" if len({row[colour] for row in thinned}) > 10 else "tableau10"
    charts: list[Any] = []
    for measure in experiment.measures:
        lines = alt.Chart(alt.Data(values=thinned)).mark_line(clip=True, strokeWidth=2)
        lines = lines.encode(
            x=alt.X(f"{experiment.step}:Q", title=experiment.step),
            y=alt.Y(f"mean({measure}):Q", title=measure, scale=alt.Scale(zero=False)),
            color=alt.Color(f"{colour}:N", sort=None, title=colour, scale=alt.Scale(scheme=scheme)),
            strokeDash=alt.StrokeDash(f"{colour}:N", sort=None),
        ).properties(width=220, height=180)
        charts.append(lines.facet(column=alt.Column(f"{panel[0]}:N", sort=None, title=panel[0])) if panel else lines)
    return (alt.vconcat if panel else alt.hconcat)(*charts).properties(title=experiment.title)


def shown(name: str, experiment: Experiment, runs: Sequence[Toy], seconds: float) -> Table:
    rows = pooled([run.finals for run in runs])
    table = Table(title=f"{name} · {experiment.title} · {seconds:.1f} s of one core a seed")
    for column in rows[0]:
        table.add_column(column)
    for row in rows:
        table.add_row(*row.values())
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(EXPERIMENTS), default=list(EXPERIMENTS))
    parser.add_argument("--plots", action="store_true", help=f"write {IMAGES.name}/toys-*.png")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    console = Console(width=200)
    for name in arguments.only:
        experiment, began = EXPERIMENTS[name], time.process_time()
        runs = [experiment.run(seed) for seed in range(arguments.seeds)]
        seconds = (time.process_time() - began) / arguments.seeds
        if arguments.json:
            print(json.dumps({"toy": name, "seconds": seconds, "finals": [run.finals for run in runs]}, ensure_ascii=False))
        else:
            console.print(shown(name, experiment, runs, seconds))
        if arguments.plots:
            draw(experiment, [run.curves for run in runs]).save(str(IMAGES / f"toys-{name}.png"), scale_factor=1.5)


if __name__ == "__main__":
    main()
