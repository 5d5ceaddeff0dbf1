"""Scores of replies from all three sources: every component kept, a missing judgement counted, a number that is none refused."""

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reward_turns import GOOD, INTERNAL, PROMISES, ask, turn

from training.judging import Marks, shipped_rubric
from training.rewards.enhancement import RewardError
from training.rewards.scoring import Item, JudgeFunction, Score, Scorer, figures
from training.rewards.spec import RewardSpec, parse_spec, shipped_spec

ITEMS: list[Item] = [(turn(), ask(GOOD)), (turn(), ask(PROMISES)), (turn(), ask(INTERNAL))]
WELL: Marks = {item.name: item.highest for item in shipped_rubric().items}
BADLY: Marks = {item.name: item.lowest for item in shipped_rubric().items}


def spec(**changed: Any) -> RewardSpec:
    return parse_spec(shipped_spec().body() | changed, source="the test's spec")


def scorer(models: Sequence[float], marks: Sequence[Marks | None] | None = None, **changed: Any) -> Scorer:
    judge: JudgeFunction | None = None if marks is None else lambda _: marks
    return Scorer(lambda _: models, judge, spec(**changed))


def test_every_component_is_kept() -> None:
    good, promising, leaking = scorer([0.8, 0.8, -0.5], [WELL, WELL, BADLY]).score_many(ITEMS)
    assert (good.model, good.judge, good.functions, good.enhanced, good.total) == (0.8, 88.0, 0.0, 88.0, pytest.approx(1.504))
    assert (promising.judge, promising.functions, promising.enhanced) == (88.0, -60.0, 28.0)
    assert promising.total == pytest.approx(0.8 * 1.28)
    assert (leaking.judge, leaking.functions, leaking.enhanced, leaking.total) == (-112.0, -100.0, -100.0, -1.0)
    assert good.marks == WELL
    assert [hit.rule for hit in leaking.hits] == ["internal_words"]
    assert {score.spec for score in (good, promising, leaking)} == {shipped_spec().version}


def test_a_score_is_stored_as_json() -> None:
    (score,) = scorer([0.8], [None]).score_many(ITEMS[1:2])
    stored = json.loads(json.dumps(score.to_json()))
    assert stored == {
        "model": 0.8,
        "judge": None,
        "functions": -60.0,
        "enhanced": -60.0,
        "total": pytest.approx(0.32),
        "marks": None,
        "hits": [{"rule": "promises", "severity": "severe", "weight": -60.0, "message": score.hits[0].message, "count": 3}],
        "judge_missing": True,
        "vetoed": False,
        "spec": 1,
    }


def test_a_missing_judgement_stays_missing_and_is_counted() -> None:
    scores = scorer([0.5, 0.5, 0.5], [WELL, None, None]).score_many(ITEMS)
    assert [score.judge_missing for score in scores] == [False, True, True]
    assert scores[1].judge is None
    assert scores[1].total == pytest.approx(0.2), "the rules speak alone"
    summed = figures(scores, spec())
    assert (summed.judge_missing, summed.judge) == (2, 88.0)


def test_a_run_without_a_judge_misses_nothing() -> None:
    scores = scorer([0.5, 0.5, 0.5]).score_many(ITEMS)
    assert not any(score.judge_missing for score in scores)
    assert (figures(scores, spec()).judge_missing, figures(scores, spec()).judge) == (0, None)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_a_reward_that_is_no_number_names_the_reply(wrong: float) -> None:
    with pytest.raises(RewardError, match=rf"reward model gives {wrong} for reply 1 of 3 \('Thank you .*nothing is trained on it"):
        scorer([0.5, wrong, 0.5], [WELL] * 3).score_many(ITEMS)


def test_numbers_of_numpy_are_numbers() -> None:
    (score,) = scorer(list(np.array([0.5], dtype=np.float32)), [None]).score_many(ITEMS[:1])
    assert type(score.model) is float
    with pytest.raises(RewardError, match="nan for reply 0"):
        scorer(list(np.array([np.nan], dtype=np.float32)), [None]).score_many(ITEMS[:1])


def test_a_source_that_answers_for_others_is_refused() -> None:
    with pytest.raises(RewardError, match="the reward model gives 2 answers for 3 replies"):
        scorer([0.5, 0.5]).score_many(ITEMS)
    with pytest.raises(RewardError, match="the judge gives 1 answers for 3 replies"):
        scorer([0.5] * 3, [WELL]).score_many(ITEMS)


@pytest.mark.parametrize("marks", [{}, {"empathy": 1}, WELL | {"humour": 2}])
def test_marks_of_another_rubric_are_refused(marks: Marks) -> None:
    with pytest.raises(RewardError, match=r"marks of reply 0 are of .*rubric asks for empathy, progress"):
        scorer([0.5], [marks]).score_many(ITEMS[:1])


def test_a_judge_that_fails_stops_the_batch() -> None:
    def down(_: Sequence[Item]) -> list[Marks | None]:
        raise ConnectionError("the judge is down")

    with pytest.raises(ConnectionError, match="the judge is down"):
        Scorer(lambda items: [0.0] * len(items), down, spec()).score_many(ITEMS)


def test_nothing_is_asked_about_nothing() -> None:
    def never(_: Sequence[Item]) -> list[float]:
        raise AssertionError("asked")

    assert Scorer(never, None, spec()).score_many([]) == []


def test_the_plain_sum_by_its_weight() -> None:
    totals = [scorer([0.5], combine="sum", sum_weight=weight).score_many(ITEMS[2:])[0].total for weight in (0.1, 1.0, 10.0)]
    assert totals == [pytest.approx(0.4), pytest.approx(-0.5), pytest.approx(-9.5)]


def test_the_veto_puts_a_severe_breach_below_everything() -> None:
    models = [-3.0, 2.0, 3.0]
    free = scorer(models, [WELL] * 3).score_many(ITEMS)
    assert free[2].total > free[0].total, "the product alone cannot make a liked reply worse than a disliked one"
    vetoed = scorer(models, [WELL] * 3, veto=True).score_many(ITEMS)
    assert [score.vetoed for score in vetoed] == [False, True, True]
    assert [score.total for score in vetoed] == [free[0].total, -10.0, -10.0]
    assert [score.total for score in scorer(models, combine="sum", veto=True, veto_value=50).score_many(ITEMS)][1:] == [-50.0, -50.0]


def test_the_veto_spares_a_rule_that_is_switched_off() -> None:
    rules = shipped_spec().body()["rules"] | {"promises": 0}
    assert not scorer([2.0], veto=True, rules=rules).score_many(ITEMS[1:2])[0].vetoed


@settings(max_examples=30)
@given(st.lists(st.floats(-100, 100), min_size=3, max_size=3), st.floats(0.5, 50))
def test_no_reply_without_a_severe_breach_is_as_low_as_one_with(models: list[float], value: float) -> None:
    good, *severe = scorer(models, [BADLY] * 3, veto=True, veto_value=value).score_many(ITEMS)
    assert all(score.total < good.total for score in severe)


def test_figures_of_a_batch() -> None:
    scores = scorer([1.0, -1.0, 0.5], [WELL, WELL, BADLY], veto=True).score_many(ITEMS)
    found = figures(scores, spec())
    assert found.to_json() == {
        "replies": 3,
        "model": pytest.approx(1 / 6),
        "disliked": pytest.approx(1 / 3),
        "judge": pytest.approx((88 + 88 - 112) / 3),
        "judge_missing": 0,
        "functions": pytest.approx(-160 / 3),
        "enhanced": pytest.approx((88 + 28 - 100) / 3),
        "saturated": pytest.approx(1 / 3),
        "total": pytest.approx((1.88 - 20) / 3),
        "total_deviation": pytest.approx(float(np.std([1.88, -10, -10]))),
        "vetoed": 2,
        "broken": {"promises": 1, "internal_words": 1},
    }


def test_figures_of_nothing_are_refused() -> None:
    with pytest.raises(RewardError, match="the batch is empty"):
        figures([], spec())


def test_the_same_replies_get_the_same_scores() -> None:
    def once() -> list[Score]:
        return scorer([1.0, -1.0, 0.5], [WELL, None, BADLY]).score_many(ITEMS)

    assert once() == once()
