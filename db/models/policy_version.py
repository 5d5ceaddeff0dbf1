"""Versions of the policy: a base model, or an adapter on it. Immutable once published."""

import uuid

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Json, words
from db.vocabulary import PolicyStatus


class PolicyVersion(Base, kw_only=True):
    """One version, served under its own name, which is never used again."""

    __tablename__ = "policy_version"
    __table_args__ = (Index(None, "parent_id"), Index(None, "status", "created_at"))

    name: Mapped[str] = mapped_column(unique=True)
    base_model: Mapped[str]
    adapter_path: Mapped[str | None] = mapped_column(default=None)
    """Folder of the adapter; None where the base model itself is the policy."""
    parent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("policy_version.id"), default=None)
    status: Mapped[PolicyStatus] = mapped_column(words(PolicyStatus, "status"), default=PolicyStatus.CANDIDATE)
    note: Mapped[Json] = mapped_column(default_factory=dict)
    """Where it came from, in figures (snapshot, spec, seed, metrics)."""
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("app_user.id"), default=None)
