"""The measures of the benchmark of reward sources, on scores whose order is known."""

import pytest

from benchmarks.reward_sources import REWARDS, Answer, liked_best, pairs
from training.rewards.model.report import accuracy
from training.rewards.scoring import Score
from training.snapshots import ContextRow, SimulatedSettings, simulated_rows


@pytest.fixture(scope="module")
def rows() -> list[ContextRow]:
    return list(simulated_rows(settings=SimulatedSettings(contexts=2, per_hotel=1, seed=3)).contexts)


def answer(row: ContextRow, worth: float, model: float, judge: float | None = None) -> Answer:
    return Answer(row=row, worth=worth, score=Score(model=model, judge=judge, functions=0.0, enhanced=judge or 0.0, total=model, spec=1))


def test_that_pairs_too_close_to_call_are_left_out(rows: list[ContextRow]) -> None:
    group = [answer(rows[0], 3.0, 1.0), answer(rows[0], 3.2, -1.0), answer(rows[0], 4.0, 0.5)]
    found = list(pairs([group, [answer(rows[1], 1.0, 9.0)]], lambda score: score.model))
    # 3.0 and 3.2 are one to the experts; 4.0 loses to the first reply and wins against the second.
    assert sorted(pair.gap for pair in found) == [-0.5, 1.5]
    assert accuracy(found).value == 0.5
    assert {pair.hotel for pair in found} == {rows[0].hotel}


def test_that_favourites_of_equal_reward_count_by_their_mean(rows: list[ContextRow]) -> None:
    groups = [
        [answer(rows[0], 2.0, 1.0), answer(rows[0], 4.0, 1.0), answer(rows[0], 5.0, 0.0)],
        [answer(rows[1], 1.0, 0.3), answer(rows[1], 2.0, -0.3)],
    ]
    found = liked_best(groups, lambda score: score.model)
    assert (found.value, found.n) == (pytest.approx((3.0 + 1.0) / 2), 2)


def test_that_a_judgement_that_is_missing_leaves_the_reward_model_to_speak(rows: list[ContextRow]) -> None:
    score = answer(rows[0], 3.0, -0.5).score
    assert REWARDS["sum, x 10"](score) == REWARDS["without RJ"](score) == -0.5
    judged = answer(rows[0], 3.0, -0.5, judge=50.0).score
    assert REWARDS["sum, x 10"](judged) == pytest.approx(4.5)
    assert REWARDS["without RF"](judged) == pytest.approx(-0.25)
