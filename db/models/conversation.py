"""Negotiations: one hotel, one or more tickets, one state of the SOP."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, Json, words
from db.models.conversation_ticket import ConversationTicket
from db.models.hotel import Hotel
from db.models.policy_version import PolicyVersion
from db.vocabulary import Counterpart, Mode, Stage


class Conversation(Base, kw_only=True):
    """What the agent knows between two turns. Whoever changes it holds its row lock."""

    __tablename__ = "conversation"
    __table_args__ = (
        Index(None, "hotel_id"),
        Index(None, "opened_by", "updated_at"),
        Index(None, "taken_over_by"),
        Index(None, "stage", "updated_at"),
        Index(None, "updated_at"),
        Index(None, "closed_at"),
        Index(None, "policy_version_id", "created_at"),
        Index("ix_conversation_open", "policy_version_id", postgresql_where=text("closed_at IS NULL")),
        Index(
            "ix_conversation_follow_up", "next_follow_up_at", postgresql_where=text("closed_at IS NULL AND next_follow_up_at IS NOT NULL")
        ),
        CheckConstraint("turn_count >= 0", name="turn_count"),
    )

    hotel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("hotel.id"))
    mode: Mapped[Mode] = mapped_column(words(Mode, "mode"))
    counterpart: Mapped[Counterpart] = mapped_column(words(Counterpart, "counterpart"))
    persona: Mapped[str | None] = mapped_column(default=None)
    """Of a simulated hotel."""
    seed: Mapped[int | None] = mapped_column(BigInteger, default=None)
    """Of a simulated hotel: with it and the transcript, its next words are determined."""
    language: Mapped[str] = mapped_column(default="en")
    """ISO 639-1 of our replies."""
    stage: Mapped[Stage] = mapped_column(words(Stage, "stage"), default=Stage.OPENING)
    """The same as in ``state``, here to be searched."""
    state: Mapped[Json] = mapped_column(default_factory=dict)
    """The SOP's own state; secret, since it may be derived from the limits."""
    turn_count: Mapped[int] = mapped_column(default=0)
    policy_version_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("policy_version.id"), default=None)
    """The arm: drawn at the opening and kept."""
    sop_version: Mapped[str | None] = mapped_column(default=None)
    prompts_version: Mapped[str | None] = mapped_column(default=None)
    opened_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("app_user.id"), default=None)
    taken_over_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("app_user.id"), default=None)
    next_follow_up_at: Mapped[datetime | None] = mapped_column(default=None)
    closed_at: Mapped[datetime | None] = mapped_column(default=None)
    idempotency_key: Mapped[str | None] = mapped_column(unique=True, default=None)
    """The client's key of the opening."""
    take_over_key: Mapped[str | None] = mapped_column(default=None)
    """The client's key of the take-over, so that a repeat is told from a second one."""
    close_key: Mapped[str | None] = mapped_column(default=None)
    """The client's key of the close, likewise."""
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now(), init=False)

    hotel: Mapped[Hotel] = relationship(lazy="raise", init=False)
    policy_version: Mapped[PolicyVersion | None] = relationship(lazy="raise", init=False)
    tickets: Mapped[list[ConversationTicket]] = relationship(lazy="raise", viewonly=True, init=False, order_by=ConversationTicket.label)
