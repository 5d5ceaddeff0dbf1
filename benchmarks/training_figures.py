"""From steps to figures: medians, their intervals, and ratios of arms that took turns.

Decided here: that a ratio is taken within a round, where two arms met the same load, and then its median over the rounds; and that
intervals are 95 % percentile bootstraps of a median over rounds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

import numpy as np
from scipy.stats import bootstrap

from benchmarks.training_gate import PARTS
from training.badcases.evaluation import Estimate

Time = Literal["cpu", "wall"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one step of an arm cost."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds of processor time, over all threads."""
    length: float
    """Mean tokens of a reply."""
    parts: Mapping[str, float]
    """Wall seconds."""
    peak_mb: float
    """The most memory that the process has held so far."""

    def seconds(self, time: Time) -> float:
        """By the clock that is judged by."""
        return self.cpu if time == "cpu" else self.wall


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFigures:
    """An arm over all rounds."""

    name: str
    replies_per_cpu_s: Estimate
    replies_per_s: Estimate
    cpu_s: Estimate
    """A step."""
    wall_s: Estimate
    length: float
    shares: Mapping[str, float]
    """Of a step's wall time, by part."""
    peak_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """How many times as fast as another arm one is to be."""

    arm: str
    rival: str
    least: float


def figures(name: str, steps: Sequence[Step], replies: int) -> ArmFigures:
    """Of at least one step of ``replies`` replies."""
    wall = sum(step.wall for step in steps)
    return ArmFigures(
        name=name,
        replies_per_cpu_s=median_of([replies / step.cpu for step in steps]),
        replies_per_s=median_of([replies / step.wall for step in steps]),
        cpu_s=median_of([step.cpu for step in steps]),
        wall_s=median_of([step.wall for step in steps]),
        length=sum(step.length for step in steps) / len(steps),
        shares={part: sum(step.parts[part] for step in steps) / wall for part in PARTS},
        peak_mb=max(step.peak_mb for step in steps),
    )


def speedup(arm: Sequence[Step], rival: Sequence[Step], time: Time) -> Estimate:
    """How many times as many replies a second ``arm`` has, round by round; both have as many rounds."""
    return median_of([slow.seconds(time) / fast.seconds(time) for fast, slow in zip(arm, rival, strict=True)])


def added(arm: Sequence[Step], plain: Sequence[Step], time: Time) -> Estimate:
    """By what share a step of ``arm`` is longer than one of ``plain``."""
    return median_of([one.seconds(time) / other.seconds(time) - 1 for one, other in zip(arm, plain, strict=True)])


def median_of(values: Sequence[float]) -> Estimate:
    """The median with its interval; of a single value, no wider than that."""
    middle = median(values)
    if len(set(values)) == 1:
        return Estimate(value=middle, low=middle, high=middle)
    found = bootstrap((np.array(values),), np.median, method="percentile", n_resamples=2000, rng=np.random.default_rng(0))
    return Estimate(value=middle, low=float(found.confidence_interval.low), high=float(found.confidence_interval.high))
