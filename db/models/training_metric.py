"""What a training run said of itself, step by step."""

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, Json
from db.models.training_run import TrainingRun


class TrainingMetric(Base, kw_only=True):
    """The figures of one step. A resumed run writes the steps after its checkpoint again."""

    __tablename__ = "training_metric"
    __table_args__ = (UniqueConstraint("run_id", "step"), CheckConstraint("step >= 0", name="step"))

    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("training_run.id", ondelete="CASCADE"))
    step: Mapped[int]
    values: Mapped[Json]
    """By name (``reward/total``, ``kl``, ``held_out/total`` …); null for what is not a number."""

    run: Mapped[TrainingRun] = relationship(lazy="raise", init=False)
