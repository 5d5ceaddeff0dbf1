"""How often the rules on careless raters are right on simulated experts: ``python -m training.quality [--trials N] [--json]``.

Honest panels show the false alarms; the same panels with one planted rater show how often that one is found, by how much is known of each.
Everything is simulated.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan
from statistics import fmean
from uuid import UUID

from rich.console import Console
from rich.progress import track
from rich.table import Table

from db.repositories.rating_figures import Judged
from training.experts import panel
from training.quality import trial
from training.quality.conduct import FEWEST, Conduct, alike, find_conduct, pairs_of
from training.quality.likeness import likenesses
from training.quality.trial import Trial
from training.quality.trust import weigh
from training.quality.units import by_unit

RATERS = 8
PER_ITEM = 3
CONVERSATIONS = 40
SIZES = (80, 160, 320, 640)
"""Replies to judge; each rater gets ``PER_ITEM / RATERS`` of them."""

Plant = Callable[[Trial, int], tuple[Judged, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One panel with or without a planted rater."""

    conduct: dict[UUID, Conduct]
    trust: dict[UUID, float]
    honest: frozenset[UUID]

    @property
    def false_alarms(self) -> int:
        """Honest people who were called careless, apart from one whose answers were copied without times that tell by whom."""
        return sum(rater in self.conduct for rater in self.honest)


def _first(made: Trial) -> UUID:
    return min(made.honest)


PLANTED: dict[str, tuple[str, Plant]] = {
    "at random": ("random", lambda made, seed: trial.at_random(made, share=PER_ITEM / RATERS, seed=seed)),
    "always 4": ("constant", lambda made, seed: trial.constant(made, share=PER_ITEM / RATERS, seed=seed)),
    "4 in 95 %": ("constant", lambda made, seed: trial.constant(made, steady=0.95, share=PER_ITEM / RATERS, seed=seed)),
    "copies": ("copier", lambda made, seed: trial.copied(made, source=_first(made), seed=seed)),
    "copies 95 %": ("copier", lambda made, seed: trial.copied(made, source=_first(made), faithful=0.95, seed=seed)),
    "copies 85 %": ("copier", lambda made, seed: trial.copied(made, source=_first(made), faithful=0.85, seed=seed)),
}


def tried(made: Trial, planted: Sequence[Judged] = ()) -> Tried:
    """The rules on these judgements."""
    units = by_unit([*made.judged, *planted])
    shown = likenesses(units)
    conduct = find_conduct(units, shown)
    return Tried(conduct=conduct, trust=weigh(shown, conduct, ()), honest=made.honest)


def most_alike(made: Trial) -> float:
    """The highest figure of the rule on copies that two honest people come to; nan where none share enough."""
    return max((alike(rows) for rows in pairs_of(by_unit(made.judged)).values() if len(rows) >= FEWEST), default=nan)


def main() -> None:
    """Try, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100, help="panels for each size")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    replies = trial.replies(CONVERSATIONS)
    figures: dict[int, dict[str, float]] = {}
    for size in track(SIZES, description="panels", disable=arguments.json):
        alarms: list[int] = []
        trusts: list[float] = []
        closest: list[float] = []
        found: dict[str, list[bool]] = {name: [] for name in PLANTED}
        beside: dict[str, list[int]] = {name: [] for name in PLANTED}
        for seed in range(arguments.trials):
            start = seed * 97 % len(replies)
            items = [replies[(start + index) % len(replies)] for index in range(size)]
            made = trial.honest(items, raters=RATERS, per_item=PER_ITEM, seed=seed, experts=panel(RATERS, seed))
            alone = tried(made)
            alarms.append(alone.false_alarms)
            trusts += alone.trust.values()
            closest += [most] if (most := most_alike(made)) == most else []
            for name, (who, plant) in PLANTED.items():
                with_one = tried(made, plant(made, seed))
                found[name].append(trial.rater_id(who) in with_one.conduct)
                beside[name].append(with_one.false_alarms)
        figures[size] = {
            "judgements of each": size * PER_ITEM / RATERS,
            "honest called careless": sum(alarms) / (RATERS * arguments.trials),
            "honest beside a careless one": sum(sum(counts) for counts in beside.values()) / (RATERS * arguments.trials * len(PLANTED)),
            "honest trust, mean": fmean(trusts),
            "honest trust, least": min(trusts),
            "most alike honest pair, kappa": max(closest, default=nan),
            **{f"found: {name}": fmean(hits) for name, hits in found.items()},
        }
    if arguments.json:
        print(json.dumps(figures))
        return
    table = Table("", *(f"{size} replies" for size in SIZES), title=f"{arguments.trials} simulated panels of {RATERS}, {PER_ITEM} a reply")
    for name in figures[SIZES[0]]:
        plain = name.startswith(("judgements", "honest trust", "most"))
        table.add_row(name, *(f"{figures[size][name]:.2f}" if plain else f"{figures[size][name]:.1%}" for size in SIZES))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
