"""REPO's formula: its four cases, its bounds, and what it does without a judge; as properties over all numbers that may come."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.rewards.enhancement import N, RewardError, enhance, enhancement, linear_sum, veto

MODEL = st.floats(min_value=-1e9, max_value=1e9)
PART = st.floats(min_value=-1e6, max_value=1e6)
JUDGE = st.none() | PART
BOUND = st.floats(min_value=1e-3, max_value=1e6)
NOT_FINITE = [math.nan, math.inf, -math.inf]


@pytest.mark.parametrize(
    ("model", "e", "total"),
    [
        (0.8, 50.0, 1.2),  # liked and well done: more
        (0.8, -50.0, 0.4),  # liked but faulty: less
        (-0.8, -50.0, -1.2),  # disliked and faulty: worse
        (-0.8, 50.0, -0.4),  # disliked but well done: less bad
        (0.8, 100.0, 1.6),
        (0.8, -100.0, 0.0),
        (-0.8, -100.0, -1.6),
        (-0.8, 100.0, 0.0),
        (0.0, 100.0, 0.0),
        (0.8, 0.0, 0.8),
    ],
)
def test_the_four_cases_and_their_corners(model: float, e: float, total: float) -> None:
    assert enhance(model, e, 0.0) == pytest.approx(total, abs=1e-15)
    assert enhance(model, 0.0, e) == pytest.approx(total, abs=1e-15)


@given(MODEL, JUDGE, PART, BOUND)
def test_it_is_the_papers_two_branches_in_one(model: float, judge: float | None, functions: float, n: float) -> None:
    e = max(-n, min(n, (0.0 if judge is None else judge) + functions))
    branch = model * (1 + e / n) if model >= 0 else model * (1 - e / n)
    assert enhance(model, judge, functions, n=n) == pytest.approx(branch, rel=1e-9, abs=1e-9)


@given(MODEL, JUDGE, PART, PART, BOUND)
def test_it_never_falls_where_the_enhancement_rises(model: float, judge: float | None, one: float, other: float, n: float) -> None:
    low, high = sorted((one, other))
    assert enhance(model, judge, low, n=n) <= enhance(model, judge, high, n=n)


@given(MODEL.filter(bool), JUDGE, PART, BOUND)
def test_it_never_changes_sides(model: float, judge: float | None, functions: float, n: float) -> None:
    total = enhance(model, judge, functions, n=n)
    assert total * math.copysign(1.0, model) >= 0
    assert abs(total) <= 2 * abs(model)


@given(MODEL.map(abs), MODEL.map(lambda model: -abs(model)), PART, PART)
def test_a_liked_reply_is_never_below_a_disliked_one(liked: float, disliked: float, e_liked: float, e_disliked: float) -> None:
    assert enhance(liked, None, e_liked) >= enhance(disliked, None, e_disliked)


@given(JUDGE, PART, BOUND)
def test_the_enhancement_is_clipped(judge: float | None, functions: float, n: float) -> None:
    e = enhancement(judge, functions, n=n)
    assert -n <= e <= n
    whole = (judge or 0.0) + functions
    assert e == whole or (abs(whole) > n and abs(e) == n)


@given(MODEL, PART, BOUND)
def test_without_a_judgement_the_rules_speak_alone(model: float, functions: float, n: float) -> None:
    assert enhancement(None, functions, n=n) == enhancement(0.0, functions, n=n) == max(-n, min(n, functions))
    assert enhance(model, None, functions, n=n) == enhance(model, 0.0, functions, n=n)


@given(MODEL, PART, st.floats(min_value=0.5, max_value=1e3))
def test_only_the_share_of_n_counts(model: float, functions: float, factor: float) -> None:
    wider = enhance(model, None, functions * factor, n=N * factor)
    assert wider == pytest.approx(enhance(model, None, functions), rel=1e-9, abs=1e-6)


@given(MODEL, JUDGE, PART)
def test_the_bound_is_the_papers_where_none_is_given(model: float, judge: float | None, functions: float) -> None:
    assert N == 100.0
    assert enhance(model, judge, functions) == enhance(model, judge, functions, n=100.0)


@given(MODEL, JUDGE, PART, st.sampled_from([0.1, 1.0, 10.0]))
def test_the_sum_adds_the_clipped_share_by_its_weight(model: float, judge: float | None, functions: float, weight: float) -> None:
    share = enhancement(judge, functions) / N
    assert linear_sum(model, judge, functions, weight=weight) == pytest.approx(model + weight * share, rel=1e-12, abs=1e-12)


def test_the_sum_changes_sides_where_the_product_does_not() -> None:
    assert enhance(0.5, None, -100.0) == 0.0
    assert [linear_sum(0.5, None, -100.0, weight=weight) for weight in (0.1, 1.0, 10.0)] == [0.4, -0.5, -9.5]


@given(MODEL, MODEL, st.floats(min_value=1e-3, max_value=1e6))
def test_a_vetoed_reply_is_below_every_other(one: float, other: float, value: float) -> None:
    vetoed = veto(one, severe=True, value=value)
    assert vetoed == -value
    assert vetoed < veto(other, severe=False, value=value)


@given(MODEL, MODEL)
def test_the_veto_keeps_the_order_of_the_others(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert veto(low, severe=False, value=10.0) <= veto(high, severe=False, value=10.0)
    if low >= -9.9:
        assert veto(low, severe=False, value=10.0) == low


@pytest.mark.parametrize("wrong", NOT_FINITE)
def test_a_number_that_is_none_is_named(wrong: float) -> None:
    with pytest.raises(RewardError, match=f"R_model is {wrong}"):
        enhance(wrong, None, 0.0)
    with pytest.raises(RewardError, match=f"E_judge is {wrong}"):
        enhance(1.0, wrong, 0.0)
    with pytest.raises(RewardError, match=f"E_func is {wrong}"):
        linear_sum(1.0, None, wrong)
    with pytest.raises(RewardError, match=f"weight is {wrong}"):
        linear_sum(1.0, None, 0.0, weight=wrong)
    with pytest.raises(RewardError, match=f"total is {wrong}"):
        veto(wrong, severe=False, value=1.0)


def test_a_total_beyond_all_numbers_is_refused() -> None:
    with pytest.raises(RewardError, match="R_total is inf"):
        enhance(1.7e308, None, 100.0)


@pytest.mark.parametrize("wrong", [0.0, -1.0, *NOT_FINITE])
def test_a_bound_that_bounds_nothing_is_refused(wrong: float) -> None:
    with pytest.raises(RewardError, match=f"n is {wrong}"):
        enhancement(None, 0.0, n=wrong)
    with pytest.raises(RewardError, match=f"value is {wrong}"):
        veto(0.0, severe=True, value=wrong)
