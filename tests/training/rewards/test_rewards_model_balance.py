"""Balanced weights: length says nothing about who wins, no pair is lost, and the loss weighs what it is told to."""

import random
from collections import defaultdict

import pytest
import torch
from reward_rows import emitted, prompt

from training.rewards.model.balance import EDGES, HEAVIEST, balanced
from training.rewards.model.comparisons import Compared, Comparison, prompt_of
from training.rewards.model.trainer import preference_loss

SHORT = "x" * 20


def group(number: int, *outcomes: tuple[int, bool]) -> Compared:
    """For each (difference in characters, whether the longer reply wins) a comparison."""
    made = Compared(prompt=prompt_of(prompt(number), "a prompt"))
    short = made.index(emitted(SHORT))
    for more, longer_wins in outcomes:
        long = made.index(emitted(SHORT + "y" * more))
        better, worse = (long, short) if longer_wins else (short, long)
        made.comparisons.append(Comparison(better, worse, source="stars", hotel=f"hotel-{number}"))
    return made


def test_that_in_each_bin_both_sides_weigh_the_same() -> None:
    rng = random.Random(1)
    groups = [group(number, *((more, rng.random() < 0.8) for more in (4, 20, 40, 90, 200))) for number in range(300)]
    sides: defaultdict[tuple[int, bool], float] = defaultdict(float)
    total = 0.0
    for one in balanced(groups):
        for pair in one.comparisons:
            more = len(one.replies[pair.better]) - len(one.replies[pair.worse])
            sides[abs(more), more > 0] += pair.weight
            total += pair.weight
    for more in (4, 20, 40, 90, 200):
        assert sides[more, True] == pytest.approx(sides[more, False])
    assert total == pytest.approx(5 * 300)


def test_that_a_few_odd_pairs_do_not_speak_for_a_whole_bin() -> None:
    one = group(1, *((EDGES[-1] + place, place != 50) for place in range(100)))
    (weighed,) = balanced([one])
    odd = weighed.comparisons[50].weight
    usual = weighed.comparisons[0].weight
    assert odd / usual == pytest.approx(HEAVIEST / (100 / (2 * 99)))
    assert [pair.weight for pair in one.comparisons] == [1.0] * 100, "what was given stays as it is"


def test_that_ties_and_equal_lengths_keep_their_weight() -> None:
    made = group(1, (30, True), (30, False))
    made.comparisons.append(Comparison(0, 1, 0.5))
    made.comparisons.append(Comparison(0, made.index(emitted("z" * len(SHORT)))))
    (weighed,) = balanced([made])
    assert [pair.weight for pair in weighed.comparisons] == pytest.approx([1.0] * 4)


def test_that_the_loss_is_weighted() -> None:
    gap, wanted = torch.tensor([1.0, -2.0]), torch.tensor([1.0, 1.0])
    alone = preference_loss(gap[1:], wanted[1:])
    torch.testing.assert_close(preference_loss(gap, wanted, torch.tensor([0.0, 2.0])), alone)
