"""Judgements for the tests of quality, by hand: a table of stars, one row a person and one column a thing."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from db.repositories.rating_figures import GoldJudged, Judged
from db.vocabulary import IssueTag, JudgementKind, Preferred, Severity

MONDAY = datetime(2027, 1, 4, 9, tzinfo=UTC)
QUEUE = UUID(int=77)


def person(number: int) -> UUID:
    return UUID(int=1000 + number)


def thing(number: int) -> tuple[UUID]:
    return (UUID(int=5000 + number),)


def row(
    rater: int,
    unit: int,
    stars: int | None = 3,
    *,
    kind: JudgementKind = JudgementKind.TURN,
    preferred: Preferred | None = None,
    strength: int | None = None,
    tags: Sequence[tuple[IssueTag, Severity]] = (),
    at: datetime | None = None,
    seconds: float | None = None,
    queue: UUID | None = QUEUE,
    excellent: bool = False,
) -> Judged:
    return Judged(
        rater_id=person(rater),
        queue_id=queue,
        kind=kind,
        unit=thing(unit),
        stars=stars,
        excellent=excellent,
        preferred=preferred,
        strength=strength,
        tags=frozenset(tags),
        seconds=seconds,
        at=at or MONDAY + timedelta(minutes=unit, seconds=rater),
    )


def table(*raters: Sequence[int | None]) -> list[Judged]:
    """``table([1, 2, None], [1, 3, 4])``: two people, three things; None was not judged."""
    return [row(rater, unit, stars) for rater, given in enumerate(raters) for unit, stars in enumerate(given) if stars is not None]


def gold(rater: int, stars: int = 2, *, wanted: Sequence[IssueTag] = (), named: Sequence[IssueTag] = ()) -> GoldJudged:
    """An answer to a thing that is worth 1 or 2 stars."""
    return GoldJudged(
        rater_id=person(rater),
        queue_id=QUEUE,
        stars=stars,
        stars_from=1,
        stars_to=2,
        wanted=frozenset(wanted),
        named=frozenset(named),
        at=MONDAY,
    )
