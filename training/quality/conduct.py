"""Who does not judge but answers at random, always the same, or what somebody else has said.

Decided here: the three rules. Each asks for at least ``FEWEST`` judgements and holds the evidence to a bound that chance would pass once
in a hundred at most, so that a person is not called careless for a few odd answers. How often they are right is measured by
``python -m training.quality`` and told in ``docs/quality.md``.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from math import atanh, sqrt, tanh
from statistics import median
from uuid import UUID

from db.repositories.rating_figures import Judged
from db.vocabulary import JudgementKind
from training.quality.likeness import Likeness
from training.quality.units import Units, answer, choice

FEWEST = 30
"""Judgements (for two of the rules: shared ones) below which nothing is said of a person."""
SAME = 0.8
"""Share of one answer from which a person may be said to give always the same."""
MORE_THAN_OTHERS = 0.25
"""By how much this share must stand above the others' in the same queues."""
COPIED = 0.7
"""Cohen's kappa of identical answers, at the bound, from which one of two people may be said to copy; honest pairs stay far below."""
LATER = 0.75
"""Share of the identical answers in which the one was later, from which it is known who copies."""
ONCE_IN_A_HUNDRED = 2.326
"""Standard deviations, one side."""


class ConductKind(StrEnum):
    """What a person does instead of judging."""

    RANDOM = "random"
    """The answers have nothing to do with what is judged."""
    CONSTANT = "constant"
    """One answer, whatever is judged."""
    COPY = "copy"
    """The answers of somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """What was found, with its figure."""

    kind: ConductKind
    figure: float
    """random: the likeness with the others; constant: the share of the one answer; copy: the share of identical answers."""
    over: int
    """Judgements that the figure is over."""
    choice: Hashable = None
    """constant: the answer."""
    source: UUID | None = None
    """copy: the other person."""
    known: bool = True
    """copy: whether the times tell that it is this one of the two who copies."""


def find_conduct(units: Units, likenesses: Mapping[UUID, Likeness]) -> dict[UUID, Conduct]:
    """Whom one of the rules holds for; where several do: constant before copy before random."""
    return _random(likenesses) | _copies(units) | _constant(units)


def _constant(units: Units) -> dict[UUID, Conduct]:
    """One answer in more than ``SAME`` of the judgements (at the bound), and far more often than others give it in the same queues."""
    given: dict[UUID, Counter[tuple[tuple[UUID | None, JudgementKind], Hashable]]] = {}
    for said in units.values():
        for rater, row in said.items():
            given.setdefault(rater, Counter())[(row.queue_id, row.kind), choice(row)] += 1
    everybody = sum(given.values(), Counter[tuple[tuple[UUID | None, JudgementKind], Hashable]]())
    totals = _by_place(everybody)
    found: dict[UUID, Conduct] = {}
    for rater, own in given.items():
        values = Counter[Hashable]()
        for (_, value), count in own.items():
            values[value] += count
        value, count = values.most_common(1)[0]
        total = values.total()
        expected = compared = 0.0
        for place, mine in _by_place(own).items():
            others = totals[place] - mine
            if others:
                expected += mine * (everybody[place, value] - own[place, value]) / others
                compared += mine
        if total < FEWEST or not compared or _at_least(count, total) <= SAME:
            continue
        if count / total - expected / compared > MORE_THAN_OTHERS:
            found[rater] = Conduct(kind=ConductKind.CONSTANT, figure=count / total, over=total, choice=value)
    return found


def _by_place(given: Mapping[tuple[tuple[UUID | None, JudgementKind], Hashable], int]) -> Counter[tuple[UUID | None, JudgementKind]]:
    totals: Counter[tuple[UUID | None, JudgementKind]] = Counter()
    for (place, _), count in given.items():
        totals[place] += count
    return totals


def _copies(units: Units) -> dict[UUID, Conduct]:
    """Two people with identical answers far beyond what their habits bring about by chance (Cohen 1960); the later one copies."""
    found: dict[UUID, Conduct] = {}
    for (one, other), rows in pairs_of(units).items():
        if len(rows) < FEWEST:
            continue
        if alike(rows) <= COPIED:
            continue
        same = [(a, b) for a, b in rows if answer(a) == answer(b)]
        first_later = sum(a.at > b.at for a, b in same) / len(same) >= LATER
        second_later = sum(b.at > a.at for a, b in same) / len(same) >= LATER
        known = first_later or second_later
        share = len(same) / len(rows)
        for rater, source, copies in ((one, other, not second_later), (other, one, not first_later)):
            # Somebody who is known to copy one person may share answers with those who copy from the same one.
            if copies and (rater not in found or (known and not found[rater].known)):
                found[rater] = Conduct(kind=ConductKind.COPY, figure=share, over=len(rows), source=source, known=known)
    return found


def alike(rows: Sequence[tuple[Judged, Judged]]) -> float:
    """Cohen's kappa of identical answers of two people, at the bound: 0 where they are as alike as their habits make them by chance."""
    same = sum(answer(a) == answer(b) for a, b in rows)
    theirs, others = Counter(answer(a) for a, _ in rows), Counter(answer(b) for _, b in rows)
    by_chance = sum(count * others[value] for value, count in theirs.items()) / len(rows) ** 2
    return (_at_least(same, len(rows)) - by_chance) / (1 - by_chance) if by_chance < 1 else 0.0


def pairs_of(units: Units) -> dict[tuple[UUID, UUID], list[tuple[Judged, Judged]]]:
    """What every two people have both judged."""
    pairs: dict[tuple[UUID, UUID], list[tuple[Judged, Judged]]] = {}
    for said in units.values():
        for one, other in combinations(sorted(said), 2):
            pairs.setdefault((one, other), []).append((said[one], said[other]))
    return pairs


def _random(likenesses: Mapping[UUID, Likeness]) -> dict[UUID, Conduct]:
    """A likeness that is, at the bound, below half of what is usual; it takes three people to know what is usual."""
    known = {
        rater: (shown.likeness, shown.shared)
        for rater, shown in likenesses.items()
        if shown.likeness is not None and shown.shared >= FEWEST
    }
    if len(known) < 3:
        return {}
    half = median(likeness for likeness, _ in known.values()) / 2
    return {
        rater: Conduct(kind=ConductKind.RANDOM, figure=likeness, over=shared)
        for rater, (likeness, shared) in known.items()
        if tanh(atanh(min(max(likeness, -0.999), 0.999)) + ONCE_IN_A_HUNDRED / sqrt(shared - 3)) < half  # Fisher's z
    }


def _at_least(hits: int, of: int) -> float:
    """The share that stands behind what was seen, at the bound (Wilson 1927)."""
    z, share = ONCE_IN_A_HUNDRED, hits / of
    return (share + z**2 / (2 * of) - z * sqrt(share * (1 - share) / of + z**2 / (4 * of**2))) / (1 + z**2 / of)
