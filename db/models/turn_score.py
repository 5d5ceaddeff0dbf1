"""What the reward said of a reply that was sent, so that people are shown where its sources are at odds."""

import uuid

from sqlalchemy import CheckConstraint, Double, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, Json
from db.models.turn import Turn

DOUBTFUL = 0.5
"""From here on reward model and judge are at odds: one puts the reply in its better half, the other far below."""


class TurnScore(Base, kw_only=True):
    """One turn under one reward. Written once; another reward model or spec writes a row of its own."""

    __tablename__ = "turn_score"
    __table_args__ = (
        UniqueConstraint("turn_id", "reward_model", "spec_digest"),
        Index("ix_turn_score_doubtful", "created_at", "id", postgresql_where=text(f"doubt >= {DOUBTFUL}")),
        CheckConstraint("doubt BETWEEN 0 AND 1", name="doubt"),
        CheckConstraint("judge IS NOT NULL OR doubt IS NULL", name="doubt_needs_judge"),
    )

    turn_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("turn.id"))
    reward_model: Mapped[str]
    """SHA-256 of its weights."""
    spec_digest: Mapped[str]
    """SHA-256 of the reward spec."""
    model: Mapped[float] = mapped_column(Double)
    """R_model."""
    judge: Mapped[float | None] = mapped_column(Double, default=None)
    """E_judge; None where no judgement came."""
    total: Mapped[float] = mapped_column(Double)
    """R_total."""
    parts: Mapped[Json]
    """All of ``training.rewards.scoring.Score``: marks, rules hit, the version of the spec."""
    doubt: Mapped[float | None] = mapped_column(Double, default=None)
    """How far apart the places are that model and judge give the reply among those scored with it, 0 to 1; None without a judge."""

    turn: Mapped[Turn] = relationship(lazy="raise", init=False)
