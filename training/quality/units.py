"""Judgements by the thing that was judged: who said what of it.

Decided here: a person counts once for a thing, with the newest judgement; and how an answer becomes a number that can be compared.
"""

from collections.abc import Hashable, Iterable, Mapping
from statistics import fmean, pstdev
from uuid import UUID

from db.repositories.rating_figures import Judged
from db.vocabulary import JudgementKind, Preferred

Unit = tuple[JudgementKind, tuple[UUID, ...]]
"""One thing, judged in one way."""
Units = Mapping[Unit, Mapping[UUID, Judged]]
"""Of each thing: its judgements by rater."""

STARS = (1, 2, 3, 4, 5)
PREFERENCES = (Preferred.FIRST, Preferred.TIE, Preferred.SECOND)


def by_unit(judged: Iterable[Judged]) -> dict[Unit, dict[UUID, Judged]]:
    """Judgements by thing and rater; of two by the same person the newer one, wherever they come in the list."""
    units: dict[Unit, dict[UUID, Judged]] = {}
    for row in judged:
        said = units.setdefault((row.kind, row.unit), {})
        known = said.get(row.rater_id)
        if known is None or known.at <= row.at:
            said[row.rater_id] = row
    return units


def by_rater(units: Units) -> dict[UUID, Units]:
    """What each person has judged, with what the others say of it."""
    found: dict[UUID, dict[Unit, Mapping[UUID, Judged]]] = {}
    for unit, said in units.items():
        for rater in said:
            found.setdefault(rater, {})[unit] = said
    return dict(found)


def answer(row: Judged) -> Hashable:
    """All that a person ticked: two are identical where these are equal."""
    if row.kind is JudgementKind.COMPARISON:
        return row.preferred, row.strength
    return row.stars, row.excellent, row.tags


def choice(row: Judged) -> Hashable:
    """The main thing that a person ticked: the stars, or the better reply."""
    return row.preferred if row.kind is JudgementKind.COMPARISON else row.stars


def score(row: Judged) -> float:
    """The answer as a number: stars, or how much better the second reply is (-4 to 4)."""
    if row.kind is not JudgementKind.COMPARISON:
        return float(row.stars or 0)
    strength = float(row.strength or 0)
    return strength if row.preferred is Preferred.SECOND else -strength


def scales(units: Units) -> dict[JudgementKind, tuple[float, float]]:
    """Mean and deviation of the scores of each kind, to lay kinds on one scale; the deviation is 1 where nothing varies."""
    scores: dict[JudgementKind, list[float]] = {}
    for (kind, _), said in units.items():
        scores.setdefault(kind, []).extend(score(row) for row in said.values())
    return {kind: (fmean(values), pstdev(values) or 1.0) for kind, values in scores.items()}
