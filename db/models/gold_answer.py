"""Answers that are known: items mixed into a queue to see how well a person judges."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, words
from db.models.turn import Turn
from db.vocabulary import IssueTag


class GoldAnswer(Base, kw_only=True):
    """What a careful person answers for one turn of ours. Retired, never changed."""

    __tablename__ = "gold_answer"
    __table_args__ = (
        Index("uq_gold_answer_turn", "turn_id", unique=True, postgresql_where=text("retired_at IS NULL")),
        Index(None, "created_by"),
        CheckConstraint("stars_from BETWEEN 1 AND 5 AND stars_to BETWEEN stars_from AND 5", name="stars"),
    )

    turn_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("turn.id"))
    stars_from: Mapped[int]
    stars_to: Mapped[int]
    """Any number of stars from one to the other is right."""
    tags: Mapped[list[IssueTag]] = mapped_column(ARRAY(words(IssueTag, "tags", checked=False)), default_factory=list[IssueTag])
    """Faults that must be seen."""
    explanation: Mapped[str] = mapped_column(Text, default="")
    """Shown to the person afterwards, so that gold also teaches."""
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("app_user.id"), default=None)
    retired_at: Mapped[datetime | None] = mapped_column(default=None)

    turn: Mapped[Turn] = relationship(lazy="raise", init=False)
