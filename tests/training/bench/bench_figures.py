"""Policy figures made by hand: each dialogue is alike but for what a test is about."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from training.bench.measures import CaseFigures, DialogueFigures, PolicyFigures
from training.bench.outcome import OUTCOME, Learned
from training.bench.plan import BenchPlan
from training.bench.process import FIGURES
from training.bench.stages import Work, of
from training.bench.terminal import plan_of
from training.files import put

_ALIKE: dict[str, Any] = {
    "persona": "sceptic",
    "rating": 3.0,
    "excellent": False,
    "rooms": 1,
    "rooms_possible": 1,
    "rooms_agreed": 1,
    "captured": 0.5,
    "unmeant": 0,
    "goodwill": 0.5,
    "turns": 11,
    "responded": 1.0,
    "replies": 6,
    "unreadable": 0,
    "violations": {},
    "violated": 0,
    "severe": 0,
    "faults": {},
    "faulted": 0,
    "tokens": 300,
}


def dialogue(number: int, **different: Any) -> DialogueFigures:
    """One dialogue."""
    return DialogueFigures.model_validate({**_ALIKE, "number": number, **different})


def case(name: str, *, fixed: bool = True, clean: bool = True, copy_number: int = 0) -> CaseFigures:
    """One answer to a case."""
    return CaseFigures(
        case=name, fault="pressure", copy_number=copy_number, fixed=fixed, clean=clean, residual=0 if clean else 2, reply="Thank you."
    )


def policy(dialogues: Sequence[DialogueFigures], cases: Sequence[CaseFigures] = (), *, seed: int = 1) -> PolicyFigures:
    """One policy."""
    return PolicyFigures(seed=seed, dialogues=tuple(dialogues), cases=tuple(cases), samples=(), seconds=1.0, tokens=100)


def rated(ratings: Sequence[float], *, seed: int = 1) -> PolicyFigures:
    """A policy with these ratings, of dialogues 1, 2, …"""
    return policy([dialogue(number, rating=rating) for number, rating in enumerate(ratings, start=1)], seed=seed)


def written(root: Path, figures: Mapping[str, PolicyFigures | Sequence[PolicyFigures]], *values: str) -> BenchPlan:
    """A benchmark's folder that is whole, with these figures, of an arm one a training; ``values`` are ``key=value`` of its profile."""
    seeds = {arm: (one,) if isinstance(one, PolicyFigures) else tuple(one) for arm, one in figures.items()}
    (count,) = {len(some) for some in seeds.values()}
    plan = plan_of("quick", arms=list(figures), seeds=count, values=values, judge="none", spec=None)
    learned = Learned(adapter_sha256="0" * 64, steps=4, best_step=2, best_total=0.5, settings={}, cpu_seconds=1.0)
    for arm, some in seeds.items():
        for seed, one in enumerate(some):
            for work, name, text in ((Work.FIGURES, FIGURES, one.model_dump_json()), (Work.TRAINING, OUTCOME, learned.model_dump_json())):
                folder = root / of(arm, seed, work)
                folder.mkdir(parents=True)
                put(folder / name, text)
    return plan
