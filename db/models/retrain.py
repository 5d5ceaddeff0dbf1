"""Retrains: from the wish for better weights to what became of them, by whom they are worked on, and how far they have come."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, Json, words
from db.models.policy_version import PolicyVersion
from db.models.retrain_schedule import RetrainSchedule
from db.models.training_run import TrainingRun
from db.models.user import User
from db.vocabulary import RetrainState, RetrainStep, RetrainTrigger


class Retrain(Base, kw_only=True):
    """One retrain. Of a policy line one at a time is worked on or has its canary out; the others are queued.

    Whoever works on it holds a lease; each new lease has a higher fencing token, and writes under an older one are refused.
    """

    __tablename__ = "retrain"
    __table_args__ = (
        Index(None, "state", "created_at"),
        Index(None, "created_at"),
        Index(None, "requested_by"),
        Index(None, "override_by"),
        Index(None, "schedule_id"),
        Index(None, "candidate_id"),
        Index(None, "training_run_id"),
        Index("ix_retrain_lease", "lease_expires_at", postgresql_where=text("state = 'running'")),
        Index("uq_retrain_line", "policy_line", unique=True, postgresql_where=text("state IN ('running', 'canary')")),
        CheckConstraint("fencing_token >= 0", name="fencing_token"),
        CheckConstraint("(lease_owner IS NULL) = (lease_expires_at IS NULL)", name="lease"),
        CheckConstraint("(state = 'running') = (lease_owner IS NOT NULL)", name="held"),
        CheckConstraint("state <> 'failed' OR error IS NOT NULL", name="failed"),
        CheckConstraint("state <> 'rejected' OR verdict IS NOT NULL", name="rejected"),
        CheckConstraint("state NOT IN ('canary', 'live', 'rolled_back') OR candidate_id IS NOT NULL", name="candidate"),
        CheckConstraint("(override_reason IS NULL) = (override_at IS NULL)", name="override"),
        CheckConstraint("override_reason <> ''", name="override_reason"),
    )

    policy_line: Mapped[str]
    trigger: Mapped[RetrainTrigger] = mapped_column(words(RetrainTrigger, "trigger"))
    plan: Mapped[Json]
    """Everything that is asked for (``training.jobs.plan.RetrainPlan``)."""
    folder: Mapped[str] = mapped_column(unique=True)
    schedule_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("retrain_schedule.id", ondelete="SET NULL"), default=None)
    requested_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("app_user.id"), default=None)

    state: Mapped[RetrainState] = mapped_column(words(RetrainState, "state"), default=RetrainState.QUEUED)
    step: Mapped[RetrainStep | None] = mapped_column(words(RetrainStep, "step"), default=None)
    """The one that is worked on, or was last; None before the first."""
    error: Mapped[str | None] = mapped_column(default=None)
    """Why it failed, or why its version was taken back."""
    log_path: Mapped[str | None] = mapped_column(default=None)
    training_run_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("training_run.id"), default=None)
    """The training of its policy, once that has begun."""
    candidate_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("policy_version.id"), default=None)
    """What it has published."""
    verdict: Mapped[Json | None] = mapped_column(default=None)
    """Of the gate (``training.release.gate.Verdict``)."""
    override_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("app_user.id"), default=None)
    override_reason: Mapped[str | None] = mapped_column(default=None)
    override_at: Mapped[datetime | None] = mapped_column(default=None)

    cancel_asked_at: Mapped[datetime | None] = mapped_column(default=None)
    """Somebody wants it to end; whoever works on it does that."""
    started_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    heartbeat_at: Mapped[datetime | None] = mapped_column(default=None)
    lease_owner: Mapped[str | None] = mapped_column(default=None)
    """``host:pid`` of the process that works on it."""
    lease_expires_at: Mapped[datetime | None] = mapped_column(default=None)
    fencing_token: Mapped[int] = mapped_column(default=0)

    requester: Mapped[User | None] = relationship(lazy="raise", init=False, foreign_keys=[requested_by])
    overrider: Mapped[User | None] = relationship(lazy="raise", init=False, foreign_keys=[override_by])
    schedule: Mapped[RetrainSchedule | None] = relationship(lazy="raise", init=False)
    training_run: Mapped[TrainingRun | None] = relationship(lazy="raise", init=False)
    candidate: Mapped[PolicyVersion | None] = relationship(lazy="raise", init=False)
