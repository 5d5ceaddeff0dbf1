"""How stars and agreement move from week to week.

Decided here: a week begins on Monday, 00:00 UTC; a thing belongs to the week of its first judgement, so that no pair of answers is torn
apart, and counts once in the mean with the mean of its stars.
"""

from dataclasses import dataclass
from datetime import UTC, date, timedelta
from statistics import fmean
from uuid import UUID

from db.repositories.rating_figures import Judged
from db.vocabulary import JudgementKind
from training.experts.agreement import Alpha
from training.quality.agreement import on_preferences, on_stars
from training.quality.likeness import Mean, mean_of
from training.quality.units import Unit, Units


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """What was judged in one week."""

    start: date
    """Its Monday."""
    judgements: int
    stars: Mean | None
    """Over things; None where nothing was given stars."""
    stars_alpha: Alpha
    preferred_alpha: Alpha


def weeks(units: Units) -> tuple[Week, ...]:
    """Every week in which something was judged, in order."""
    of_week: dict[date, dict[Unit, dict[UUID, Judged]]] = {}
    for unit, said in units.items():
        first = min(row.at for row in said.values()).astimezone(UTC).date()
        of_week.setdefault(first - timedelta(days=first.weekday()), {})[unit] = dict(said)
    return tuple(_week(start, of_week[start]) for start in sorted(of_week))


def _week(start: date, units: Units) -> Week:
    means = [
        fmean(float(row.stars or 0) for row in said.values()) for (kind, _), said in units.items() if kind is not JudgementKind.COMPARISON
    ]
    return Week(
        start=start,
        judgements=sum(len(said) for said in units.values()),
        stars=mean_of(means),
        stars_alpha=on_stars(units),
        preferred_alpha=on_preferences(units),
    )
