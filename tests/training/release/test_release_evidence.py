"""The watch's test keeps its error rate however often it is looked at, and finds harm within a stated number of conversations."""

import random
from collections.abc import Sequence

import pytest

from training.release.evidence import BETS, Seen, differences, threshold, weigh
from training.release.settings import ReleaseSettings

HOW = ReleaseSettings()
LIMIT = threshold(HOW.canary_alpha, 5)
STATED = 300
"""Conversations of a canary within which one that breaks rules in 10 % more of its replies is found (docs/release.md)."""


def arms(rng: random.Random, *, live: float, canary: float, share: float, count: int) -> tuple[list[Seen], list[Seen]]:
    """So many conversations of a canary, and those of the live version beside them; each is a share of faulty replies.

    Hotels differ: with one in three, faults are twice as likely as said, with the others half as likely.
    """
    found: tuple[list[Seen], list[Seen]] = ([], [])
    at = 0.0
    while len(found[0]) < count:
        at += 1
        ours = rng.random() < share
        chance = (canary if ours else live) * (2.0 if rng.random() < 1 / 3 else 0.5)
        harm = sum(rng.random() < chance for _ in range(HOW.canary_replies)) / HOW.canary_replies
        found[0 if ours else 1].append(Seen(at=at, harm=harm))
    return found


def test_that_equal_versions_raise_a_false_alarm_less_often_than_stated() -> None:
    rng = random.Random(7)
    # One criterion with all of the error rate: the others only have to share it.
    limit = threshold(HOW.canary_alpha, 1)
    alarms = sum(weigh(*arms(rng, live=0.15, canary=0.15, share=0.5, count=300)).most >= limit for _ in range(200))
    assert alarms / 200 <= HOW.canary_alpha


@pytest.mark.parametrize(("live", "share"), [(0.05, 0.5), (0.15, 0.1), (0.15, 0.5)])
def test_that_a_canary_with_ten_per_cent_more_faulty_replies_is_found_in_time(live: float, share: float) -> None:
    rng = random.Random(11)
    found = [weigh(*arms(rng, live=live, canary=live + 0.1, share=share, count=STATED)).most >= LIMIT for _ in range(40)]
    assert sum(found) >= 38  # 95 %


def test_that_a_canary_that_is_nothing_but_wrong_is_found_in_a_dozen_conversations() -> None:
    canary, live = [Seen(at=at, harm=1.0) for at in range(13)], [Seen(at=at, harm=0.0) for at in range(13)]
    assert weigh(canary, live).most >= LIMIT


def test_that_a_better_canary_is_never_taken_for_harm() -> None:
    rng = random.Random(3)
    evidence = weigh(*arms(rng, live=0.3, canary=0.1, share=0.5, count=200))
    assert evidence.money < 0.1
    assert evidence.most < LIMIT


def test_that_what_was_seen_is_not_forgotten_when_the_luck_turns() -> None:
    bad, good = [Seen(at=at, harm=1.0) for at in range(10)], [Seen(at=at, harm=0.0) for at in range(10, 60)]
    live = [Seen(at=at, harm=0.2) for at in range(60)]
    evidence = weigh([*bad, *good], live)
    assert evidence.at_most == 10
    assert evidence.money < evidence.most


def test_that_looking_again_later_only_adds_pairs() -> None:
    rng = random.Random(5)
    canary, live = arms(rng, live=0.1, canary=0.2, share=0.3, count=60)
    until = canary[29].at
    early = differences([one for one in canary if one.at <= until], [one for one in live if one.at <= until])
    assert differences(canary, live)[: len(early)] == early


@pytest.mark.parametrize(
    ("canary", "live", "expected"),
    [
        ([(1, 1.0), (2, 0.0)], [(3, 0.5)], [0.0]),  # two of ours wait for the first of theirs
        ([(3, 1.0)], [(1, 0.0), (2, 0.5)], [0.75]),
        ([(1, 1.0), (1, 0.0)], [(1, 0.0)], [0.5]),  # the same instant
        ([(1, 1.0)], [], []),
        ([(1, 0.5), (3, 0.5)], [(2, 0.0), (4, 1.0)], [0.5, -0.5]),
    ],
)
def test_that_conversations_are_paired_as_they_come(
    canary: Sequence[tuple[float, float]], live: Sequence[tuple[float, float]], expected: list[float]
) -> None:
    ours, theirs = ([Seen(at=at, harm=harm) for at, harm in arm] for arm in (canary, live))
    assert differences(ours, theirs) == expected


def test_that_a_margin_is_no_harm() -> None:
    canary, live = [Seen(at=at, harm=0.34) for at in range(400)], [Seen(at=at, harm=0.3) for at in range(400)]
    assert weigh(canary, live, margin=0.05).money < 1
    assert weigh(canary, live).money > 1


def test_that_what_is_out_of_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match=r"between 0 and 1, not 1\.5"):
        weigh([Seen(at=0, harm=1.5)], [Seen(at=0, harm=0)])
    with pytest.raises(ValueError, match="margin"):
        weigh([], [], margin=1)
    assert weigh([], []).money == pytest.approx(1)
    assert all(0 < bet < 1 for bet in BETS)
