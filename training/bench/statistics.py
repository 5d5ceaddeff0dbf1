"""How sure the table is: intervals over seeds and hotels, tests by pairs, and pass^k.

Decided here: the sampling units. Every figure is a ratio of sums over dialogues (or cases), so that a long dialogue counts as it should. A
resample draws seeds, and dialogues or cases, with replacement. Where all seeds met the same hotels, one draw of hotels serves them all
(crossed, as in Owen 2007): a hotel that is hard for one is hard for the others. Three seeds tell little about seeds: the interval is then
one over hotels with some of the scatter between runs in it. Tests go by pairs, since every policy met the same hotels: what the two came
to with a hotel, over all seeds, is exchanged or not (scipy's permutation test), and the difference of the ratios is taken anew.
"""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import permutation_test

from db.errors import ParleyError
from training.badcases import Estimate
from training.bench.measures import CaseFigures, DialogueFigures, PolicyFigures

RESAMPLES = 2_000
PERMUTATIONS = 9_999
_SEED = 20_261_004
LATER = 6
"""Replies after which it is late in a dialogue: about half of them."""


class NotComparable(ParleyError):
    """Policies that were not measured on the same hotels or cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row of the table: the sum of ``of`` over the sum of ``per``."""

    name: str
    title: str
    better: int
    """1 where more is better, -1 where less is, 0 where neither."""
    share: bool = True
    """To be shown in per cent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogueFigure(Figure):
    """Over dialogues."""

    of: Callable[[DialogueFigures], float]
    per: Callable[[DialogueFigures], float] = lambda dialogue: 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFigure(Figure):
    """Over bad cases."""

    of: Callable[[CaseFigures], float]


FIGURES: tuple[DialogueFigure | CaseFigure, ...] = (
    DialogueFigure(name="rating", title="average dialogue rating (1 to 5)", better=1, share=False, of=lambda d: d.rating),
    DialogueFigure(
        name="later", title="rating from the seventh reply on", better=1, share=False,
        of=lambda d: math.fsum(d.stars[LATER:]), per=lambda d: len(d.stars[LATER:]),
    ),
    DialogueFigure(name="excellent", title="dialogues with an excellent reply", better=1, of=lambda d: d.excellent),
    CaseFigure(name="fix", title="bad cases fixed", better=1, of=lambda c: c.fixed),
    CaseFigure(name="clean_fix", title="bad cases fixed cleanly", better=1, of=lambda c: c.clean),
    CaseFigure(name="residual", title="residual severity (0 to 3)", better=-1, share=False, of=lambda c: c.residual),
    DialogueFigure(
        name="agreement", title="rooms agreed, where possible", better=1, of=lambda d: d.rooms_agreed, per=lambda d: d.rooms_possible
    ),
    DialogueFigure(
        name="captured", title="share of the bargaining zone won", better=1,
        of=lambda d: (d.captured or 0.0) * d.rooms_possible, per=lambda d: d.rooms_possible,
    ),
    DialogueFigure(name="turns", title="turns to the end", better=-1, share=False, of=lambda d: d.turns),
    DialogueFigure(name="responded", title="our turns that were answered", better=1, of=lambda d: d.responded),
    DialogueFigure(name="goodwill", title="goodwill at the end (0 to 1)", better=1, share=False, of=lambda d: d.goodwill),
    DialogueFigure(name="unreadable", title="answers that are no reply", better=-1, of=lambda d: d.unreadable, per=lambda d: d.replies),
    DialogueFigure(name="violated", title="replies against a rule", better=-1, of=lambda d: d.violated, per=lambda d: d.replies),
    DialogueFigure(name="severe", title="replies with a severe breach", better=-1, of=lambda d: d.severe, per=lambda d: d.replies),
    DialogueFigure(name="faulted", title="replies with a fault", better=-1, of=lambda d: d.faulted, per=lambda d: d.replies),
    DialogueFigure(name="unmeant", title="agreements not meant", better=-1, of=lambda d: d.unmeant, per=lambda d: d.rooms),
    DialogueFigure(name="tokens", title="tokens a reply", better=0, share=False, of=lambda d: d.tokens, per=lambda d: d.replies),
)  # fmt: skip
"""In the table's order: the paper's five first, with the rating once more of what is said late, after many words of one's own."""


def figure(name: str) -> DialogueFigure | CaseFigure:
    """Raises KeyError for a name that no figure has."""
    return {known.name: known for known in FIGURES}[name]


def table(figures: Mapping[str, Sequence[PolicyFigures]]) -> dict[str, dict[str, Estimate]]:
    """Arm by arm, each figure by its name with a 95 % interval; of an arm, one ``PolicyFigures`` a seed.

    A figure that nothing was counted for is missing. Raises ValueError for an arm without a seed.
    """
    return {arm: _row(seeds) for arm, seeds in figures.items()}


def _row(seeds: Sequence[PolicyFigures]) -> dict[str, Estimate]:
    estimates = {known.name: estimate(seeds, known) for known in FIGURES}
    return {name: found for name, found in estimates.items() if found is not None}


def estimate(seeds: Sequence[PolicyFigures], known: DialogueFigure | CaseFigure) -> Estimate | None:
    """One figure of one arm; None where nothing was counted for it. Raises ValueError where there is no seed."""
    units = _units(seeds, known)
    value = units.ratio()
    if value is None:
        return None
    low, high = _percentiles(units.resampled(*units.draw(np.random.default_rng(_SEED))))
    return Estimate(value=value, low=low, high=high)


def by_training(seeds: Sequence[PolicyFigures]) -> dict[str, list[float]]:
    """Each figure by its name, of each training alone, in their order; missing where nothing was counted in one of them."""
    alone = {known.name: [_units([one], known).ratio() for one in seeds] for known in FIGURES}
    return {name: [value for value in values if value is not None] for name, values in alone.items() if None not in values}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One arm above another in one figure."""

    figure: str
    value: float
    """Of the first less that of the second."""
    low: float
    high: float
    p: float
    """Two-sided, that the two are alike; at least 2 / (``PERMUTATIONS`` + 1) for many pairs."""
    pairs: int


def compare(one: Sequence[PolicyFigures], other: Sequence[PolicyFigures], name: str = "rating") -> Difference:
    """The first arm above the second, by pairs: the same hotels (or cases) with each.

    Arms with as many seeds are also paired seed by seed, in their order: what a seed made is common to both.

    Raises:
        NotComparable: for arms that did not all meet the same hotels, or answer the same cases.
        KeyError: for a figure that there is not.
    """
    known = figure(name)
    upper, lower = _units(one, known), _units(other, known)
    if upper.names != lower.names or not (upper.crossed and lower.crossed):
        raise NotComparable("two arms are compared on the same hotels and cases: measure both with one seed and one number of dialogues")
    above, below = upper.ratio(), lower.ratio()
    if above is None or below is None:
        raise NotComparable(f"nothing was counted for {name!r} in one of the arms")
    low, high = _percentiles(_resampled_difference(upper, lower))
    return Difference(figure=name, value=above - below, low=low, high=high, p=_exchanged(upper, lower), pairs=len(upper.names))


def sign_flip(differences: Sequence[float] | NDArray[np.float64]) -> float:
    """Two-sided p that paired differences are about zero: as far from it as with any signs. Exact for up to 13 of them."""
    values = np.asarray(differences, dtype=np.float64)
    return _permuted(values, np.zeros_like(values), lambda one, other, axis: np.mean(one - other, axis=axis))


def holm(ps: Mapping[str, float]) -> dict[str, float]:
    """P values of several tests, raised so that all together err in 5 % of cases where none should be below 0.05 (Holm 1979)."""
    raised: dict[str, float] = {}
    least = 0.0
    for rank, name in enumerate(sorted(ps, key=lambda name: ps[name])):
        least = max(least, min(1.0, ps[name] * (len(ps) - rank)))
        raised[name] = least
    return {name: raised[name] for name in ps}


def pass_k(seeds: Sequence[PolicyFigures], k: int) -> float | None:
    """The chance that ``k`` dialogues with hotels of one persona all succeed, mean over personas: C(c, k) / C(n, k) (tau-bench's pass^k).

    A success is an agreement on every room for which there is a price that both would take; dialogues without such a room do not count.
    None where no persona has ``k`` dialogues. Raises ValueError for ``k`` below 1.
    """
    if k < 1:
        raise ValueError(f"pass^k needs k of 1 or more, not {k}")
    results: dict[str, list[bool]] = {}
    for figures in seeds:
        for dialogue in figures.dialogues:
            if dialogue.rooms_possible:
                results.setdefault(dialogue.persona, []).append(dialogue.rooms_agreed == dialogue.rooms_possible)
    shares = [math.comb(sum(found), k) / math.comb(len(found), k) for found in results.values() if len(found) >= k]
    return math.fsum(shares) / len(shares) if shares else None


# -- units ------------------------------------------------------------------------------------------------------------------------------

_Array = NDArray[np.float64]
_Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Units:
    """The parts of one figure's sums."""

    of: _Array
    """(seeds, units)."""
    per: _Array
    """(seeds, units)."""
    names: tuple[Hashable, ...]
    """What the columns are, where ``crossed``."""
    crossed: bool
    """A column is the same hotel or case for every seed."""

    def ratio(self) -> float | None:
        """The figure; None where nothing was counted."""
        total = float(self.per.sum())
        return float(self.of.sum()) / total if total else None

    def resampled(self, rows: _Index, columns: _Index) -> _Array:
        """The figure of each resample; ``rows`` (resamples, seeds) and ``columns`` (resamples, 1 or seeds, units) are what it draws."""
        chosen = rows[:, :, None], columns
        of, per = self.of[chosen].sum(axis=(1, 2)), self.per[chosen].sum(axis=(1, 2))
        return of / np.where(per > 0, per, np.nan)

    def draw(self, rng: np.random.Generator) -> tuple[_Index, _Index]:
        """What the resamples draw."""
        seeds, units = self.of.shape
        rows = rng.integers(seeds, size=(RESAMPLES, seeds))
        return rows, rng.integers(units, size=(RESAMPLES, 1 if self.crossed else seeds, units))


def _resampled_difference(upper: _Units, lower: _Units) -> _Array:
    rng = np.random.default_rng(_SEED)
    rows, columns = upper.draw(rng)
    others = rows if len(upper.of) == len(lower.of) else lower.draw(rng)[0]
    return upper.resampled(rows, columns) - lower.resampled(others, columns)


def _units(seeds: Sequence[PolicyFigures], known: DialogueFigure | CaseFigure) -> _Units:
    if not seeds:
        raise ValueError("an arm has at least one seed")
    parts = [_parts(figures, known) for figures in seeds]
    if len({len(part) for part in parts}) != 1:
        raise NotComparable("the seeds of an arm were measured on different numbers of dialogues or cases: measure them alike")
    names = [tuple(name for name, _, _ in part) for part in parts]
    return _Units(
        of=np.array([[of for _, of, _ in part] for part in parts]),
        per=np.array([[per for _, _, per in part] for part in parts]),
        names=names[0],
        crossed=len(set(names)) == 1,
    )


def _parts(figures: PolicyFigures, known: DialogueFigure | CaseFigure) -> list[tuple[Hashable, float, float]]:
    """Each unit's name and its parts of both sums, in the names' order."""
    match known:
        case DialogueFigure():
            return [((figures.seed, one.number), float(known.of(one)), float(known.per(one))) for one in _by_number(figures)]
        case CaseFigure():
            answers: dict[str, list[float]] = {}
            for case in figures.cases:
                answers.setdefault(case.case, []).append(float(known.of(case)))
            return [(name, math.fsum(answers[name]) / len(answers[name]), 1.0) for name in sorted(answers)]


def _by_number(figures: PolicyFigures) -> list[DialogueFigures]:
    return sorted(figures.dialogues, key=lambda dialogue: dialogue.number)


def _percentiles(values: _Array) -> tuple[float, float]:
    low, high = np.nanpercentile(values, (2.5, 97.5))
    return float(low), float(high)


def _exchanged(upper: _Units, lower: _Units) -> float:
    """Two-sided p that the two ratios are alike: as far apart as with the pairs' parts of *both* sums exchanged.

    Signs of parts of the difference would not do: where both broke one rule with a hotel, 1 of 325 replies is not 1 of 333, and each such
    hotel would count as one more that speaks against the same side.
    """
    of, per = (np.concatenate([each(upper).mean(axis=0), each(lower).mean(axis=0)]) for each in (lambda u: u.of, lambda u: u.per))
    first = np.arange(len(upper.names))

    def difference(one: _Index, other: _Index, axis: int) -> _Array:
        apart = of[one].sum(axis=axis) / per[one].sum(axis=axis) - of[other].sum(axis=axis) / per[other].sum(axis=axis)
        # What differs by the order of a sum alone is as far apart.
        return np.round(apart, 12)

    return _permuted(first, first + len(first), difference)


def _permuted(one: NDArray[Any], other: NDArray[Any], statistic: Callable[[NDArray[Any], NDArray[Any], int], _Array]) -> float:
    if len(one) < 2:
        # Of one pair, either order is as far from zero.
        return 1.0
    tested = permutation_test(
        (one, other), statistic, permutation_type="samples", n_resamples=PERMUTATIONS, vectorized=True, batch=500,
        rng=np.random.default_rng(_SEED),
    )  # fmt: skip
    return float(tested.pvalue)
