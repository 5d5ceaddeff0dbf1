"""The steps of a retrain: how far each has come, and what it found."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Double, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, Json, words
from db.models.retrain import Retrain
from db.vocabulary import RetrainStep, StepState


class RetrainStepRow(Base, kw_only=True):
    """One step of one retrain; all of them are written when it is asked for."""

    __tablename__ = "retrain_step"
    __table_args__ = (
        UniqueConstraint("retrain_id", "step"),
        CheckConstraint("progress BETWEEN 0 AND 1", name="progress"),
        CheckConstraint("state <> 'done' OR (started_at IS NOT NULL AND ended_at IS NOT NULL)", name="done"),
    )

    retrain_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("retrain.id", ondelete="CASCADE"))
    step: Mapped[RetrainStep] = mapped_column(words(RetrainStep, "step"))
    state: Mapped[StepState] = mapped_column(words(StepState, "state"), default=StepState.WAITING)
    progress: Mapped[float] = mapped_column(Double, default=0.0)
    """From 0 to 1."""
    figures: Mapped[Json] = mapped_column(default_factory=dict)
    """What it found, in figures; while it runs ``doing``, what it is about."""
    started_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)

    retrain: Mapped[Retrain] = relationship(lazy="raise", init=False)
