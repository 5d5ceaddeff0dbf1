"""How far people agree: on stars (ordinal), on the better of two replies and on each fault (nominal), by queue and by person."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from db.repositories.rating_figures import Judged
from db.vocabulary import IssueTag, JudgementKind
from training.experts.agreement import Alpha
from training.quality.alpha import alpha_of_counts, alpha_of_units, alpha_with_others
from training.quality.units import PREFERENCES, STARS, Units, by_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAgreement:
    """One queue."""

    queue_id: UUID | None
    """None stands for judgements that no queue asked for."""
    kind: JudgementKind
    judgements: int
    shared: int
    """Things with two judgements or more; the agreement is on these."""
    alpha: Alpha
    """On stars, or on the better reply in a queue of comparisons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagAgreement:
    """One fault."""

    tag: IssueTag
    named: int
    """Judgements that name it."""
    shared: int
    alpha: Alpha
    """On whether it is there, whatever its severity."""


def on_stars(units: Units) -> Alpha:
    """Agreement on stars, of replies and of whole conversations."""
    return alpha_of_units(
        ([row.stars for row in said.values()] for (kind, _), said in units.items() if kind is not JudgementKind.COMPARISON),
        values=STARS,
        level="ordinal",
    )


def on_preferences(units: Units) -> Alpha:
    """Agreement on which of two replies is better, ties counted as an answer of their own."""
    return alpha_of_units(
        ([row.preferred for row in said.values()] for (kind, _), said in units.items() if kind is JudgementKind.COMPARISON),
        values=PREFERENCES,
        level="nominal",
    )


def by_queue(judged: Iterable[Judged]) -> tuple[QueueAgreement, ...]:
    """Every queue, the one with the most judgements first. A thing that is in two queues counts in each with the judgements made there."""
    rows: dict[tuple[UUID | None, JudgementKind], list[Judged]] = {}
    for row in judged:
        rows.setdefault((row.queue_id, row.kind), []).append(row)
    found: list[QueueAgreement] = []
    for (queue_id, kind), said in rows.items():
        units = by_unit(said)
        alpha = on_preferences(units) if kind is JudgementKind.COMPARISON else on_stars(units)
        found.append(QueueAgreement(queue_id=queue_id, kind=kind, judgements=len(said), shared=shared(units), alpha=alpha))
    return tuple(sorted(found, key=lambda queue: (-queue.judgements, str(queue.queue_id), queue.kind)))


def by_tag(units: Units) -> tuple[TagAgreement, ...]:
    """Every fault that anybody named, the most named first."""
    sizes: Counter[int] = Counter()
    named: dict[IssueTag, Counter[tuple[int, int]]] = {}
    for (kind, _), said in units.items():
        if kind is JudgementKind.COMPARISON:
            continue
        sizes[len(said)] += 1
        for tag, times in Counter(tag for row in said.values() for tag in {tag for tag, _ in row.tags}).items():
            named.setdefault(tag, Counter())[len(said) - times, times] += 1
    several = sum(count for size, count in sizes.items() if size > 1)
    found: list[TagAgreement] = []
    for tag, patterns in named.items():
        # Where nobody named it, all agree that it is not there.
        without = sizes.copy()
        for (no, yes), count in patterns.items():
            without[no + yes] -= count
        alpha = alpha_of_counts(patterns | {(size, 0): count for size, count in without.items()}, level="nominal")
        times = sum(yes * count for (_, yes), count in patterns.items())
        found.append(TagAgreement(tag=tag, named=times, shared=several, alpha=alpha))
    return tuple(sorted(found, key=lambda tag: (-tag.named, tag.tag)))


def stars_with_others(units: Units, rater_id: UUID) -> Alpha:
    """One person's agreement with the others on stars."""
    return alpha_with_others(
        (
            (said[rater_id].stars, [row.stars for row in said.values() if row is not said[rater_id]])
            for (kind, _), said in units.items()
            if kind is not JudgementKind.COMPARISON and rater_id in said
        ),
        values=STARS,
        level="ordinal",
    )


def preferences_with_others(units: Units, rater_id: UUID) -> Alpha:
    """One person's agreement with the others on the better of two replies."""
    return alpha_with_others(
        (
            (said[rater_id].preferred, [row.preferred for row in said.values() if row is not said[rater_id]])
            for (kind, _), said in units.items()
            if kind is JudgementKind.COMPARISON and rater_id in said
        ),
        values=PREFERENCES,
        level="nominal",
    )


def shared(units: Units) -> int:
    """How many things have two judgements or more."""
    return sum(len(said) > 1 for said in units.values())
