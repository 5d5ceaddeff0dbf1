"""Which item was handed to whom, until when, and what came of it. A lease, not a judgement."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, words
from db.models.rating_item import RatingItem
from db.models.user import User
from db.vocabulary import AssignmentState


class RatingAssignment(Base, kw_only=True):
    """One handing-out. A person who has judged or skipped an item, or holds it, never gets it again."""

    __tablename__ = "rating_assignment"
    __table_args__ = (
        Index(
            "uq_rating_assignment_item_rater",
            "item_id",
            "rater_id",
            unique=True,
            postgresql_where=text("state IN ('reserved', 'done', 'skipped')"),
        ),
        Index("ix_rating_assignment_expiry", "expires_at", postgresql_where=text("state = 'reserved'")),
        Index("ix_rating_assignment_held", "rater_id", "expires_at", postgresql_where=text("state = 'reserved'")),
        Index(None, "rater_id", "created_at"),
        Index("ix_rating_assignment_tally", "rater_id", "state", "ended_at"),
    )

    item_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("rating_item.id"))
    rater_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id"))
    expires_at: Mapped[datetime]
    state: Mapped[AssignmentState] = mapped_column(words(AssignmentState, "state"), default=AssignmentState.RESERVED)
    skip_reason: Mapped[str | None] = mapped_column(default=None)
    swapped: Mapped[bool] = mapped_column(default=False)
    """In a comparison: the second draft is shown first."""
    adjudicates: Mapped[bool] = mapped_column(default=False)
    """Handed out to decide a dispute; it takes no place."""
    ended_at: Mapped[datetime | None] = mapped_column(default=None)

    item: Mapped[RatingItem] = relationship(lazy="raise", init=False)
    rater: Mapped[User] = relationship(lazy="raise", init=False)
