"""Weights of comparisons under which a reply's length says nothing about who wins.

Good replies say more, so the longer one wins most pairs, and length is the first thing that a model learns. Decided here: pairs are put
beside others of about the same difference in length, and within such a bin those that the longer one won weigh as much together as those
that the shorter one won (inverse probability weights). No pair is thrown away.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from training.rewards.model.comparisons import Compared, Comparison
from training.rewards.model.report import words

EDGES = (8, 16, 32, 64, 128)
"""Differences in characters at which the next bin begins."""
HEAVIEST = 4.0
"""Weight of a pair against an unweighted one, at most: a few odd pairs are not to speak for a whole bin."""


def balanced(groups: Sequence[Compared]) -> list[Compared]:
    """The groups with a weight for each comparison; ties and replies of one length keep theirs. The mean weight is 1."""
    sides = [[_side(group, pair) for pair in group.comparisons] for group in groups]
    counts = Counter(side for own in sides for side in own if side)
    weights = {side: min(HEAVIEST, (count + counts[-side]) / (2 * count)) for side, count in counts.items()}
    raw = [[weights.get(side, 1.0) for side in own] for own in sides]
    mean = sum(map(sum, raw)) / sum(map(len, raw))
    return [
        replace(group, comparisons=[replace(pair, weight=weight / mean) for pair, weight in zip(group.comparisons, own, strict=True)])
        for group, own in zip(groups, raw, strict=True)
    ]


def _side(group: Compared, pair: Comparison) -> int:
    """The bin of a pair from 1, negative where the shorter reply won; 0 where length cannot tell."""
    more = len(words(group.replies[pair.better])) - len(words(group.replies[pair.worse]))
    if more == 0 or pair.wanted != 1.0:
        return 0
    place = 1 + sum(abs(more) >= edge for edge in EDGES)
    return place if more > 0 else -place
