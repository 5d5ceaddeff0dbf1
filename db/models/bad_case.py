"""Bad cases that people made out of real turns. Append-only: an edit or a retirement is a new version of the case."""

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, Json, words
from db.models.turn import Turn
from db.models.user import User
from db.vocabulary import IssueTag, Severity


class BadCase(Base, kw_only=True):
    """One turn of ours that went wrong, as it was: where it came from and its frozen context."""

    __tablename__ = "bad_case"
    __table_args__ = (UniqueConstraint("turn_id"), Index(None, "created_at", "id"), Index(None, "rating_id"), Index(None, "created_by"))

    turn_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("turn.id"))
    rating_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("rating.id"), default=None)
    """The judgement that it was made from."""
    context: Mapped[Json]
    """Everything public about the turn (``agent.domain.TurnContext``), frozen at the making."""
    reply: Mapped[Json]
    """What was said: its move and its text."""
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("app_user.id"), default=None)

    turn: Mapped[Turn] = relationship(lazy="raise", init=False)
    versions: Mapped[list["BadCaseVersion"]] = relationship(
        lazy="raise", viewonly=True, init=False, order_by="BadCaseVersion.number.desc()"
    )


class BadCaseVersion(Base, kw_only=True):
    """What is asked of a reply to the case; the highest number counts."""

    __tablename__ = "bad_case_version"
    __table_args__ = (
        UniqueConstraint("bad_case_id", "number"),
        Index(None, "fault", "created_at"),
        Index(None, "written_by"),
        CheckConstraint("number >= 1", name="number"),
    )

    bad_case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("bad_case.id"))
    number: Mapped[int]
    title: Mapped[str]
    fault: Mapped[IssueTag] = mapped_column(words(IssueTag, "fault"))
    severity: Mapped[Severity] = mapped_column(words(Severity, "severity"))
    wrong: Mapped[str]
    """What is wrong with the reply, in plain words."""
    must: Mapped[list[str]] = mapped_column(ARRAY(Text), default_factory=list[str])
    """What a fix does, one check a line (``training.badcases`` says which checks there are)."""
    must_not: Mapped[list[str]] = mapped_column(ARRAY(Text), default_factory=list[str])
    """What a clean fix does not do, likewise."""
    retired: Mapped[bool] = mapped_column(default=False)
    written_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("app_user.id"), default=None)

    bad_case: Mapped[BadCase] = relationship(lazy="raise", init=False)
    writer: Mapped[User | None] = relationship(lazy="raise", init=False)
