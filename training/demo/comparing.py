"""The same held-out hotels before and after, by pairs.

Decided here: three figures. A hotel is the unit: replies of one conversation are alike. Intervals are bootstrapped over hotels, p
values are those of signs that are flipped at random.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from scipy.stats import bootstrap

from training.bench.statistics import sign_flip
from training.demo.raters import Rated
from training.dialogues import Room

_RESAMPLES, _SEED = 10_000, 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean over hotels with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One figure."""

    title: str
    share: bool
    """To be shown in per cent."""
    hotels: int
    before: Interval
    after: Interval
    difference: Interval
    p: float
    """Two-sided, that nothing has changed."""


_FIGURES: tuple[tuple[str, str, bool, Callable[[Rated], float | None]], ...] = (
    ("stars", "stars of a conversation (1 to 5, simulated experts)", False, lambda one: fmean(one.stars) if one.stars else None),
    ("agreed", "rooms agreed, where a price was possible", True, lambda one: _over_possible(one, lambda room: room.agreed is not None)),
    ("captured", "price captured, of the same rooms", True, lambda one: _over_possible(one, lambda room: room.captured)),
)


def compared(before: Mapping[int, Rated], after: Mapping[int, Rated]) -> dict[str, Compared]:
    """Every figure, by its name, over the hotels for which it is known both times. A figure of fewer than two hotels is missing."""
    found: dict[str, Compared] = {}
    for name, title, share, of in _FIGURES:
        pairs = [
            (earlier, later)
            for number in sorted(before.keys() & after.keys())
            if (earlier := of(before[number])) is not None and (later := of(after[number])) is not None
        ]
        if len(pairs) < 2:
            continue
        earlier, later = np.array(pairs, dtype=np.float64).T
        found[name] = Compared(
            title=title,
            share=share,
            hotels=len(pairs),
            before=_interval(earlier),
            after=_interval(later),
            difference=_interval(later - earlier),
            p=sign_flip(later - earlier),
        )
    return found


def _over_possible(one: Rated, of: Callable[[Room], float]) -> float | None:
    return fmean(of(room) for room in one.rooms if room.possible) if any(room.possible for room in one.rooms) else None


def _interval(values: np.ndarray) -> Interval:
    value = float(values.mean())
    if not np.ptp(values):
        return Interval(value=value, low=value, high=value)
    drawn = bootstrap((values,), np.mean, n_resamples=_RESAMPLES, method="percentile", rng=np.random.default_rng(_SEED))
    return Interval(value=value, low=float(drawn.confidence_interval.low), high=float(drawn.confidence_interval.high))
