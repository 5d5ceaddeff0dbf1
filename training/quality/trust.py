"""How much each person's judgements weigh where training uses them, from 0 to 1.

Decided here: the formula. With n shared things, likeness r, the usual likeness m (the median of those with ``FEWEST`` shared things), and
g known answers met, of which h were right::

    agreement = clip(((n * r + 20 * m / 2) / (n + 20)) / m, 0, 1)
    gold      = min(((h + 8) / (g + 10)) / 0.8, 1)
    trust     = agreement * gold

Somebody new starts at one half and comes to what the answers show; who is as much like the others as is usual comes to 1. Where nothing
is shared (m is not known, or no more than 0.05) the agreement is one half for all. Who answers at random or always the same weighs 0, who
copies too; where two have the same answers and it is not known who copies, each of the two weighs half.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from statistics import median
from uuid import UUID

from sqlalchemy.orm import Session

from db.repositories import rating_figures
from db.repositories.rating_figures import PEOPLE, SIMULATED, GoldJudged
from training.quality.collector import uncollected
from training.quality.conduct import FEWEST, Conduct, ConductKind, find_conduct
from training.quality.likeness import Likeness, likenesses
from training.quality.units import by_unit

_START = 0.5
"""Agreement of somebody of whom nothing is known."""
_START_WEIGHT = 20
"""Shared things after which what is seen weighs as much as the start."""
_NOTHING = 0.05
"""A usual likeness up to which the answers tell nothing about anybody."""
_USUAL_RIGHT = 0.8
"""Share of known answers met that costs no trust."""
_RIGHT_WEIGHT = 10
"""Known answers after which what is seen weighs as much as the usual share."""


def trust_weights(session: Session, *, as_of: datetime | None = None) -> dict[UUID, float]:
    """The weight of everybody who has judged anything, in [0, 1]; with ``as_of``, by what had been judged before that instant.

    Simulated experts are held against each other, people against people; nobody is both.
    """
    weights: dict[UUID, float] = {}
    for sources in (SIMULATED, PEOPLE):
        with uncollected():
            units = by_unit(rating_figures.list_judged(session, sources=sources, until=as_of))
            gold = rating_figures.list_gold_judged(session, sources=sources, until=as_of)
            shown = likenesses(units)
            weights |= weigh(shown, find_conduct(units, shown), gold)
    return weights


def weigh(shown: Mapping[UUID, Likeness], conduct: Mapping[UUID, Conduct], gold: Iterable[GoldJudged]) -> dict[UUID, float]:
    """The formula, for everybody who is in ``shown`` or has met a known answer."""
    right, met = gold_counts(gold)
    usual = _usual(shown)
    return {
        rater: _agreement(shown.get(rater), usual) * _gold(right.get(rater, 0), met.get(rater, 0)) * _share(conduct.get(rater))
        for rater in sorted({*shown, *met})
    }


def gold_counts(gold: Iterable[GoldJudged]) -> tuple[dict[UUID, int], dict[UUID, int]]:
    """Known answers that each person got right, and met."""
    right: dict[UUID, int] = {}
    met: dict[UUID, int] = {}
    for row in gold:
        met[row.rater_id] = met.get(row.rater_id, 0) + 1
        right[row.rater_id] = right.get(row.rater_id, 0) + row.right
    return right, met


def _usual(shown: Mapping[UUID, Likeness]) -> float:
    seen = [person.likeness for person in shown.values() if person.likeness is not None and person.shared >= FEWEST]
    return median(seen) if seen else 0.0


def _agreement(person: Likeness | None, usual: float) -> float:
    if person is None or usual <= _NOTHING:
        return _START
    seen = person.shared if person.likeness is not None else 0
    shrunk = (seen * (person.likeness or 0.0) + _START_WEIGHT * _START * usual) / (seen + _START_WEIGHT)
    return min(max(shrunk / usual, 0.0), 1.0)


def _gold(right: int, met: int) -> float:
    return min((right + _USUAL_RIGHT * _RIGHT_WEIGHT) / (met + _RIGHT_WEIGHT) / _USUAL_RIGHT, 1.0)


def _share(conduct: Conduct | None) -> float:
    if conduct is None:
        return 1.0
    return 0.5 if conduct.kind is ConductKind.COPY and not conduct.known else 0.0
