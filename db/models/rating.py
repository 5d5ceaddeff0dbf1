"""Judgements of people. Append-only: a correction, or taking one back, is a new row that names the one it replaces."""

import uuid

from sqlalchemy import CheckConstraint, Double, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, words
from db.models.conversation import Conversation
from db.models.draft import Draft
from db.models.rating_item import RatingItem
from db.models.turn import Turn
from db.models.user import User
from db.vocabulary import IssueTag, JudgementKind, JudgementSource, Preferred, Severity


class Rating(Base, kw_only=True):
    """One judgement of one person. It counts while no other row supersedes it and it is not itself a withdrawal."""

    __tablename__ = "rating"
    __table_args__ = (
        UniqueConstraint("rater_id", "idempotency_key"),
        UniqueConstraint("supersedes_id"),
        Index(None, "created_at", "id"),
        Index(None, "turn_id"),
        Index(None, "item_id"),
        Index(None, "conversation_id"),
        Index(None, "rater_id", "created_at"),
        Index(None, "first_draft_id"),
        Index(None, "second_draft_id"),
        Index("ix_rating_low", "created_at", "id", postgresql_where=text("stars <= 2 AND NOT withdrawn")),
        CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),
        CheckConstraint("strength BETWEEN 1 AND 4", name="strength"),
        CheckConstraint("(preferred IS NULL OR preferred = 'tie') = (strength IS NULL)", name="preferred_has_strength"),
        CheckConstraint("(kind = 'turn') = (turn_id IS NOT NULL)", name="turn"),
        CheckConstraint("(kind = 'comparison') = (first_draft_id IS NOT NULL)", name="first_draft"),
        CheckConstraint("(kind = 'comparison') = (second_draft_id IS NOT NULL)", name="second_draft"),
        CheckConstraint("withdrawn OR kind = 'comparison' OR stars IS NOT NULL", name="has_stars"),
        CheckConstraint("withdrawn OR kind <> 'comparison' OR preferred IS NOT NULL", name="has_preferred"),
        CheckConstraint("NOT withdrawn OR supersedes_id IS NOT NULL", name="withdrawal"),
        CheckConstraint("seconds >= 0", name="seconds"),
    )

    kind: Mapped[JudgementKind] = mapped_column(words(JudgementKind, "kind"))
    rater_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id"))
    conversation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("conversation.id"))
    turn_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("turn.id"), default=None)
    first_draft_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("draft.id"), default=None)
    second_draft_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("draft.id"), default=None)
    item_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("rating_item.id"), default=None)
    """None for a judgement that no queue asked for."""
    idempotency_key: Mapped[str]
    """The client's key: the same save twice is one judgement."""
    supersedes_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("rating.id"), default=None)
    withdrawn: Mapped[bool] = mapped_column(default=False)
    """This row only takes back the one it supersedes."""
    adjudicates: Mapped[bool] = mapped_column(default=False)
    """It decides a dispute."""
    source: Mapped[JudgementSource] = mapped_column(words(JudgementSource, "source"), default=JudgementSource.DESK)

    stars: Mapped[int | None] = mapped_column(default=None)
    excellent: Mapped[bool] = mapped_column(default=False)
    preferred: Mapped[Preferred | None] = mapped_column(words(Preferred, "preferred"), default=None)
    """Of the item's first and second draft, whichever side they were shown on."""
    strength: Mapped[int | None] = mapped_column(default=None)
    """1 negligibly, 2 slightly, 3 clearly, 4 much better."""
    comment: Mapped[str] = mapped_column(default="")
    rewrite: Mapped[str | None] = mapped_column(default=None)
    """What the person would have said instead."""
    outcome: Mapped[str | None] = mapped_column(default=None)
    """Of a whole dialogue: ``won``, ``lost`` or ``open`` as the person sees it."""
    decided_by: Mapped[str] = mapped_column(default="")
    """Of a whole dialogue: what decided it, in the person's words."""
    seconds: Mapped[float | None] = mapped_column(Double, default=None)
    """From the item being shown to the save."""

    tags: Mapped[list["RatingTag"]] = relationship(lazy="raise", viewonly=True, init=False, order_by="RatingTag.tag")
    rater: Mapped[User] = relationship(lazy="raise", init=False)
    turn: Mapped[Turn | None] = relationship(lazy="raise", init=False)
    conversation: Mapped[Conversation] = relationship(lazy="raise", init=False)
    item: Mapped[RatingItem | None] = relationship(lazy="raise", init=False)
    first_draft: Mapped[Draft | None] = relationship(lazy="raise", init=False, foreign_keys=[first_draft_id])
    second_draft: Mapped[Draft | None] = relationship(lazy="raise", init=False, foreign_keys=[second_draft_id])


class RatingTag(Base, kw_only=True):
    """One fault that a judgement names."""

    __tablename__ = "rating_tag"
    __table_args__ = (UniqueConstraint("rating_id", "tag"), Index(None, "tag", "created_at"))

    rating_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("rating.id"))
    tag: Mapped[IssueTag] = mapped_column(words(IssueTag, "tag"))
    severity: Mapped[Severity] = mapped_column(words(Severity, "severity"))

    rating: Mapped[Rating] = relationship(lazy="raise", init=False)
