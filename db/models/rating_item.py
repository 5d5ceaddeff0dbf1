"""What is to be judged in a queue: a turn, two replies for one turn, or a conversation."""

import uuid

from sqlalchemy import CheckConstraint, Double, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, words
from db.models.conversation import Conversation
from db.models.draft import Draft
from db.models.gold_answer import GoldAnswer
from db.models.rating_queue import RatingQueue
from db.models.turn import Turn
from db.vocabulary import ItemState


class RatingItem(Base, kw_only=True):
    """One item. ``open_places`` counts the judgements that are neither there nor reserved; the desk takes one under the row's lock."""

    __tablename__ = "rating_item"
    __table_args__ = (
        Index("uq_rating_item_turn", "queue_id", "turn_id", unique=True, postgresql_where=text("turn_id IS NOT NULL")),
        Index(
            "uq_rating_item_drafts",
            "queue_id",
            "first_draft_id",
            "second_draft_id",
            unique=True,
            postgresql_where=text("first_draft_id IS NOT NULL"),
        ),
        Index(
            "uq_rating_item_dialogue",
            "queue_id",
            "conversation_id",
            unique=True,
            postgresql_where=text("turn_id IS NULL AND first_draft_id IS NULL"),
        ),
        Index(
            "ix_rating_item_next",
            "queue_id",
            "priority",
            "position",
            "id",
            postgresql_where=text("open_places > 0 AND state = 'open' AND gold_answer_id IS NULL"),
        ),
        Index("ix_rating_item_gold", "queue_id", "position", postgresql_where=text("open_places > 0 AND gold_answer_id IS NOT NULL")),
        Index("ix_rating_item_disputed", "queue_id", "created_at", postgresql_where=text("state = 'disputed'")),
        Index(None, "queue_id", "state"),
        Index(None, "conversation_id"),
        Index(None, "turn_id"),
        Index(None, "first_draft_id"),
        Index(None, "second_draft_id"),
        Index(None, "gold_answer_id"),
        CheckConstraint("open_places >= 0", name="open_places"),
        CheckConstraint("(first_draft_id IS NULL) = (second_draft_id IS NULL)", name="two_drafts"),
        CheckConstraint("first_draft_id <> second_draft_id", name="different_drafts"),
        CheckConstraint("turn_id IS NULL OR first_draft_id IS NULL", name="one_subject"),
    )

    queue_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("rating_queue.id"))
    conversation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("conversation.id"))
    turn_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("turn.id"), default=None)
    """The turn to rate; None for a comparison or a whole conversation."""
    first_draft_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("draft.id"), default=None)
    second_draft_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("draft.id"), default=None)
    """Two replies for the same turn; which is shown on which side is drawn for each person."""
    gold_answer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("gold_answer.id"), default=None)
    open_places: Mapped[int]
    priority: Mapped[int] = mapped_column(default=0)
    """Lower comes first within the queue."""
    position: Mapped[float] = mapped_column(Double, default=0.0)
    """Order among items of one priority; what it is depends on the queue's policy."""
    state: Mapped[ItemState] = mapped_column(words(ItemState, "state"), default=ItemState.OPEN)

    queue: Mapped[RatingQueue] = relationship(lazy="raise", init=False)
    conversation: Mapped[Conversation] = relationship(lazy="raise", init=False)
    turn: Mapped[Turn | None] = relationship(lazy="raise", init=False)
    first_draft: Mapped[Draft | None] = relationship(lazy="raise", init=False, foreign_keys=[first_draft_id])
    second_draft: Mapped[Draft | None] = relationship(lazy="raise", init=False, foreign_keys=[second_draft_id])
    gold_answer: Mapped[GoldAnswer | None] = relationship(lazy="raise", init=False)
