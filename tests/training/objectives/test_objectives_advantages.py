"""Advantages against plain loops, closed forms and the figures that the papers' formulas give by hand."""

import math
import statistics

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from training.objectives.advantages import (
    ShapeError,
    answer_confidence,
    care_bonus,
    decoupled,
    frozen_value,
    gae,
    gdpo,
    group_zscore,
    moments,
    ranks,
    returns_to_go,
    token_rewards,
    whiten,
)

torch.set_num_threads(1)

untimed = settings(max_examples=60)
numbers = st.floats(-5, 5, allow_nan=False, width=32)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def random_mask(rows: int, columns: int, seed: int) -> Tensor:
    return (torch.rand(rows, columns, generator=torch.Generator().manual_seed(seed)) < 0.7).to(torch.float64)


def looped_gae(rewards: list[float], values: list[float], gamma: float, lam: float) -> list[float]:
    """Each advantage as its own sum of discounted TD errors, over the tokens of one reply."""
    deltas = [
        rewards[t] + gamma * (values[t + 1] if t + 1 < len(values) else 0.0) - values[t] for t in range(len(values))
    ]  # fmt: skip
    return [sum((gamma * lam) ** (k - t) * deltas[k] for k in range(t, len(deltas))) for t in range(len(deltas))]


# --- tokens


@untimed
@given(
    seed=st.integers(0, 2**16),
    columns=st.integers(1, 9),
    gamma=st.sampled_from([1.0, 0.97, 0.5]),
    lam=st.sampled_from([0.0, 0.5, 0.95, 1.0]),
)
def test_gae_is_the_plain_loop_over_the_unmasked_tokens(seed: int, columns: int, gamma: float, lam: float):
    mask, rewards, values = random_mask(4, columns, seed), random(4, columns, seed=seed), random(4, columns, seed=seed + 1)
    unknown = torch.where(mask.bool(), 0.0, torch.nan)
    advantages, returns = gae(rewards + unknown, values + unknown, mask, gamma=gamma, lam=lam)
    for row in range(4):
        there = mask[row].bool()
        expected = torch.tensor(looped_gae(rewards[row][there].tolist(), values[row][there].tolist(), gamma, lam), dtype=torch.float64)
        torch.testing.assert_close(advantages[row][there], expected)
        torch.testing.assert_close(returns[row][there], expected + values[row][there])
    assert (advantages[~mask.bool()] == 0).all()
    assert (returns[~mask.bool()] == 0).all()


def test_gae_without_discount_is_the_rewards_to_come_less_the_value():
    rewards, values = random(3, 7), random(3, 7, seed=1)
    advantages, returns = gae(rewards, values, torch.ones(3, 7), gamma=1.0, lam=1.0)
    to_come = rewards.flip(1).cumsum(1).flip(1)
    torch.testing.assert_close(advantages, to_come - values)
    torch.testing.assert_close(returns, to_come)


def test_gae_without_traces_is_the_one_step_error():
    rewards, values = random(3, 7), random(3, 7, seed=1)
    advantages, _ = gae(rewards, values, torch.ones(3, 7), gamma=0.9, lam=0.0)
    following = torch.cat([values[:, 1:], torch.zeros(3, 1, dtype=torch.float64)], dim=1)
    torch.testing.assert_close(advantages, rewards + 0.9 * following - values)


def test_a_perfect_critic_leaves_no_advantage():
    total, mask = torch.tensor([2.0, -1.0]), torch.tensor([[1.0, 1.0, 1.0, 0.0], [0.0, 1.0, 1.0, 1.0]])
    rewards = token_rewards(total, torch.zeros(2, 4), mask, beta=0.0)
    advantages, returns = gae(rewards, returns_to_go(total, mask, gamma=0.9), mask, gamma=0.9, lam=0.95)
    torch.testing.assert_close(advantages, torch.zeros(2, 4))
    torch.testing.assert_close(returns, returns_to_go(total, mask, gamma=0.9))


def test_returns_to_go_count_the_unmasked_tokens_to_the_end():
    mask = torch.tensor([[1.0, 0.0, 1.0, 1.0, 0.0]])
    torch.testing.assert_close(returns_to_go(torch.tensor([8.0]), mask, gamma=0.5), torch.tensor([[2.0, 0.0, 4.0, 8.0, 0.0]]))


def test_a_total_is_paid_once_at_the_last_unmasked_token_and_the_penalty_at_each():
    mask = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    kl = torch.tensor([[0.1, 0.2, torch.nan], [9.0, 0.0, 0.5], [1.0, 1.0, 1.0]])
    rewards = token_rewards(torch.tensor([1.0, -2.0, 5.0]), kl, mask, beta=0.5)
    torch.testing.assert_close(rewards, torch.tensor([[-0.05, 0.9, 0.0], [0.0, 0.0, -2.25], [0.0, 0.0, 0.0]]))


def test_arguments_stay_as_they_were():
    rewards, values, mask = random(2, 3), random(2, 3, seed=1), torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    before = [x.clone() for x in (rewards, values, mask)]
    gae(rewards, values, mask)
    whiten(rewards, mask)
    frozen_value(values, mask, difference=True)
    token_rewards(rewards.sum(1), values, mask, beta=1.0)
    gdpo(rewards.unsqueeze(2), torch.ones(1, dtype=torch.float64), mask=mask.unsqueeze(2))
    assert all(now.equal(then) for now, then in zip((rewards, values, mask), before, strict=True))


def test_tensors_that_do_not_lie_side_by_side_are_refused_by_name():
    with pytest.raises(ShapeError, match=r"values has shape \(2,\), expected \(2, 2\)"):
        gae(torch.zeros(2, 2), torch.zeros(2), torch.ones(2, 2))
    with pytest.raises(ShapeError, match="weights has shape"):
        gdpo(torch.zeros(2, 2, 3), torch.ones(2))


# --- whitening


def test_whitening_gives_mean_zero_and_unit_deviation_over_what_is_there():
    x, mask = 3 + 5 * random(4, 6), random_mask(4, 6, seed=3)
    there = whiten(torch.where(mask.bool(), x, torch.nan), mask)[mask.bool()].tolist()
    assert statistics.fmean(there) == pytest.approx(0, abs=1e-12)
    assert statistics.stdev(there) == pytest.approx(1, abs=1e-6)
    kept = whiten(x, mask, shift_mean=False)[mask.bool()].tolist()
    assert statistics.fmean(kept) == pytest.approx(statistics.fmean(x[mask.bool()].tolist()))


def test_two_processes_that_add_their_moments_whiten_as_one():
    x, mask = 3 + 5 * random(4, 6), random_mask(4, 6, seed=3)
    whole = whiten(x, mask)
    shared = moments(x[:1], mask[:1]) + moments(x[1:], mask[1:])
    parts = torch.cat([whiten(x[:1], mask[:1], shared=shared), whiten(x[1:], mask[1:], shared=shared)])
    torch.testing.assert_close(parts, whole)
    apart = torch.cat([whiten(x[:1], mask[:1]), whiten(x[1:], mask[1:])])
    assert (apart - whole).abs().max() > 0.05


@pytest.mark.parametrize("mask", [torch.zeros(2, 2), torch.tensor([[0.0, 1.0], [0.0, 0.0]]), torch.ones(2, 2)])
def test_what_does_not_vary_is_whitened_to_zero(mask: Tensor):
    assert whiten(torch.full((2, 2), 0.1), mask).abs().max() < 1e-4


# --- groups


def test_group_zscores_are_grpos():
    rewards = [[0.0, 0.1, 0.2, 10.0], [3.0, 1.0, 2.0, 1.0]]
    expected = [[(r - statistics.fmean(row)) / (statistics.stdev(row) + 1e-4) for r in row] for row in rewards]
    torch.testing.assert_close(group_zscore(torch.tensor(rewards)), torch.tensor(expected))
    assert [round(a, 2) for a in group_zscore(torch.tensor(rewards))[0].tolist()] == [-0.52, -0.5, -0.48, 1.5]


@given(value=numbers, size=st.integers(1, 9))
@untimed
def test_a_group_of_one_value_has_no_advantage(value: float, size: int):
    rewards = torch.full((2, size), value)
    assert (group_zscore(rewards) == 0).all()
    assert (ranks(rewards) == 0).all()
    assert (gdpo(rewards.unsqueeze(2), torch.ones(1)) == 0).all()


def test_ranks_of_gopo():
    rewards = torch.tensor([[0.0, 0.1, 0.2, 10.0], [7.0, 7.0, 7.0, 7.0], [1.0, 5.0, 1.0, -3.0]])
    expected = [[-2, -2 / 3, 2 / 3, 2], [0, 0, 0, 0], [0, 2, 0, -2]]
    torch.testing.assert_close(ranks(rewards), torch.tensor(expected))


@pytest.mark.parametrize(("size", "squares", "deviation"), [(8, 13.7, 1.40), (16, 24.2, 1.27)])
def test_ranks_are_larger_than_z_scores_until_set_to_unit_deviation(size: int, squares: float, deviation: float):
    rewards = random(1, size)
    assert float(ranks(rewards).square().sum()) == pytest.approx(squares, abs=0.05)
    assert float(ranks(rewards).std()) == pytest.approx(deviation, abs=0.005)
    assert float(ranks(rewards, unit_std=True).square().sum()) == pytest.approx(size - 1)
    assert float(group_zscore(rewards).square().sum()) == pytest.approx(size - 1, rel=1e-3)


@given(row=st.lists(st.integers(-40, 40), min_size=2, max_size=12))
@untimed
def test_ranks_are_average_ranks_and_sum_to_zero(row: list[int]):
    advantages = ranks(torch.tensor([row], dtype=torch.float64))[0].tolist()
    place = {value: 1 + sum(other > value for other in row) + (row.count(value) - 1) / 2 for value in row}
    assert advantages == pytest.approx([2 - 4 * (place[value] - 1) / (len(row) - 1) for value in row])
    assert sum(advantages) == pytest.approx(0, abs=1e-9)


@given(row=st.lists(st.integers(-40, 40), min_size=2, max_size=12))
@untimed
def test_ranks_do_not_see_a_monotone_warp(row: list[int]):
    rewards = torch.tensor([row], dtype=torch.float64)
    for warped in (rewards**3, rewards.exp(), 10 * rewards - 7, rewards.sinh()):
        assert ranks(warped).equal(ranks(rewards))


def test_differences_inside_the_tie_band_are_ties():
    rewards = torch.tensor([[1.00, 1.04, 3.0], [0.0, 0.5, 1.0]])
    torch.testing.assert_close(ranks(rewards, tie_band=0.1), torch.tensor([[-1.0, -1.0, 2.0], [-2.0, 0.0, 2.0]]))


# --- several rewards


def test_two_binary_rewards_are_told_apart_where_grpo_cannot():
    pairs = torch.tensor([[[0.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [1.0, 1.0]], [[0.0, 1.0], [1.0, 1.0]]])
    half, root = math.sqrt(0.5), math.sqrt(2)
    torch.testing.assert_close(decoupled(pairs, torch.ones(2)), torch.tensor([[-half, half], [-root, root], [-half, half]]))
    summed = group_zscore(pairs.sum(2))
    assert [[round(a, 3) for a in row] for row in summed.tolist()] == [[-0.707, 0.707]] * 3


@pytest.mark.parametrize(("kinds", "of_grpo", "of_gdpo"), [(2, 7, 14), (3, 14, 45)])
def test_gdpo_tells_more_patterns_of_binary_rewards_apart(kinds: int, of_grpo: int, of_gdpo: int):
    """Four replies, up to their order: how many different advantages come out of all the rewards there are."""
    count = 4 * kinds
    everything = ((torch.arange(2**count).unsqueeze(1) >> torch.arange(count)) & 1).reshape(-1, 4, kinds).double()

    def patterns(advantages: Tensor) -> int:
        return len({tuple(row) for row in advantages.sort(1).values.mul(1e3).round().add(0.0).tolist()})

    assert patterns(group_zscore(everything.sum(2))) == of_grpo
    assert patterns(decoupled(everything, torch.ones(kinds, dtype=torch.float64))) == of_gdpo


def looped_gdpo(rewards: Tensor, weights: list[float], mask: Tensor, floor: float) -> Tensor:
    groups, size, kinds = rewards.shape
    summed = torch.zeros(groups, size, dtype=torch.float64)
    for n in range(groups):
        for k in range(kinds):
            there = [i for i in range(size) if mask[n, i, k]]
            if len(there) < 2:
                continue
            found = [float(rewards[n, i, k]) for i in there]
            mean, deviation = statistics.fmean(found), max(statistics.stdev(found), floor)
            for i, reward in zip(there, found, strict=True):
                summed[n, i] += weights[k] * (reward - mean) / deviation
    counted = [float(summed[n, i]) for n in range(groups) for i in range(size) if mask[n, i].any()]
    mean, deviation = statistics.fmean(counted), statistics.stdev(counted)
    return torch.where(mask.bool().any(2), (summed - mean) / math.sqrt(deviation**2 + 1e-8), torch.zeros_like(summed))


@untimed
@given(seed=st.integers(0, 2**16), floor=st.sampled_from([0.0, 0.8]))
def test_gdpo_is_the_plain_loop_over_what_is_known(seed: int, floor: float):
    rewards, weights = random(3, 4, 3, seed=seed), [1.0, 0.5, 2.0]
    mask = (torch.rand(3, 4, 3, generator=torch.Generator().manual_seed(seed)) < 0.8).double()
    mask[0] = 1
    given_rewards = torch.where(mask.bool(), rewards, torch.nan)
    advantages = gdpo(given_rewards, torch.tensor(weights, dtype=torch.float64), mask=mask, sigma_floor=floor)
    torch.testing.assert_close(advantages, looped_gdpo(rewards, weights, mask, floor))


@untimed
@given(seed=st.integers(0, 2**16), kind=st.integers(0, 2), power=st.integers(-6, 6))
def test_gdpo_does_not_see_the_scale_of_a_reward(seed: int, kind: int, power: int):
    """A power of two changes no digit of a float, so that the advantages are the same to the last bit."""
    rewards, scales = random(3, 4, 3, seed=seed), torch.ones(3, dtype=torch.float64)
    scales[kind] = 2.0**power
    ones = torch.ones(3, dtype=torch.float64)
    assert gdpo(rewards * scales, ones).equal(gdpo(rewards, ones))
    scales[kind] = 10.0
    torch.testing.assert_close(gdpo(rewards * scales, ones), gdpo(rewards, ones))


def test_a_reward_that_hardly_varies_is_only_blown_up_without_a_floor():
    rewards = torch.zeros(1, 8, 1)
    rewards[0, 0, 0] = 1e-3
    assert float(decoupled(rewards, torch.ones(1)).max()) == pytest.approx(2.475, abs=1e-3)
    assert float(decoupled(rewards, torch.ones(1), sigma_floor=torch.tensor([0.1])).max()) == pytest.approx(0.00875, abs=1e-5)


def test_a_missing_reward_is_not_a_reward_of_zero():
    rewards = torch.tensor([[[5.0], [6.0], [torch.nan]]])
    mask = torch.tensor([[[1.0], [1.0], [0.0]]])
    half = math.sqrt(0.5)
    torch.testing.assert_close(decoupled(rewards, torch.ones(1), mask=mask), torch.tensor([[-half, half, 0.0]]))
    as_zero = decoupled(rewards.nan_to_num(0.0), torch.ones(1))
    assert as_zero[0, 0] > 0  # the worst of the known ones would look good


# --- a frozen value, a bonus


def test_a_frozen_value_is_centred_or_stepwise():
    mask = torch.tensor([[1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    q = torch.tensor([[1.0, 2.0, 6.0], [torch.nan, 3.0, 3.0]])
    torch.testing.assert_close(frozen_value(q, mask), torch.tensor([[-2.0, -1.0, 3.0], [0.0, 0.0, 0.0]]))
    torch.testing.assert_close(frozen_value(q, mask, difference=True), torch.tensor([[-1.0, 1.0, 4.0], [0.0, 1.0, 0.0]]))
    start = torch.tensor([0.5, 0.25])
    torch.testing.assert_close(frozen_value(q, mask, difference=True, start=start), torch.tensor([[0.5, 1.0, 4.0], [0.0, 2.75, 0.0]]))


@untimed
@given(seed=st.integers(0, 2**16))
def test_the_steps_of_a_frozen_value_add_up_to_what_was_gained(seed: int):
    mask, q, start = random_mask(4, 6, seed), random(4, 6, seed=seed), random(4, seed=seed + 1)
    steps = frozen_value(q, mask, difference=True, start=start)
    for row in range(4):
        there = q[row][mask[row].bool()]
        gained = float(there[-1] - start[row]) if len(there) else 0.0
        assert float(steps[row].sum()) == pytest.approx(gained)


def test_confidence_is_the_geometric_mean_of_the_answers_probabilities():
    logp = torch.tensor([[0.5, 0.9, 0.4], [0.99, 0.99, 0.99], [0.1, 0.1, 0.1]]).log()
    answer = torch.tensor([[0.0, 1.0, 1.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    torch.testing.assert_close(answer_confidence(logp, answer), torch.tensor([0.6, 0.95, 0.0]))


def test_the_care_bonus_goes_to_good_replies_that_follow_their_plan():
    accuracy = torch.tensor([[1.0, 1.0, 0.0, 0.0], [0.05, 0.0, 0.0, 0.0], [0.5, 1.0, 1.0, 0.9]])
    confidence = torch.tensor([[0.9, 0.3, 0.95, 0.1], [0.9, 0.9, 0.9, 0.9], [0.9, 0.80, 0.79, 0.9]])
    expected = torch.tensor([[0.5, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.45]])
    torch.testing.assert_close(care_bonus(accuracy, confidence), expected)
    wide = care_bonus(accuracy, confidence, margin=0.05, coefficient=1.0)
    torch.testing.assert_close(wide[2], torch.tensor([0.0, 1.0, 1.0, 0.9]))
