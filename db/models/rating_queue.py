"""Queues of what people are asked to judge: how it is chosen, by how many, and within what time."""

import uuid
from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import SHARE, Base, Json, words
from db.models.user import User
from db.vocabulary import JudgementKind, QueuePolicy


class RatingQueue(Base, kw_only=True):
    """One queue. Its settings may change; every change is an audit event."""

    __tablename__ = "rating_queue"
    __table_args__ = (
        Index("ix_rating_queue_active", "priority", "created_at", postgresql_where=text("closed_at IS NULL")),
        Index(None, "created_by"),
        CheckConstraint("raters_per_item BETWEEN 1 AND 20", name="raters_per_item"),
        CheckConstraint("reservation_s BETWEEN 30 AND 86400", name="reservation_s"),
        CheckConstraint("gold_share >= 0 AND gold_share <= 0.5", name="gold_share"),
        CheckConstraint("adjudicate_over BETWEEN 1 AND 4", name="adjudicate_over"),
        CheckConstraint("size BETWEEN 1 AND 1000000", name="size"),
    )

    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[JudgementKind] = mapped_column(words(JudgementKind, "kind"))
    policy: Mapped[QueuePolicy] = mapped_column(words(QueuePolicy, "policy"))
    raters_per_item: Mapped[int] = mapped_column(default=1)
    reservation_s: Mapped[int] = mapped_column(default=900)
    """Seconds after which an item that was handed out goes back."""
    priority: Mapped[int] = mapped_column(default=0)
    """Higher comes first where a person has several queues."""
    gold_share: Mapped[Decimal] = mapped_column(SHARE, default=Decimal(0))
    """Share of what is handed out that has a known answer."""
    adjudicate_over: Mapped[int] = mapped_column(default=2)
    """Raters who differ by more stars than this make an item disputed."""
    size: Mapped[int] = mapped_column(default=200)
    """How many open items are kept ready."""
    filters: Mapped[Json] = mapped_column(default_factory=dict)
    """``language``, ``stage``, ``policy_version_id``, ``since``, ``until``: what to choose from; an absent key is no filter."""
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("app_user.id"), default=None)
    closed_at: Mapped[datetime | None] = mapped_column(default=None)
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now(), init=False)

    creator: Mapped[User | None] = relationship(lazy="raise", init=False)
