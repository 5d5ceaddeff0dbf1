"""Who changed what, when. Append-only: a trigger refuses every UPDATE, DELETE and TRUNCATE."""

import uuid

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, Json
from db.models.user import User


class AuditEvent(Base, kw_only=True):
    """One act on one subject. ``before`` and ``after`` hold what changed, never passwords or tokens."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index(None, "subject_type", "subject_id", "created_at"),
        Index(None, "actor_id", "created_at"),
        Index(None, "action", "created_at"),
        Index(None, "created_at"),
    )

    actor_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("app_user.id"), default=None)
    """None where the system acted by itself."""
    action: Mapped[str]
    """A verb: ``conversation.take_over``, ``ticket.import``."""
    subject_type: Mapped[str]
    """Table of the subject."""
    subject_id: Mapped[uuid.UUID | None] = mapped_column(default=None)
    before: Mapped[Json | None] = mapped_column(default=None)
    after: Mapped[Json | None] = mapped_column(default=None)

    actor: Mapped[User | None] = relationship(lazy="raise", init=False)
