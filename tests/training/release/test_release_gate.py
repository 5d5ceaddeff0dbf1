"""The gate decides by what was measured, and says why."""

import random
from collections.abc import Sequence

import pytest

from tests.training.bench.bench_figures import case, dialogue, policy
from training.bench.measures import CaseFigures, PolicyFigures
from training.bench.statistics import NotComparable
from training.release.gate import Criterion, GateSettings, Verdict, decide

CASES = [f"case-{number}" for number in range(12)]


def answers(fixed: Sequence[bool] = (True, True, True)) -> list[CaseFigures]:
    return [case(name, fixed=each, copy_number=copy) for name in CASES for copy, each in enumerate(fixed)]


def version(rating: float, *, seed: int = 3, cases: Sequence[CaseFigures] | None = None, **each: float) -> PolicyFigures:
    """A version with about this rating on the same 40 hotels as every other."""
    rng = random.Random(f"{rating}:{each}")
    held = [dialogue(number, rating=min(5.0, max(1.0, rating + rng.gauss(0, 0.3))), **each) for number in range(1, 41)]
    return policy(held, answers() if cases is None else cases, seed=seed)


def found(criteria: Sequence[Criterion]) -> dict[str, bool]:
    return {criterion.name: criterion.met for criterion in criteria}


def failed(criteria: Sequence[Criterion]) -> list[str]:
    return [criterion.name for criterion in criteria if not criterion.met]


LIVE = version(3.2)


def test_a_better_version_passes_all() -> None:
    criteria = decide(version(3.7), LIVE, kl=0.1)
    assert failed(criteria) == []
    assert Verdict(candidate="a", live="b", criteria=criteria, settings=GateSettings()).passed
    (better, *_) = criteria
    assert better.figures["gain"] == pytest.approx(0.5, abs=0.2)
    assert better.figures["p"] < 0.01


@pytest.mark.parametrize("rating", [2.7, 3.2])
def test_a_worse_one_and_an_equal_one_do_not(rating: float) -> None:
    criteria = decide(version(rating, turns=12), LIVE, kl=0.1)
    assert failed(criteria) == ["better"]
    assert "p below 0.05" in criteria[0].says


def test_the_very_same_version_is_not_better() -> None:
    criteria = decide(LIVE, LIVE, kl=0.0)
    assert failed(criteria) == ["better"]
    assert criteria[0].figures == {"gain": 0.0, "low": 0.0, "high": 0.0, "p": 1.0}


def test_a_gain_of_the_margin_is_enough_where_one_is_set() -> None:
    live, candidate = (policy([dialogue(1, rating=rating), dialogue(2, rating=rating)], answers()) for rating in (3.0, 3.5))
    assert failed(decide(candidate, live, kl=0.0)) == ["better"]  # two pairs are no proof
    assert failed(decide(candidate, live, kl=0.0, settings=GateSettings(margin=0.3))) == []
    assert failed(decide(candidate, live, kl=0.0, settings=GateSettings(margin=0.6))) == ["better"]


def test_severe_breaches_are_held_against_what_is_live_and_against_a_share() -> None:
    assert failed(decide(version(3.7, severe=1), LIVE, kl=0.1)) == ["severe"]  # one in six replies
    both = version(3.2, severe=1), version(3.7, severe=1)
    assert failed(decide(both[1], both[0], kl=0.1)) == ["severe"]
    assert failed(decide(both[1], both[0], kl=0.1, settings=GateSettings(severe=0.2))) == []


def test_answers_that_are_no_reply_may_not_become_more() -> None:
    assert failed(decide(version(3.7, unreadable=1), LIVE, kl=0.1)) == ["unreadable"]
    assert failed(decide(version(3.7), version(3.2, unreadable=1), kl=0.1)) == []


def test_a_fixed_case_may_not_break() -> None:
    broken = [case(one.case, fixed=one.case != "case-4", copy_number=one.copy_number) for one in answers()]
    criteria = decide(version(3.7, cases=broken), LIVE, kl=0.1)
    assert failed(criteria) == ["kept"]
    assert [one.says for one in criteria if one.name == "kept"] == ["1 of 12 are broken: case-4"]


def test_a_case_that_is_fixed_now_and_then_is_not_broken() -> None:
    assert found(decide(version(3.7, cases=answers((True, False, False))), LIVE, kl=0.1))["kept"]
    assert found(decide(version(3.7, cases=answers((False, False, False))), version(3.2, cases=answers((True, False, True))), kl=0.1))[
        "kept"
    ]


def test_many_cases_that_are_fixed_less_often_are_worse_than_chance() -> None:
    criteria = decide(version(3.7, cases=answers((True, False, False))), LIVE, kl=0.1)
    assert failed(criteria) == ["fix"]


def test_two_answers_to_a_case_are_too_few_to_call_it_broken() -> None:
    few = [one for one in answers() if one.copy_number < 2]
    lost = [case(one.case, fixed=one.case != "case-4", copy_number=one.copy_number) for one in few]
    assert failed(decide(version(3.7, cases=lost), version(3.2, cases=few), kl=0.1)) == []


@pytest.mark.parametrize(("tokens", "met"), [(300, True), (440, True), (460, False), (210, True), (190, False)])
def test_replies_stay_about_as_long(tokens: int, met: bool) -> None:
    assert found(decide(version(3.7, tokens=tokens), LIVE, kl=0.1))["length"] is met


def test_a_candidate_far_from_the_base_is_refused() -> None:
    assert failed(decide(version(3.7), LIVE, kl=1.2)) == ["kl"]
    assert failed(decide(version(3.7), LIVE, kl=1.2, settings=GateSettings(kl=2.0))) == []


def test_versions_that_met_other_hotels_are_not_compared() -> None:
    with pytest.raises(NotComparable):
        decide(version(3.7, seed=4), LIVE, kl=0.1)


def test_a_verdict_without_criteria_is_no_pass() -> None:
    assert not Verdict(candidate="a", live="b", criteria=(), settings=GateSettings()).passed
