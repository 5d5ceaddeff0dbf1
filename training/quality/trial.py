"""Judgements of simulated experts, honest ones and planted careless ones, as rows: what the rules of ``conduct`` are tried on.

Decided here: who is planted. One answers at random (uniform stars, a fault now and then), one gives the same
stars always or mostly, one says what another has said. Everything is simulated.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from uuid import UUID, uuid5

from agent.simulation import Quality, converse
from db.repositories.rating_figures import Judged
from db.vocabulary import IssueTag, JudgementKind, Severity
from training.experts import Expert, Judgement, Truth, judge, panel, witnessed

QUEUE = UUID(int=1)
START = datetime(2027, 1, 4, 9, tzinfo=UTC)
_SPACE = UUID(int=2)
_PACE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Judgements with what is known of who made them."""

    judged: tuple[Judged, ...]
    honest: frozenset[UUID]


def rater_id(name: str) -> UUID:
    """The same for the same name."""
    return uuid5(_SPACE, name)


@cache
def replies(conversations: int) -> tuple[tuple[Truth, Judgement], ...]:
    """Judged replies of scripted negotiators, good, ordinary and clumsy, so many conversations of each, always in the same order."""
    judged = [
        (truth, judge(truth))
        for quality in (Quality.EXCELLENT, Quality.FINE, Quality.CLUMSY)
        for seed in range(conversations)
        for truth in witnessed(converse(seed, today=date(2027, 1, 4), quality=quality))
    ]
    random.Random(0).shuffle(judged)
    return tuple(judged)


def honest(
    items: Sequence[tuple[Truth, Judgement]], *, raters: int, per_item: int, seed: int, experts: Sequence[Expert] | None = None
) -> Trial:
    """A panel judges every reply, ``per_item`` of its members each."""
    rng = random.Random(f"trial:{seed}")
    rows: list[Judged] = []
    everybody = tuple(experts or panel(raters, seed))
    for number, (truth, judgement) in enumerate(items):
        for place, expert in enumerate(rng.sample(everybody, per_item)):
            said = expert.rate_judged(truth, judgement)
            rows.append(
                Judged(
                    rater_id=rater_id(expert.name),
                    queue_id=QUEUE,
                    kind=JudgementKind.TURN,
                    unit=(uuid5(_SPACE, f"item {number}"),),
                    stars=said.stars,
                    excellent=said.excellent,
                    preferred=None,
                    strength=None,
                    tags=frozenset((IssueTag(fault.kind), fault.severity) for fault in said.faults),
                    seconds=rng.lognormvariate(3.2, 0.5),
                    at=START + number * _PACE + place * _PACE / 10,
                )
            )
    return Trial(judged=tuple(rows), honest=frozenset(rater_id(expert.name) for expert in everybody))


def at_random(trial: Trial, *, share: float = 1.0, seed: int = 0) -> tuple[Judged, ...]:
    """Somebody's answers to ``share`` of the replies, whatever they say."""
    rng = random.Random(f"random:{seed}")
    return tuple(
        replace(
            row,
            rater_id=rater_id("random"),
            stars=rng.randint(1, 5),
            excellent=rng.random() < 0.2,
            tags=frozenset({(rng.choice([*IssueTag]), rng.choice([*Severity]))} if rng.random() < 0.2 else ()),
            seconds=rng.lognormvariate(1.2, 0.4),
            at=row.at + _PACE / 2,
        )
        for row in _drawn(trial, share, rng)
    )


def constant(trial: Trial, *, stars: int = 4, steady: float = 1.0, share: float = 1.0, seed: int = 0) -> tuple[Judged, ...]:
    """The answers of somebody who gives the same stars in ``steady`` of the judgements and any stars in the rest."""
    rng = random.Random(f"constant:{seed}")
    return tuple(
        replace(
            row,
            rater_id=rater_id("constant"),
            stars=stars if rng.random() < steady else rng.randint(1, 5),
            excellent=False,
            tags=frozenset(),
            at=row.at + _PACE / 2,
        )
        for row in _drawn(trial, share, rng)
    )


def copied(trial: Trial, *, source: UUID, faithful: float = 1.0, share: float = 1.0, seed: int = 0) -> tuple[Judged, ...]:
    """The answers of somebody who says what ``source`` has said in ``faithful`` of the judgements, and one star beside it in the rest."""
    rng = random.Random(f"copied:{seed}")
    own = [row for row in trial.judged if row.rater_id == source and rng.random() < share]
    return tuple(
        replace(
            row,
            rater_id=rater_id("copier"),
            stars=row.stars if row.stars is None or rng.random() < faithful else (row.stars % 5) + 1,
            at=row.at + _PACE / 2,
        )
        for row in own
    )


def _drawn(trial: Trial, share: float, rng: random.Random) -> list[Judged]:
    """One row of each reply that is drawn."""
    first = {row.unit: row for row in reversed(trial.judged)}
    return [row for row in first.values() if rng.random() < share]
