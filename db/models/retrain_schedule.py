"""When retrains are begun without a person: at an hour, or once enough has been judged. Edited by people; every change is audited."""

from datetime import datetime, time

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Json


class RetrainSchedule(Base, kw_only=True):
    """One rule. Any of its conditions is enough; during its quiet hours none is looked at, and no retrain of it is worked on."""

    __tablename__ = "retrain_schedule"
    __table_args__ = (
        Index("ix_retrain_schedule_due", "next_due_at", postgresql_where=text("enabled")),
        CheckConstraint("min_ratings >= 1", name="min_ratings"),
        CheckConstraint("min_bad_cases >= 1", name="min_bad_cases"),
        CheckConstraint("cron IS NOT NULL OR min_ratings IS NOT NULL OR min_bad_cases IS NOT NULL", name="condition"),
        CheckConstraint("(quiet_from IS NULL) = (quiet_to IS NULL)", name="quiet"),
        CheckConstraint("next_due_at IS NULL OR cron IS NOT NULL", name="due"),
    )

    name: Mapped[str] = mapped_column(unique=True)
    policy_line: Mapped[str]
    plan: Mapped[Json]
    """What is retrained (``training.jobs.plan.RetrainPlan``)."""
    enabled: Mapped[bool] = mapped_column(default=True)
    cron: Mapped[str | None] = mapped_column(default=None)
    """Minute, hour, day of the month, month, day of the week, in its time zone."""
    min_ratings: Mapped[int | None] = mapped_column(default=None)
    """New judgements of turns, comparisons and dialogues that are enough."""
    min_bad_cases: Mapped[int | None] = mapped_column(default=None)
    quiet_from: Mapped[time | None] = mapped_column(default=None)
    quiet_to: Mapped[time | None] = mapped_column(default=None)
    """Of the day in its time zone; before ``quiet_from`` where the span passes midnight."""
    timezone: Mapped[str] = mapped_column(default="UTC")
    next_due_at: Mapped[datetime | None] = mapped_column(default=None)
    """By ``cron``; None where it has none."""
    last_fired_at: Mapped[datetime | None] = mapped_column(default=None)
    counted_until: Mapped[datetime | None] = mapped_column(default=None)
    """Judgements and bad cases up to here have had their retrain; None: everything is new."""
