"""Whether a canary does harm, looked at as often as one likes: the arithmetic, pure.

Decided here: the test. Conversations of the canary and of the live version are paired as they come: whenever both have at least one that
was not yet compared, the mean of the canary's is held against the mean of the live version's, and both are used up. If the canary is no
worse, a pair's difference d, between -1 and 1 with more meaning worse, is not above 0 on the mean, whatever was seen before. Somebody who
bets a share of his money on every d then cannot expect to win: what he has, started with 1, ever reaches 1/a with a chance of at most a
(Ville 1939; Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by betting"). His money is spread over several
shares, since the best one depends on how bad the canary is. Several criteria share the error rate equally; all together err that often.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

BETS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
"""Shares of his money that the gambler bets, an equal part of it on each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one conversation tells in one respect."""

    at: float
    """When that was settled: seconds of any clock that is common to both versions. It never changes afterwards."""
    harm: float
    """0 is the best, 1 the worst."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the pairs of one criterion say."""

    pairs: int
    money: float
    """What the gambler has now of his 1."""
    most: float
    """The most that he ever had."""
    at_most: int
    """After how many pairs that was."""


def weigh(canary: Sequence[Seen], live: Sequence[Seen], *, margin: float = 0.0) -> Evidence:
    """The evidence that the canary's mean harm is above the live version's by more than ``margin`` (in [0, 1)).

    Raises:
        ValueError: for a harm or a margin that is not within its bounds.
    """
    if not 0 <= margin < 1:
        raise ValueError(f"a margin is at least 0 and below 1, not {margin}")
    money = [1.0] * len(BETS)
    best, best_at, pairs = 1.0, 0, differences(canary, live)
    for number, difference in enumerate(pairs, start=1):
        gain = (difference - margin) / (1 + margin)
        money = [held * (1 + bet * gain) for held, bet in zip(money, BETS, strict=True)]
        if (now := math.fsum(money) / len(BETS)) > best:
            best, best_at = now, number
    return Evidence(pairs=len(pairs), money=math.fsum(money) / len(BETS), most=best, at_most=best_at)


def differences(canary: Sequence[Seen], live: Sequence[Seen]) -> list[float]:
    """The canary's harm less the live version's, pair by pair, in the order of time. Which are paired does not depend on their harm."""
    merged = sorted([(seen.at, False, seen.harm) for seen in live] + [(seen.at, True, seen.harm) for seen in canary])
    waiting: dict[bool, list[float]] = {True: [], False: []}
    found: list[float] = []
    # What was settled at the same instant is looked at together.
    for _, together in groupby(merged, key=lambda one: one[0]):
        for _, is_canary, harm in together:
            if not 0 <= harm <= 1:
                raise ValueError(f"harm is between 0 and 1, not {harm}")
            waiting[is_canary].append(harm)
        ours, theirs = waiting[True], waiting[False]
        if ours and theirs:
            found.append(math.fsum(ours) / len(ours) - math.fsum(theirs) / len(theirs))
            waiting = {True: [], False: []}
    return found


def threshold(alpha: float, criteria: int) -> float:
    """The money at which one of so many criteria is taken for harm, so that all together are wrong with a chance of at most ``alpha``."""
    return criteria / alpha
