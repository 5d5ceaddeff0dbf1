"""How far experts agree, and how far they depart from the truth.

Decided here: Krippendorff's alpha with bootstrap intervals over the rated replies (ordinal for stars, nominal for flags and faults), and
how an expert's bias and noise are recovered from its ratings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erf
from typing import Literal

import krippendorff
import numpy as np
from numpy.typing import NDArray

from training.experts.expert import Rating
from training.experts.faults import FaultKind

_FAR = 20.0
"""Beyond any impression, in stars."""
_ITERATIONS = 60


@dataclass(frozen=True, slots=True)
class Alpha:
    """An agreement with its 95 % interval; nan where there is nothing to agree about (all values the same)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Recovered:
    """An expert's bias and noise as its ratings show them, in stars."""

    bias: float
    noise: float
    replies: int


def alpha(values: NDArray[np.float64], *, level: Literal["ordinal", "nominal"], resamples: int = 200, seed: int = 0) -> Alpha:
    """Krippendorff's alpha of an (experts, replies) matrix; nan marks a reply that an expert has not rated."""
    rng = np.random.default_rng(seed)
    units = values.shape[1]
    drawn = [_alpha(values[:, rng.integers(0, units, units)], level) for _ in range(resamples)]
    known = [value for value in drawn if not np.isnan(value)]
    low, high = np.quantile(known, (0.025, 0.975)) if known else (float("nan"), float("nan"))
    return Alpha(_alpha(values, level), float(low), float(high))


def _alpha(values: NDArray[np.float64], level: Literal["ordinal", "nominal"]) -> float:
    if np.unique(values[~np.isnan(values)]).size < 2:
        return float("nan")
    return float(krippendorff.alpha(reliability_data=values, level_of_measurement=level))


def agreement(ratings: Sequence[Sequence[Rating]], *, resamples: int = 200) -> dict[str, Alpha]:
    """Agreement on stars, on the excellent flag, on whether there is any fault, and on each fault; ``ratings[expert][reply]``."""
    stars = np.array([[rating.stars for rating in row] for row in ratings], dtype=float)
    flags = np.array([[rating.excellent for rating in row] for row in ratings], dtype=float)
    faulty = np.array([[bool(rating.faults) for rating in row] for row in ratings], dtype=float)
    result = {
        "stars": alpha(stars, level="ordinal", resamples=resamples),
        "excellent": alpha(flags, level="nominal", resamples=resamples),
        "any fault": alpha(faulty, level="nominal", resamples=resamples),
    }
    for kind in FaultKind:
        named = np.array([[any(fault.kind is kind for fault in rating.faults) for rating in row] for row in ratings], dtype=float)
        result[str(kind)] = alpha(named, level="nominal", resamples=resamples)
    return result


def recover(stars: Sequence[int], scores: Sequence[float]) -> Recovered:
    """An expert's bias and noise, from its stars and the true scores of the same replies.

    The most likely normal distribution of (impression - true score), where whole stars tell of an impression only the interval in which it
    lies and the ends of the scale are open; found by expectation and maximisation. Raises ValueError where there is nothing to go by.
    """
    if not stars:
        raise ValueError("an expert is recovered from at least one rated reply")
    given, score = np.array(stars, dtype=float), np.array(scores, dtype=float)
    low = np.where(given <= 1, -_FAR, given - 0.5) - score
    high = np.where(given >= 5, _FAR, given + 0.5) - score
    bias, noise = 0.0, 0.5
    for _ in range(_ITERATIONS):
        a, b = (low - bias) / noise, (high - bias) / noise
        mass = np.maximum(_cumulative(b) - _cumulative(a), 1e-12)
        shift = (_density(a) - _density(b)) / mass
        spread = 1 + (a * _density(a) - b * _density(b)) / mass - shift**2
        impression, variance = bias + noise * shift, noise**2 * np.maximum(spread, 0.0)
        bias = float(impression.mean())
        noise = max(float((variance + (impression - bias) ** 2).mean()) ** 0.5, 1e-3)
    return Recovered(bias=bias, noise=noise, replies=len(given))


def _density(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.exp(-0.5 * x**2) / (2 * np.pi) ** 0.5


def _cumulative(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([0.5 * (1 + erf(value / 2**0.5)) for value in x.tolist()])
