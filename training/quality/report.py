"""Everything about the quality of judgements at once: what a team lead looks at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from db.repositories import rating_figures
from db.repositories.rating_figures import PEOPLE, SIMULATED, GoldJudged, Judged
from training.experts.agreement import Alpha
from training.quality.agreement import (
    QueueAgreement,
    TagAgreement,
    by_queue,
    by_tag,
    on_preferences,
    on_stars,
    preferences_with_others,
    shared,
    stars_with_others,
)
from training.quality.collector import uncollected
from training.quality.conduct import Conduct, find_conduct
from training.quality.drift import Week, weeks
from training.quality.likeness import Likeness, Mean, likenesses
from training.quality.trust import gold_counts, weigh
from training.quality.units import Units, by_rater, by_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Rater:
    """One person."""

    rater_id: UUID
    judgements: int
    shared: int
    """Things that others have judged too."""
    stars_alpha: Alpha
    """With the others."""
    preferred_alpha: Alpha
    bias: Mean | None
    """Own stars less the others'."""
    likeness: float | None
    """Correlation with the others' answers."""
    seconds: float | None
    """Median time of a judgement."""
    gold_right: int
    gold_met: int
    conduct: Conduct | None
    trust: float
    """In [0, 1]: what ``trust_weights`` says of the same judgements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All figures of one span of time."""

    simulated: bool
    judgements: int
    things: int
    shared: int
    """Things with two judgements or more."""
    stars_alpha: Alpha
    preferred_alpha: Alpha
    careful_alpha: Alpha
    """On stars, without those who were found careless."""
    queues: tuple[QueueAgreement, ...]
    tags: tuple[TagAgreement, ...]
    raters: tuple[Rater, ...]
    """The busiest first."""
    weeks: tuple[Week, ...]
    gold_right: int
    gold_met: int
    names: dict[UUID, str]
    """Of the raters and queues."""


def read_report(session: Session, *, simulated: bool = False, since: datetime | None = None, until: datetime | None = None) -> Report:
    """The figures of what is in the database; people's and simulated judgements are never in one report."""
    sources = SIMULATED if simulated else PEOPLE
    with uncollected():
        judged = rating_figures.list_judged(session, sources=sources, since=since, until=until)
        gold = rating_figures.list_gold_judged(session, sources=sources, since=since, until=until)
        raters = {row.rater_id for row in judged} | {row.rater_id for row in gold}
        names = rating_figures.names_of_raters(session, raters)
        names |= rating_figures.names_of_queues(session, {row.queue_id for row in judged if row.queue_id is not None})
        return make_report(judged, gold, names=names, simulated=simulated)


def make_report(judged: Sequence[Judged], gold: Sequence[GoldJudged], *, names: dict[UUID, str], simulated: bool = False) -> Report:
    """The figures of these judgements."""
    units = by_unit(judged)
    shown = likenesses(units)
    conduct = find_conduct(units, shown)
    trust = weigh(shown, conduct, gold)
    right, met = gold_counts(gold)
    theirs = by_rater(units)
    raters = [
        _rater(theirs.get(rater, {}), rater, shown.get(rater), conduct.get(rater), trust[rater], right.get(rater, 0), met.get(rater, 0))
        for rater in trust
    ]
    return Report(
        simulated=simulated,
        judgements=len(judged),
        things=len(units),
        shared=shared(units),
        stars_alpha=on_stars(units),
        preferred_alpha=on_preferences(units),
        careful_alpha=on_stars(by_unit(row for row in judged if row.rater_id not in conduct)) if conduct else on_stars(units),
        queues=by_queue(judged),
        tags=by_tag(units),
        raters=tuple(sorted(raters, key=lambda rater: (-rater.judgements, -rater.gold_met, names.get(rater.rater_id, ""), rater.rater_id))),
        weeks=weeks(units),
        gold_right=sum(right.values()),
        gold_met=sum(met.values()),
        names=names,
    )


def _rater(units: Units, rater: UUID, shown: Likeness | None, conduct: Conduct | None, trust: float, right: int, met: int) -> Rater:
    return Rater(
        rater_id=rater,
        judgements=0 if shown is None else shown.judgements,
        shared=0 if shown is None else shown.shared,
        stars_alpha=stars_with_others(units, rater),
        preferred_alpha=preferences_with_others(units, rater),
        bias=None if shown is None else shown.bias,
        likeness=None if shown is None else shown.likeness,
        seconds=None if shown is None else shown.seconds,
        gold_right=right,
        gold_met=met,
        conduct=conduct,
        trust=trust,
    )
