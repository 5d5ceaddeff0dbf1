import math
from itertools import product

import numpy as np
import pytest
from scipy.stats import binomtest, bootstrap

from tests.training.bench.bench_figures import case, dialogue, policy, rated
from training.bench.statistics import FIGURES, NotComparable, compare, estimate, figure, holm, pass_k, sign_flip, table

RATINGS = [float(x) for x in np.random.default_rng(0).normal(3.5, 0.5, 60).clip(1, 5)]


def test_every_figure_is_a_ratio_of_sums() -> None:
    arm = policy(
        [dialogue(1, rooms_possible=3, rooms_agreed=3, captured=0.2, rooms=3, unmeant=1, replies=20, violated=5, severe=2, tokens=1000,
                  stars=[4.0] * 6 + [2.0, 3.0]),
         dialogue(2, rooms_possible=1, rooms_agreed=0, captured=0.0, replies=5, unreadable=2, tokens=500),
         dialogue(3, rooms_possible=0, rooms_agreed=0, captured=None, excellent=True, rating=4.5)],
        [case("one", clean=False), case("two", fixed=False, clean=False), case("three")],
    )  # fmt: skip
    (row,) = table({"arm": [arm]}).values()
    found = {name: estimated.value for name, estimated in row.items()}
    assert found == pytest.approx(
        {"rating": 3.5, "later": 2.5,
         "excellent": 1 / 3, "fix": 2 / 3, "clean_fix": 1 / 3, "residual": 4 / 3, "agreement": 3 / 4, "captured": 0.6 / 4,
         "turns": 11, "responded": 1.0, "goodwill": 0.5, "unreadable": 2 / 31, "violated": 5 / 31, "severe": 2 / 31, "faulted": 0,
         "unmeant": 1 / 5, "tokens": 1800 / 31}
    )  # fmt: skip
    assert list(found) == [known.name for known in FIGURES]
    assert all(estimated.low <= estimated.value <= estimated.high for estimated in row.values())


def test_what_nothing_was_counted_for_is_missing() -> None:
    row = table({"arm": [policy([dialogue(1, rooms_possible=0, rooms_agreed=0, captured=None)])]})["arm"]
    assert {known.name for known in FIGURES} - row.keys() == {"later", "fix", "clean_fix", "residual", "agreement", "captured"}


def test_of_one_seed_the_interval_is_the_bootstrap_over_dialogues() -> None:
    found = estimate([rated(RATINGS)], figure("rating"))
    reference = bootstrap((RATINGS,), np.mean, method="percentile", n_resamples=9_999, rng=np.random.default_rng(1)).confidence_interval
    assert found is not None
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high), abs=0.02)


def test_seeds_that_met_the_same_hotels_do_not_count_as_more_hotels() -> None:
    one = estimate([rated(RATINGS)], figure("rating"))
    crossed = estimate([rated(RATINGS)] * 4, figure("rating"))
    apart = estimate([rated(RATINGS, seed=seed) for seed in range(4)], figure("rating"))
    assert one is not None
    assert crossed is not None
    assert apart is not None
    assert crossed.high - crossed.low == pytest.approx(one.high - one.low, rel=0.1)
    assert apart.high - apart.low == pytest.approx((one.high - one.low) / 2, rel=0.15)


def test_the_scatter_between_seeds_is_in_the_interval() -> None:
    alike = estimate([rated([3.0] * 40) for _ in range(3)], figure("rating"))
    scattered = estimate([rated([3.0 + shift] * 40) for shift in (-0.4, 0.0, 0.4)], figure("rating"))
    assert alike is not None
    assert scattered is not None
    assert alike.low == alike.high == pytest.approx(3.0)
    # The mean of three draws of three: two of 27 are the extremes, so the percentiles are at -0.4 and 0.4.
    assert (scattered.low, scattered.high) == pytest.approx((2.6, 3.4))


def test_seeds_of_an_arm_are_measured_alike() -> None:
    with pytest.raises(NotComparable, match="different numbers"):
        table({"arm": [rated([3.0, 4.0]), rated([3.0])]})
    with pytest.raises(ValueError, match="at least one seed"):
        table({"arm": []})


@pytest.mark.parametrize("differences", [[1.0, 1.0, 1.0], [0.5, -0.25, 1.0, 2.0, -0.1, 0.7], [0.3, -0.3], [0.0, 1.0, 1.0, 0.0], [0.4]])
def test_signs_are_flipped_as_by_hand(differences: list[float]) -> None:
    seen = abs(sum(differences))
    all_signs = list(product((-1, 1), repeat=len(differences)))
    as_far = sum(abs(sum(s * d for s, d in zip(signs, differences, strict=True))) >= seen - 1e-12 for signs in all_signs)
    assert sign_flip(differences) == pytest.approx(as_far / len(all_signs))


def test_flipping_the_signs_of_cases_is_the_exact_test_of_mcnemar() -> None:
    for better, worse in ((9, 1), (7, 3), (5, 5), (11, 0)):
        assert sign_flip([1.0] * better + [-1.0] * worse) == pytest.approx(binomtest(better, better + worse).pvalue)


def test_no_difference_is_no_evidence() -> None:
    assert sign_flip([0.0, 0.0]) == 1.0


def test_a_ratio_is_tested_by_exchanging_both_of_its_sums_as_by_hand() -> None:
    ours, theirs = [(1, 20), (1, 12), (0, 9), (1, 30), (2, 11), (0, 14)], [(1, 22), (0, 12), (0, 15), (1, 26), (0, 17), (1, 15)]

    def apart(exchanged: tuple[bool, ...]) -> float:
        pairs = [(b, a) if swap else (a, b) for a, b, swap in zip(ours, theirs, exchanged, strict=True)]
        (of, per), (other_of, other_per) = ([sum(part) for part in zip(*side, strict=True)] for side in zip(*pairs, strict=True))
        return abs(of / per - other_of / other_per)

    all_exchanges = list(product((False, True), repeat=len(ours)))
    as_far = sum(apart(exchanged) >= apart((False,) * len(ours)) - 1e-12 for exchanged in all_exchanges)
    arms = [policy([dialogue(n, replies=per, severe=of) for n, (of, per) in enumerate(one)]) for one in (ours, theirs)]
    assert compare([arms[0]], [arms[1]], "severe").p == pytest.approx(as_far / len(all_exchanges))


def test_two_more_breaches_are_no_evidence_though_others_broke_rules_with_both() -> None:
    # 24 hotels, 6 breaches and 4: four of the hotels had one with each. The signs of the parts of the difference gave 0.03.
    replies = [10 + n % 8 for n in range(24)]
    ours = policy([dialogue(n, replies=replies[n] - (n == 20), severe=int(n < 6)) for n in range(24)])
    theirs = policy([dialogue(n, replies=replies[(5 * n + 3) % 24], severe=int(n < 4)) for n in range(24)])
    assert compare([ours], [theirs], "severe").p > 0.2


def test_a_clear_difference_by_pairs_is_found_where_hotels_differ_more() -> None:
    noise = np.random.default_rng(2).normal(0.15, 0.2, len(RATINGS))
    better = rated([float(x) for x in (np.array(RATINGS) + noise).clip(1, 5)])
    found = compare([better], [rated(RATINGS)])
    assert found.value == pytest.approx(np.mean([d.rating for d in better.dialogues]) - np.mean(RATINGS))
    assert 0 < found.low < found.value < found.high
    assert found.p <= 0.001
    assert found.pairs == 60
    mirrored = compare([rated(RATINGS)], [better])
    assert (mirrored.value, mirrored.low, mirrored.high, mirrored.p) == pytest.approx((-found.value, -found.high, -found.low, found.p))


def test_equal_arms_differ_in_about_one_test_of_twenty() -> None:
    rng = np.random.default_rng(3)
    ps = [compare([rated(list(rng.uniform(2, 4, 30)))], [rated(list(rng.uniform(2, 4, 30)))]).p for _ in range(60)]
    assert 0 <= sum(p < 0.05 for p in ps) <= 8
    assert 0.3 < float(np.mean(ps)) < 0.7


def test_seeds_are_compared_seed_by_seed() -> None:
    lower = [rated([3.0 + shift] * 20) for shift in (-0.5, 0.0, 0.5)]
    upper = [rated([3.2 + shift] * 20) for shift in (-0.5, 0.0, 0.5)]
    found = compare(upper, lower)
    assert (found.low, found.value, found.high) == pytest.approx((0.2, 0.2, 0.2))
    apart = compare(upper[:2], lower)
    assert apart.low < 0 < apart.high


def test_ratios_are_compared_too() -> None:
    upper = policy([dialogue(1, rooms_possible=3, rooms_agreed=3), dialogue(2, rooms_possible=1, rooms_agreed=1)])
    lower = policy([dialogue(1, rooms_possible=3, rooms_agreed=0), dialogue(2, rooms_possible=1, rooms_agreed=1)])
    assert compare([upper], [lower], "agreement").value == pytest.approx(3 / 4)


def test_cases_are_compared_case_by_case_over_their_copies() -> None:
    names = [f"case {number}" for number in range(10)]
    upper = policy([dialogue(1)], [case(name, copy_number=copy) for copy in (0, 1) for name in names])
    lower = policy([dialogue(1)], [case(name, fixed=name == "case 0", clean=False, copy_number=copy) for copy in (0, 1) for name in names])
    found = compare([upper], [lower], "fix")
    assert (found.value, found.pairs) == (pytest.approx(0.9), 10)
    assert found.p == pytest.approx(2 / 2**9)


def test_arms_that_met_other_hotels_are_not_compared() -> None:
    with pytest.raises(NotComparable, match="same hotels"):
        compare([rated([3.0, 4.0])], [rated([3.0, 4.0], seed=2)])
    with pytest.raises(NotComparable, match="same hotels"):
        compare([rated([3.0, 4.0])], [rated([3.0, 4.0, 5.0])])
    with pytest.raises(NotComparable, match="nothing was counted"):
        compare([rated([3.0])], [rated([3.0])], "fix")
    with pytest.raises(KeyError):
        compare([rated([3.0])], [rated([3.0])], "charm")


def test_holm_raises_the_least_p_most() -> None:
    assert holm({"a": 0.03, "b": 0.01, "c": 0.02, "d": 0.5}) == pytest.approx({"a": 0.06, "b": 0.04, "c": 0.06, "d": 0.5})
    assert holm({"a": 0.7, "b": 0.8}) == pytest.approx({"a": 1.0, "b": 1.0})
    assert holm({}) == {}


def test_pass_k_is_the_chance_that_k_of_a_persona_all_succeed() -> None:
    sceptics = [dialogue(number, rooms_agreed=int(number != 4)) for number in range(1, 5)]
    newcomers = [dialogue(number, persona="newcomer") for number in range(5, 8)]
    hopeless = dialogue(8, rooms_possible=0, rooms_agreed=0, captured=None)
    arm = [policy([*sceptics, *newcomers, hopeless])]
    assert pass_k(arm, 1) == pytest.approx((3 / 4 + 1) / 2)
    assert pass_k(arm, 2) == pytest.approx((math.comb(3, 2) / math.comb(4, 2) + 1) / 2)
    assert pass_k(arm, 4) == pytest.approx(0.0)
    assert pass_k(arm, 5) is None
    half = dialogue(1, rooms=2, rooms_possible=2, rooms_agreed=1)
    assert pass_k([policy([half])], 1) == 0.0
    with pytest.raises(ValueError, match="k of 1 or more"):
        pass_k(arm, 0)
