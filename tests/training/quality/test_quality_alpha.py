"""Agreement: the figures of the textbook, of the ``krippendorff`` package, and of what can be counted by hand."""

import math
from collections.abc import Sequence

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged_rows import QUEUE, person, row, table

from db.repositories.rating_figures import Judged
from db.vocabulary import IssueTag, JudgementKind, Preferred, Severity
from training.experts import alpha as alpha_of_experts
from training.quality.agreement import (
    by_queue,
    by_tag,
    on_preferences,
    on_stars,
    preferences_with_others,
    stars_with_others,
)
from training.quality.alpha import Level, alpha_of_units, alpha_with_others
from training.quality.units import by_unit

Table = list[list[int | None]]
# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", example C: four observers, twelve units, values missing.
TEXTBOOK: Table = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]

tables = st.integers(2, 5).flatmap(
    lambda raters: st.integers(2, 12).flatmap(
        lambda units: st.lists(st.lists(st.none() | st.integers(1, 5), min_size=units, max_size=units), min_size=raters, max_size=raters)
    )
)


def matrix(given: Sequence[Sequence[int | None]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([[np.nan if value is None else value for value in row] for row in given], dtype=float)


def units_of(given: Sequence[Sequence[int | None]]) -> list[list[int]]:
    return [[value for value in column if value is not None] for column in zip(*given, strict=True)]


def package(given: Sequence[Sequence[int | None]], level: Level) -> float:
    """What the package says; nan where there is nothing to compare, which it refuses."""
    compared = [value for unit in units_of(given) if len(unit) > 1 for value in unit]
    if len(set(compared)) < 2:
        return math.nan
    return float(krippendorff.alpha(reliability_data=matrix(given), level_of_measurement=level, value_domain=[1, 2, 3, 4, 5]))


@pytest.mark.parametrize(("level", "expected"), [("nominal", 0.743), ("ordinal", 0.815)])
def test_that_agreement_is_that_of_the_textbook(level: Level, expected: float):
    found = alpha_of_units(units_of(TEXTBOOK), values=(1, 2, 3, 4, 5), level=level)
    assert found.value == pytest.approx(expected, abs=5e-4)
    assert found.low < found.value < found.high


@given(tables, st.sampled_from(["nominal", "ordinal"]))
def test_that_any_table_has_the_packages_figure(given: Table, level: Level):
    found = alpha_of_units(units_of(given), values=(1, 2, 3, 4, 5), level=level, resamples=5)
    assert found.value == pytest.approx(package(given, level), abs=1e-9, nan_ok=True)


@given(tables, st.sampled_from(["nominal", "ordinal"]))
def test_that_a_persons_agreement_is_that_of_all_pairs_with_the_person(given: Table, level: Level):
    own, *others = given
    pairs = [(mine, theirs) for column in zip(own, *others, strict=True) for mine in column[:1] for theirs in column[1:]]
    told = [(mine, theirs) for mine, theirs in pairs if mine is not None and theirs is not None]
    found = alpha_with_others(
        ((mine, [value for value in rest if value is not None]) for mine, *rest in zip(own, *others, strict=True) if mine is not None),
        values=(1, 2, 3, 4, 5),
        level=level,
        resamples=5,
    )
    expected = package([[mine for mine, _ in told], [theirs for _, theirs in told]], level) if told else math.nan
    assert found.value == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_that_the_interval_is_the_one_of_the_experts_figures():
    rng = np.random.default_rng(3)
    truth = rng.integers(1, 6, 300)
    given = [[int(np.clip(value + rng.integers(-1, 2), 1, 5)) for value in truth] for _ in range(3)]
    ours = alpha_of_units(units_of(given), values=(1, 2, 3, 4, 5), level="ordinal", resamples=2000)
    theirs = alpha_of_experts(matrix(given), level="ordinal", resamples=400)
    assert ours.value == pytest.approx(theirs.value, abs=1e-9)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.015)


def test_that_what_cannot_be_compared_has_no_figure():
    for values in ([[3, 3, 3], [3, 3, 3]], [[1, None], [None, 5]]):
        found = alpha_of_units(units_of(values), values=(1, 2, 3, 4, 5), level="ordinal")
        assert all(math.isnan(value) for value in (found.value, found.low, found.high))


def test_that_agreement_by_hand_comes_out():
    # Two people, four replies; named by both, by one, by none, by none. Nominal: 1 - (n - 1) * 2 / (2 * 3 * 5) with n = 8.
    pressure = [(IssueTag.PRESSURE, Severity.MAJOR)]
    rows = [row(0, 0, tags=pressure), row(1, 0, tags=[(IssueTag.PRESSURE, Severity.MINOR)]), row(0, 1, tags=pressure), row(1, 1)]
    rows += [row(rater, unit) for rater in (0, 1) for unit in (2, 3)]
    (found,) = by_tag(by_unit(rows))
    assert (found.tag, found.named, found.shared) == (IssueTag.PRESSURE, 3, 4)
    assert found.alpha.value == pytest.approx(1 - 7 * 2 / 30)


def test_that_stars_preferences_and_queues_are_kept_apart():
    pairs = [(Preferred.FIRST, Preferred.FIRST), (Preferred.SECOND, Preferred.TIE), (Preferred.TIE, Preferred.TIE)]
    compared = [
        row(rater, 10 + unit, None, kind=JudgementKind.COMPARISON, preferred=said[rater], queue=None)
        for unit, said in enumerate(pairs)
        for rater in (0, 1)
    ]
    rated = table([1, 2, 5, 4], [1, 2, 4, 4])
    units = by_unit([*rated, *compared])
    codes = [[Preferred.FIRST, Preferred.TIE, Preferred.SECOND].index(said[rater]) for rater in (0, 1) for said in pairs]
    preferred = float(krippendorff.alpha(reliability_data=np.array([codes[:3], codes[3:]], dtype=float), level_of_measurement="nominal"))
    assert on_stars(units).value == pytest.approx(package([[1, 2, 5, 4], [1, 2, 4, 4]], "ordinal"))
    assert on_preferences(units).value == pytest.approx(preferred)
    assert preferences_with_others(units, person(1)).value == pytest.approx(preferred)
    assert stars_with_others(units, person(0)).value == pytest.approx(package([[1, 2, 5, 4], [1, 2, 4, 4]], "ordinal"))
    first, second = by_queue([*rated, *compared])
    assert (first.queue_id, first.judgements, first.shared) == (QUEUE, 8, 4)
    assert first.alpha == on_stars(units)
    assert (second.queue_id, second.kind, second.alpha) == (None, JudgementKind.COMPARISON, on_preferences(units))


def test_that_a_person_counts_once_for_a_thing_and_with_the_newest_word():
    rows: list[Judged] = table([1, 2, 3], [1, 2, 3])
    again = row(0, 2, 5, queue=None, at=rows[-1].at.replace(day=9))
    for order in ([*rows, again], [again, *rows]):
        said = by_unit(order)[JudgementKind.TURN, again.unit]
        assert {rater: judged.stars for rater, judged in said.items()} == {person(0): 5, person(1): 3}


def test_that_the_same_judgements_in_another_order_have_the_same_interval():
    rows = table([1, 2, 3, 4, 5, 3], [2, 2, 3, 5, 5, 1], [1, 3, 3, 4, None, 3])
    assert on_stars(by_unit(rows)) == on_stars(by_unit(reversed(rows)))
