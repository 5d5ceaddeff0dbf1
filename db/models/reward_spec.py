"""Versions of the reward spec: what turns a reply into a reward, proposed by one person and approved by another."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, Json, words
from db.models.user import User
from db.vocabulary import SpecStatus


class RewardSpec(Base, kw_only=True):
    """One version. A trigger keeps its body as it was proposed; only the status moves, from draft to approved to retired."""

    __tablename__ = "reward_spec"
    __table_args__ = (
        Index(None, "status", "version"),
        Index(None, "parent"),
        Index(None, "created_by"),
        Index(None, "approved_by"),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("parent < version", name="parent"),
        CheckConstraint("(body ->> 'version')::integer = version", name="body_version"),
        CheckConstraint("status <> 'approved' OR approved_at IS NOT NULL", name="approved"),
        CheckConstraint("status <> 'draft' OR approved_at IS NULL", name="draft"),
        CheckConstraint("approved_by IS NULL OR approved_at IS NOT NULL", name="approved_by"),
    )

    version: Mapped[int] = mapped_column(unique=True)
    """1, 2, …; what scores and runs name."""
    body: Mapped[Json]
    """The whole spec (``training.rewards.spec.RewardSpec``), its version included."""
    parent: Mapped[int | None] = mapped_column(ForeignKey("reward_spec.version"), default=None)
    """The version that it was made from; None for the one that ships."""
    status: Mapped[SpecStatus] = mapped_column(words(SpecStatus, "status"), default=SpecStatus.DRAFT)
    note: Mapped[str] = mapped_column(default="")
    """Why it was proposed."""
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("app_user.id"), default=None)
    """None for the one that ships."""
    approved_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("app_user.id"), default=None)
    approved_at: Mapped[datetime | None] = mapped_column(default=None)

    author: Mapped[User | None] = relationship(lazy="raise", init=False, foreign_keys=[created_by])
    approver: Mapped[User | None] = relationship(lazy="raise", init=False, foreign_keys=[approved_by])
