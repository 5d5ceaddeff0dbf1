"""Krippendorff's alpha with an interval, fast enough for every queue, tag and person at once.

Decided here: things that got the same answers are counted together, so that the bootstrap over things draws how often each such pattern
comes, and never walks through the judgements again. The figures are those of the ``krippendorff`` package (the tests compare them), which
takes no weights and would be asked two hundred times over all judgements.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from training.experts.agreement import Alpha

Level = Literal["ordinal", "nominal"]
RESAMPLES = 400
NONE = Alpha(float("nan"), float("nan"), float("nan"))
"""Nothing to agree about."""


def alpha_of_units(units: Iterable[Sequence[Hashable]], *, values: Sequence[Hashable], level: Level, resamples: int = RESAMPLES) -> Alpha:
    """Alpha of things with the answers each of them got, who from does not matter; those with one answer say nothing.

    ``values`` are the possible answers, in order where the level is ordinal. nan where nothing varies.
    Krippendorff, Content Analysis (2004), chapter 11; the interval is the 95 % percentile bootstrap over things.
    """
    place = {value: index for index, value in enumerate(values)}
    patterns: Counter[tuple[int, ...]] = Counter()
    for answers in units:
        if len(answers) < 2:
            continue
        counts = [0] * len(values)
        for answer in answers:
            counts[place[answer]] += 1
        patterns[tuple(counts)] += 1
    return alpha_of_counts(patterns, level=level, resamples=resamples)


def alpha_of_counts(patterns: Mapping[tuple[int, ...], int], *, level: Level, resamples: int = RESAMPLES) -> Alpha:
    """The same, of how many things have got each value so and so often."""
    told = sorted((pattern, count) for pattern, count in patterns.items() if sum(pattern) > 1 and count)
    return _alpha([(_pairs(pattern), count) for pattern, count in told], level, resamples)


def alpha_with_others(
    units: Iterable[tuple[Hashable, Sequence[Hashable]]], *, values: Sequence[Hashable], level: Level, resamples: int = RESAMPLES
) -> Alpha:
    """Alpha of one person with the others: of the person's answer paired with each other answer to the same thing, and no other pair."""
    place = {value: index for index, value in enumerate(values)}
    patterns: Counter[tuple[int, tuple[int, ...]]] = Counter()
    for own, others in units:
        if not others:
            continue
        counts = [0] * len(values)
        for answer in others:
            counts[place[answer]] += 1
        patterns[place[own], tuple(counts)] += 1
    matrices: list[tuple[NDArray[np.float64], int]] = []
    for (own, counts), times in sorted(patterns.items()):
        matrix = np.zeros((len(values), len(values)))
        matrix[own] += counts
        matrix[:, own] += counts
        matrices.append((matrix, times))
    return _alpha(matrices, level, resamples)


def _pairs(counts: Sequence[int]) -> NDArray[np.float64]:
    """The coincidences of one thing: each pair of its answers, weighed so that a thing with m answers counts as m."""
    row = np.array(counts, dtype=float)
    return (np.outer(row, row) - np.diag(row)) / (row.sum() - 1)


def _alpha(patterns: Sequence[tuple[NDArray[np.float64], int]], level: Level, resamples: int) -> Alpha:
    """Of coincidence matrices, each with how many things have it; in order, so that the same judgements give the same interval."""
    if not patterns:
        return NONE
    values = patterns[0][0].shape[0]
    matrices_PW = np.stack([matrix.ravel() for matrix, _ in patterns])
    counts = np.array([count for _, count in patterns])
    value = float(_from_coincidences((counts @ matrices_PW).reshape(1, values, values), level)[0])
    if np.isnan(value):
        return NONE
    total = int(counts.sum())
    drawn = np.random.default_rng(0).multinomial(total, counts / total, size=resamples)
    spread = _from_coincidences((drawn @ matrices_PW).reshape(resamples, values, values), level)
    known = spread[~np.isnan(spread)]
    low, high = np.quantile(known, (0.025, 0.975))
    return Alpha(value, float(low), float(high))


def _from_coincidences(o_RVV: NDArray[np.floating[Any]], level: Level) -> NDArray[np.floating[Any]]:
    """Alpha of each of R coincidence matrices over V values; nan where only one value occurs."""
    n_RV = o_RVV.sum(axis=2)
    if level == "ordinal":
        middle_RV = np.cumsum(n_RV, axis=1) - n_RV / 2
        d_RVV = (middle_RV[:, :, None] - middle_RV[:, None, :]) ** 2
    else:
        d_RVV = np.broadcast_to(1.0 - np.eye(n_RV.shape[1]), o_RVV.shape)
    seen = (o_RVV * d_RVV).sum(axis=(1, 2))
    by_chance = (n_RV[:, :, None] * n_RV[:, None, :] * d_RVV).sum(axis=(1, 2)) / np.maximum(n_RV.sum(axis=1) - 1, 1e-12)
    return 1 - np.divide(seen, by_chance, out=np.full_like(seen, np.nan), where=by_chance > 0)
