"""Queries on bad cases that people made: a case stays as it was frozen, what is asked of a reply has versions, the highest counts."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased, contains_eager, joinedload, selectinload

from db.errors import ParleyError
from db.models import BadCase, BadCaseVersion, Conversation, GoldAnswer, Hotel, Rating, RatingTag, Turn
from db.repositories.insertion import add_unless_present
from db.repositories.ratings import is_current
from db.vocabulary import IssueTag, JudgementKind, Severity

Statement = TypeVar("Statement", bound=Select[*tuple[Any, ...]])


class BadCaseNotFound(ParleyError):
    """No bad case has this id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which cases are meant, by their newest version; what is left out does not narrow."""

    text: str = ""
    """Words that must each stand in the title, in what is wrong, or in the hotel's name or city."""
    fault: IssueTag | None = None
    severity: Severity | None = None
    retired: bool | None = False
    """None finds both."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """For a statement that joins the newest ``BadCaseVersion`` and the ``Hotel``."""
        found = [_every_word_in(self.text, BadCaseVersion.title, BadCaseVersion.wrong, Hotel.search_text)]
        if self.fault is not None:
            found.append(BadCaseVersion.fault == self.fault)
        if self.severity is not None:
            found.append(BadCaseVersion.severity == self.severity)
        if self.retired is not None:
            found.append(BadCaseVersion.retired.is_(self.retired))
        return found


EVERY_CASE = CaseFilter(retired=None)
CASES_IN_FORCE = CaseFilter()


class Purpose(StrEnum):
    """What a rated turn is looked for to become. What has become one already is not found."""

    CASE = "case"
    GOLD = "gold"
    """A turn with a known answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateFilter:
    """Which rated turns may become something more; what is left out does not narrow."""

    purpose: Purpose = Purpose.CASE
    text: str = ""
    """Words that must each stand in the reply or in the hotel's name or city."""
    most_stars: int = 2
    tag: IssueTag | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """For a statement on ``Rating`` that joins ``Turn`` and ``Hotel``."""
        found = [_every_word_in(self.text, Turn.text, Hotel.search_text)]
        if self.purpose is Purpose.CASE:
            found += [Turn.move.is_not(None), ~exists().where(BadCase.turn_id == Rating.turn_id)]
        else:
            found.append(~exists().where(GoldAnswer.turn_id == Rating.turn_id, GoldAnswer.retired_at.is_(None)))
        if self.most_stars < 5:
            # As the index of low judgements says it; PostgreSQL does not see that "withdrawn IS false" is the same.
            found += [Rating.stars <= self.most_stars, ~Rating.withdrawn]
        if self.tag is not None:
            found.append(exists().where(RatingTag.rating_id == Rating.id, RatingTag.tag == self.tag))
        return found


def add_once(session: Session, case: BadCase) -> tuple[BadCase, bool]:
    """Write a case, or find the one that this turn has already (unchanged); says whether it was written."""
    return add_unless_present(session, case, unique=[BadCase.turn_id.expression], same=[BadCase.turn_id == case.turn_id])


def add_version(session: Session, version: BadCaseVersion) -> bool:
    """Write the next version; False, and nothing is written, where somebody else has written one of this number."""
    values = {
        "id": version.id,
        "bad_case_id": version.bad_case_id,
        "number": version.number,
        "title": version.title,
        "fault": version.fault,
        "severity": version.severity,
        "wrong": version.wrong,
        "must": version.must,
        "must_not": version.must_not,
        "retired": version.retired,
        "written_by": version.written_by,
    }
    written = session.scalars(
        insert(BadCaseVersion).values(values).on_conflict_do_nothing(index_elements=["bad_case_id", "number"]).returning(BadCaseVersion.id)
    ).one_or_none()
    return written is not None


def get_with_versions(session: Session, case_id: uuid.UUID) -> BadCase:
    """The case with its ``turn`` and its ``versions`` (newest first, each with its ``writer``), as it is now.

    Raises:
        BadCaseNotFound: if there is none.
    """
    found = session.scalars(
        select(BadCase)
        .options(joinedload(BadCase.turn, innerjoin=True), selectinload(BadCase.versions).joinedload(BadCaseVersion.writer))
        .where(BadCase.id == case_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise BadCaseNotFound(f"there is no bad case {case_id}; it may belong to another instance: choose one from the list")
    return found


def find_by_turn(session: Session, turn_id: uuid.UUID) -> BadCase | None:
    """The case that was made from this turn."""
    return session.scalars(select(BadCase).where(BadCase.turn_id == turn_id)).one_or_none()


def search(
    session: Session, wanted: CaseFilter = CASES_IN_FORCE, *, limit: int | None = 50, offset: int = 0
) -> Sequence[tuple[BadCase, BadCaseVersion, Hotel]]:
    """One page of cases, each with its newest version and its hotel, newest first; ``limit=None`` gives all."""
    newest = _narrowed(select(BadCase, BadCaseVersion, Hotel), wanted).order_by(BadCase.created_at.desc(), BadCase.id.desc())
    return [(case, version, hotel) for case, version, hotel in session.execute(newest.limit(limit).offset(offset))]


def count(session: Session, wanted: CaseFilter = CASES_IN_FORCE) -> int:
    """How many cases there are on all pages."""
    return session.scalars(_narrowed(select(func.count(BadCase.id)), wanted)).one()


def list_candidates(
    session: Session, wanted: CandidateFilter | None = None, *, limit: int = 25, offset: int = 0
) -> Sequence[tuple[Rating, Hotel]]:
    """Judgements of turns that count, as far as they serve the purpose, newest first; each with ``tags`` and ``turn``, and the hotel."""
    return [
        (rating, hotel)
        for rating, hotel in session.execute(
            select(Rating, Hotel)
            .join(Turn, Turn.id == Rating.turn_id)
            .join(Conversation, Conversation.id == Turn.conversation_id)
            .join(Hotel, Hotel.id == Conversation.hotel_id)
            .options(contains_eager(Rating.turn), selectinload(Rating.tags))
            .where(
                Rating.kind == JudgementKind.TURN,
                is_current(),
                *(wanted or CandidateFilter()).conditions(),
            )
            .order_by(Rating.created_at.desc(), Rating.id.desc())
            .limit(limit)
            .offset(offset)
        )
    ]


def list_judgements(session: Session, turn_id: uuid.UUID) -> Sequence[Rating]:
    """What people have said of one turn, as far as it counts, oldest first; each with its ``tags``."""
    return session.scalars(
        select(Rating)
        .options(selectinload(Rating.tags))
        .where(Rating.turn_id == turn_id, is_current())
        .order_by(Rating.created_at, Rating.id)
    ).all()


def _narrowed(statement: Statement, wanted: CaseFilter) -> Statement:
    later = aliased(BadCaseVersion)
    newest = select(func.max(later.number)).where(later.bad_case_id == BadCase.id).scalar_subquery()
    return (
        statement.select_from(BadCase)
        .join(BadCaseVersion, (BadCaseVersion.bad_case_id == BadCase.id) & (BadCaseVersion.number == newest))
        .join(Turn, Turn.id == BadCase.turn_id)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .join(Hotel, Hotel.id == Conversation.hotel_id)
        .where(*wanted.conditions())
    )


def _every_word_in(text: str, *columns: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """True for rows in which every word of ``text`` stands in one of the columns, whatever its case; all rows where ``text`` has none."""
    words = text.split()
    if not all(word.isprintable() for word in words):  # PostgreSQL holds no NUL and no lone surrogate: nothing stored can match
        return false()
    return and_(true(), *(or_(*(column.icontains(word, autoescape=True) for column in columns)) for word in words))
