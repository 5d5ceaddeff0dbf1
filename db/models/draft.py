"""What was proposed to be said, by the policy, a template or a person, and what became of it."""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, Json, words
from db.models.guard_verdict import GuardVerdict
from db.vocabulary import DraftOrigin, DraftStatus

if TYPE_CHECKING:
    from db.models.conversation import Conversation


class Draft(Base, kw_only=True):
    """One attempt at one of our turns. The words stay as they were written; a person's edit stands beside them."""

    __tablename__ = "draft"
    __table_args__ = (
        UniqueConstraint("conversation_id", "for_turn", "attempt"),
        UniqueConstraint("conversation_id", "action_key"),
        Index("uq_draft_pending", "conversation_id", unique=True, postgresql_where=text("status = 'pending'")),
        Index(None, "policy_version_id", "created_at"),
        Index("ix_draft_fallback", "created_at", postgresql_where=text("fallback_reason IS NOT NULL")),
        Index("ix_draft_edited", "created_at", postgresql_where=text("status = 'edited'")),
        Index("ix_draft_rejected", "created_at", postgresql_where=text("status = 'rejected'")),
        Index("ix_draft_alternative", "created_at", postgresql_where=text("attempt > 1")),
        Index("ix_draft_alternative_sample", text("md5(id::text)"), postgresql_where=text("attempt > 1")),
        CheckConstraint("for_turn >= 1", name="for_turn"),
        CheckConstraint("attempt >= 1", name="attempt"),
        CheckConstraint("(status = 'edited') = (edited_text IS NOT NULL)", name="edited_has_text"),
    )

    conversation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("conversation.id"))
    for_turn: Mapped[int]
    """The number that the turn will have."""
    attempt: Mapped[int]
    """1, 2, … for the same turn."""
    origin: Mapped[DraftOrigin] = mapped_column(words(DraftOrigin, "origin"))
    text: Mapped[str]
    move: Mapped[Json | None] = mapped_column(default=None)
    allowed: Mapped[list[Json] | None] = mapped_column(default=None)
    """Every move that was allowed."""
    brief: Mapped[str | None] = mapped_column(default=None)
    policy_version_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("policy_version.id"), default=None)
    prompts_version: Mapped[str | None] = mapped_column(default=None)
    rules_checked: Mapped[list[str]] = mapped_column(ARRAY(Text), default_factory=list[str])
    """Names of the guard's rules that judged it; those without a verdict passed."""
    fallback_reason: Mapped[str | None] = mapped_column(default=None)
    """Why the template had to speak; None where it did not."""

    status: Mapped[DraftStatus] = mapped_column(words(DraftStatus, "status"), default=DraftStatus.PENDING)
    edited_text: Mapped[str | None] = mapped_column(default=None)
    """What the person made of it; set exactly where ``status`` is ``edited``."""
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("app_user.id"), default=None)
    """Who approved, edited or rejected it; None on autopilot."""
    decided_at: Mapped[datetime | None] = mapped_column(default=None)
    action_key: Mapped[str | None] = mapped_column(default=None)
    """The client's key of the approval, edit or regeneration, so that a repeat is recognised."""

    conversation: Mapped["Conversation"] = relationship(lazy="raise", init=False)
    verdicts: Mapped[list[GuardVerdict]] = relationship(lazy="raise", viewonly=True, init=False, order_by=GuardVerdict.id)
