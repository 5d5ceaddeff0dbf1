"""How one person's answers stand beside those of the others on the same things: bias, likeness, speed.

Decided here: the others' answer to a thing is the mean of theirs without one's own; kinds of judgement are laid on one scale for the
likeness (each kind's mean is 0, its deviation 1), while the bias is told in stars.
"""

from dataclasses import dataclass
from statistics import fmean, median, stdev
from uuid import UUID

import numpy as np

from db.repositories.rating_figures import Judged
from db.vocabulary import JudgementKind
from training.quality.units import Units, scales, score


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """A mean with its 95 % interval (normal)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """One person beside the others."""

    judgements: int
    """Things judged."""
    shared: int
    """Of them, those that others have judged too."""
    bias: Mean | None
    """Own stars less the others', in stars; None where no rated thing is shared."""
    likeness: float | None
    """Correlation of own answers with the others'; None where it cannot be told (under three shared things, or nothing varies)."""
    seconds: float | None
    """Median time of a judgement."""


def mean_of(values: list[float]) -> Mean | None:
    """The mean of independent values with its interval; None without any. One value has no width to tell and gets none."""
    if not values:
        return None
    middle = fmean(values)
    half = 1.96 * stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return Mean(value=middle, low=middle - half, high=middle + half)


def likenesses(units: Units) -> dict[UUID, Likeness]:
    """Everybody who has judged something."""
    on_scale = scales(units)
    rows: dict[UUID, list[Judged]] = {}
    differences: dict[UUID, list[float]] = {}
    pairs: dict[UUID, list[tuple[float, float]]] = {}
    for (kind, _), said in units.items():
        middle, width = on_scale[kind]
        scores = {rater: score(row) for rater, row in said.items()}
        total = sum(scores.values())
        for rater, row in said.items():
            rows.setdefault(rater, []).append(row)
            if len(said) < 2:
                continue
            own, others = scores[rater], (total - scores[rater]) / (len(said) - 1)
            pairs.setdefault(rater, []).append(((own - middle) / width, (others - middle) / width))
            if kind is not JudgementKind.COMPARISON:
                differences.setdefault(rater, []).append(own - others)
    return {
        rater: Likeness(
            judgements=len(said),
            shared=len(pairs.get(rater, ())),
            bias=mean_of(differences.get(rater, [])),
            likeness=_correlation(pairs.get(rater, [])),
            seconds=_median([row.seconds for row in said if row.seconds is not None]),
        )
        for rater, said in rows.items()
    }


def _correlation(pairs: list[tuple[float, float]]) -> float | None:
    if len(pairs) < 3:
        return None
    own, others = np.array(pairs).T
    if np.ptp(own) < 1e-9 or np.ptp(others) < 1e-9:
        return None
    return float(np.corrcoef(own, others)[0, 1])


def _median(values: list[float]) -> float | None:
    return median(values) if values else None
