"""What was said. The words are immutable: a trigger refuses to change or delete them."""

import uuid

from sqlalchemy import CheckConstraint, Double, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, Json, words
from db.models.conversation import Conversation
from db.models.draft import Draft
from db.models.policy_version import PolicyVersion
from db.models.user import User
from db.vocabulary import Speaker, Stage


class Turn(Base, kw_only=True):
    """One message of one side.

    A hotel's words are stored before anybody has read them, so what the agent made of them (reading, stage after, versions, times)
    may be filled in later, each once; nothing else ever changes.
    """

    __tablename__ = "turn"
    __table_args__ = (
        UniqueConstraint("conversation_id", "number"),
        UniqueConstraint("conversation_id", "idempotency_key"),
        Index(None, "created_at", "id"),
        Index("ix_turn_bd_created_at", "created_at", "id", postgresql_where=text("speaker = 'bd'")),
        Index("ix_turn_bd_sample_point", "sample_point", postgresql_where=text("speaker = 'bd'")),
        Index("ix_turn_bd_policy_version", "policy_version_id", "created_at", postgresql_where=text("speaker = 'bd'")),
        Index("uq_turn_draft_id", "draft_id", unique=True, postgresql_where=text("draft_id IS NOT NULL")),
        CheckConstraint("number >= 1", name="number"),
    )

    conversation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("conversation.id"))
    number: Mapped[int]
    """1, 2, … in the conversation, both sides."""
    speaker: Mapped[Speaker] = mapped_column(words(Speaker, "speaker"))
    text: Mapped[str]
    stage_before: Mapped[Stage] = mapped_column(words(Stage, "stage_before"))
    idempotency_key: Mapped[str | None] = mapped_column(default=None)
    author_user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("app_user.id"), default=None)
    """Who pasted the hotel's words, or wrote or let out ours; None on autopilot."""

    stage_after: Mapped[Stage | None] = mapped_column(words(Stage, "stage_after"), default=None)
    hotel_move: Mapped[Json | None] = mapped_column(default=None)
    """The reading of a hotel's turn."""
    allowed: Mapped[list[Json] | None] = mapped_column(default=None)
    move: Mapped[Json | None] = mapped_column(default=None)
    """Our move, in our turns."""
    draft_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("draft.id"), default=None)
    policy_version_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("policy_version.id"), default=None)
    model: Mapped[str | None] = mapped_column(default=None)
    """The name under which the version was served."""
    sop_version: Mapped[str | None] = mapped_column(default=None)
    prompts_version: Mapped[str | None] = mapped_column(default=None)
    latency_ms: Mapped[Json | None] = mapped_column(default=None)
    """Milliseconds by step (``{"read": 61.2, "write": 402.0}``)."""
    sample_point: Mapped[float] = mapped_column(Double, server_default=func.random(), init=False)
    """Uniform in [0, 1), drawn once: a random sample is a range of it, and stays the same sample."""

    conversation: Mapped[Conversation] = relationship(lazy="raise", init=False)
    author: Mapped[User | None] = relationship(lazy="raise", init=False)
    draft: Mapped[Draft | None] = relationship(lazy="raise", init=False)
    policy_version: Mapped[PolicyVersion | None] = relationship(lazy="raise", init=False)
