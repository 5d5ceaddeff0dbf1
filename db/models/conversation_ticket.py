"""Which tickets a conversation carries."""

import uuid
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base
from db.models.ticket import Ticket

if TYPE_CHECKING:
    from db.models.conversation import Conversation


class ConversationTicket(Base, kw_only=True):
    """One ticket of one conversation under its label (1, 2, …)."""

    __tablename__ = "conversation_ticket"
    __table_args__ = (
        UniqueConstraint("conversation_id", "label"),
        UniqueConstraint("conversation_id", "ticket_id"),
        Index(None, "ticket_id"),
        CheckConstraint("label >= 1", name="label"),
    )

    conversation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("conversation.id"))
    ticket_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("ticket.id"))
    label: Mapped[int]

    conversation: Mapped["Conversation"] = relationship(lazy="raise", init=False)
    ticket: Mapped[Ticket] = relationship(lazy="raise", init=False)
