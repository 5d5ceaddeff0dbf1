"""What the figures on judgements are made of: plain rows of who said what of which thing, and of known answers met.

Decided here: which judgements count. Those that stand (nothing supersedes them, they are not withdrawn), that no dispute's settlement
made (its author has seen the others' answers), and that were made while the thing had no known answer, since that answer is shown
afterwards. For known answers it is the other way round: of what a person said once the answer was known the first counts, whatever became
of it.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, literal_column, or_, select, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from db.models import GoldAnswer, Rating, RatingItem, RatingQueue, RatingTag, User
from db.vocabulary import IssueTag, JudgementKind, JudgementSource, Preferred, Severity

PEOPLE = (JudgementSource.DESK, JudgementSource.IMPORTED)
SIMULATED = (JudgementSource.SIMULATED,)
# Columns of the tables, not of the mapped classes: rows come as the driver gives them, which for so many is most of the time.
_rating, _item = Rating.__table__.c, RatingItem.__table__.c
_KINDS = {kind.value: kind for kind in JudgementKind}
_PREFERRED = {side.value: side for side in Preferred}
_FLIPPED = {Preferred.FIRST: Preferred.SECOND, Preferred.SECOND: Preferred.FIRST, Preferred.TIE: Preferred.TIE, None: None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One judgement that counts."""

    rater_id: uuid.UUID
    queue_id: uuid.UUID | None
    """None for a judgement that no queue asked for."""
    kind: JudgementKind
    unit: tuple[uuid.UUID, ...]
    """What was judged: a turn, a conversation, or two drafts in the order of their ids. The same in every queue."""
    stars: int | None
    excellent: bool
    preferred: Preferred | None
    """Of ``unit``'s two drafts."""
    strength: int | None
    tags: frozenset[tuple[IssueTag, Severity]]
    seconds: float | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldJudged:
    """A person's first judgement of a turn whose answer is known."""

    rater_id: uuid.UUID
    queue_id: uuid.UUID | None
    stars: int
    stars_from: int
    stars_to: int
    named: frozenset[IssueTag]
    wanted: frozenset[IssueTag]
    at: datetime

    @property
    def right(self) -> bool:
        """The stars are among the right ones, and every fault that must be seen was named."""
        return self.stars_from <= self.stars <= self.stars_to and self.wanted <= self.named


def list_judged(
    session: Session, *, sources: Sequence[JudgementSource] = PEOPLE, since: datetime | None = None, until: datetime | None = None
) -> list[Judged]:
    """Every judgement that counts, oldest first; ``since`` is inclusive. With ``until`` (exclusive), as things stood at that instant."""
    later = Rating.__table__.alias("later").c
    # Few judgements supersede another; told so, PostgreSQL reads those few from their index and not the whole table.
    newer = select(later.id).where(later.supersedes_id == _rating.id, later.supersedes_id.is_not(None))
    if until is not None:
        newer = newer.where(later.created_at < until)
    # The item of a turn that was judged already becomes one with a known answer; what was said of it before that was said unaided.
    known_by_then = exists().where(GoldAnswer.turn_id == _rating.turn_id, GoldAnswer.created_at <= _rating.created_at)
    found = session.execute(
        select(
            _rating.rater_id, _item.queue_id, _plain(_rating.kind), _rating.turn_id, _rating.first_draft_id, _rating.second_draft_id,
            _rating.conversation_id, _rating.stars, _rating.excellent, _plain(_rating.preferred), _rating.strength, _rating.seconds,
            _rating.created_at, _tags(),
        )
        .select_from(Rating.__table__)
        .outerjoin(RatingItem.__table__, _item.id == _rating.item_id)
        .where(
            _within(sources, since, until),
            ~_rating.withdrawn,
            ~_rating.adjudicates,
            or_(_rating.item_id.is_(None), _item.gold_answer_id.is_(None), ~known_by_then),
            ~newer.exists(),
        )
        .order_by(_rating.created_at, _rating.id)
    )  # fmt: skip
    # The same person, queue or thing is one object, however many rows name it: what looks them up later need not compare them.
    raters: dict[uuid.UUID, uuid.UUID] = {}
    queues: dict[uuid.UUID | None, uuid.UUID | None] = {}
    units: dict[tuple[uuid.UUID, ...], tuple[uuid.UUID, ...]] = {}
    tag_sets: dict[tuple[str, ...], frozenset[tuple[IssueTag, Severity]]] = {}
    judged: list[Judged] = []
    for rater, queue, kind, turn, first, second, conversation, stars, excellent, preferred, strength, seconds, at, tags in found:
        said = _PREFERRED.get(preferred)
        if first is None or second is None:
            unit = (turn or conversation,)
        elif first < second:
            unit = (first, second)
        else:
            unit, said = (second, first), _FLIPPED[said]
        words = tuple(tags)
        if words not in tag_sets:
            tag_sets[words] = frozenset(_tag(word) for word in words)
        judged.append(
            Judged(
                rater_id=raters.setdefault(rater, rater), queue_id=queues.setdefault(queue, queue), kind=_KINDS[kind],
                unit=units.setdefault(unit, unit), stars=stars, excellent=excellent, preferred=said, strength=strength,
                tags=tag_sets[words], seconds=seconds, at=at,
            )
        )  # fmt: skip
    return judged


def list_gold_judged(
    session: Session, *, sources: Sequence[JudgementSource] = PEOPLE, since: datetime | None = None, until: datetime | None = None
) -> list[GoldJudged]:
    """Each person's first judgement of each known answer that is not retired, made since it is known, oldest first.

    The time limits are as in ``list_judged``.
    """
    first = (
        select(
            Rating.rater_id, RatingItem.queue_id, Rating.stars, GoldAnswer.stars_from, GoldAnswer.stars_to, GoldAnswer.tags.label("wanted"),
            Rating.created_at, _tags().label("named"),
        )
        .join(RatingItem, RatingItem.id == Rating.item_id)
        .join(GoldAnswer, GoldAnswer.id == RatingItem.gold_answer_id)
        .where(_within(sources, None, until), ~Rating.withdrawn, ~Rating.adjudicates, Rating.stars.is_not(None))
        .where(Rating.created_at >= GoldAnswer.created_at)
        .where(GoldAnswer.retired_at.is_(None) if until is None else or_(GoldAnswer.retired_at.is_(None), GoldAnswer.retired_at >= until))
        .ext(distinct_on(Rating.rater_id, GoldAnswer.id))
        .order_by(Rating.rater_id, GoldAnswer.id, Rating.created_at, Rating.id)
    ).subquery()  # fmt: skip
    # The window is laid on the outside: a first answer before it was the first all the same.
    rows = select(first).order_by(first.c.created_at, first.c.rater_id)
    if since is not None:
        rows = rows.where(first.c.created_at >= since)
    return [
        GoldJudged(
            rater_id=rater, queue_id=queue, stars=stars, stars_from=low, stars_to=high, wanted=frozenset(wanted),
            named=frozenset(_tag(word)[0] for word in named), at=at,
        )
        for rater, queue, stars, low, high, wanted, at, named in session.execute(rows)
    ]  # fmt: skip


def mark(session: Session) -> tuple[object, ...]:
    """Something that changes whenever a judgement is written, or a known answer is added or retired: the same mark, the same figures."""
    newest = select(Rating.id).order_by(Rating.created_at.desc(), Rating.id.desc()).limit(1)
    gold = session.execute(select(func.count(), func.max(GoldAnswer.retired_at)).select_from(GoldAnswer)).one()
    return session.scalars(newest).one_or_none(), *gold


def names_of_raters(session: Session, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """People's names."""
    return {row.id: row.name for row in session.execute(select(User.id, User.name).where(User.id.in_(list(ids))))}


def names_of_queues(session: Session, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Queues' names."""
    wanted = select(RatingQueue.id, RatingQueue.name).where(RatingQueue.id.in_(list(ids)))
    return {row.id: row.name for row in session.execute(wanted)}


def _within(sources: Sequence[JudgementSource], since: datetime | None, until: datetime | None) -> ColumnElement[bool]:
    limits: list[ColumnElement[bool]] = [_rating.source.in_(sources)]
    limits += [_rating.created_at >= since] if since is not None else []
    limits += [_rating.created_at < until] if until is not None else []
    return and_(*limits)


def _plain(column: ColumnElement[Any]) -> ColumnElement[str]:
    """A word of a vocabulary as the driver gives it: among so many rows, turning each into its member costs more than reading it."""
    return type_coerce(column, Text)


def _tags() -> ColumnElement[Sequence[str]]:
    """A judgement's faults as ``tag:severity``, so that they come with its row."""
    # The columns' own types would read the joined words as one word of the vocabulary.
    words = func.concat(literal_column("rating_tag.tag"), ":", literal_column("rating_tag.severity"))
    named = select(words).select_from(RatingTag).where(RatingTag.rating_id == _rating.id).correlate(Rating.__table__)
    return func.array(named.scalar_subquery(), type_=ARRAY(Text))


def _tag(word: str) -> tuple[IssueTag, Severity]:
    tag, severity = word.split(":")
    return IssueTag(tag), Severity(severity)
