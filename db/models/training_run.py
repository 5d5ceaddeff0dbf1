"""Training runs: what was trained on what, by whom it is being worked on, how far it has come, and what came of it."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, Json, words
from db.models.user import User
from db.vocabulary import RunState


class TrainingRun(Base, kw_only=True):
    """One run. Whoever works on it holds a lease; each new lease has a higher fencing token, and writes under an older one are refused."""

    __tablename__ = "training_run"
    __table_args__ = (
        Index(None, "state", "created_at"),
        Index(None, "created_at"),
        Index(None, "requested_by"),
        Index("ix_training_run_lease", "lease_expires_at", postgresql_where=text("state = 'running'")),
        Index("uq_training_run_running", "policy_line", unique=True, postgresql_where=text("state = 'running'")),
        CheckConstraint("step >= 0 AND steps >= 0", name="progress"),
        CheckConstraint("fencing_token >= 0", name="fencing_token"),
        CheckConstraint("(lease_owner IS NULL) = (lease_expires_at IS NULL)", name="lease"),
        CheckConstraint("(state = 'running') = (lease_owner IS NOT NULL)", name="held"),
        CheckConstraint("state <> 'done' OR adapter_sha256 IS NOT NULL", name="done"),
        CheckConstraint("state <> 'failed' OR error IS NOT NULL", name="failed"),
    )

    objective: Mapped[str]
    seed: Mapped[int]
    config: Mapped[Json]
    """Everything that the result follows from (``training.runs.plan.Plan``), and the settings with their defaults once they are known."""
    folder: Mapped[str] = mapped_column(unique=True)
    snapshot_sha256: Mapped[str]
    spec_version: Mapped[int]
    spec_digest: Mapped[str]
    versions: Mapped[Json]
    """Of packages, by name."""
    git_revision: Mapped[str | None] = mapped_column(default=None)
    """Of the code, with ``+`` where it had been changed; None where it is not from a repository."""
    policy_line: Mapped[str | None] = mapped_column(default=None)
    """At most one run of a line is running. None for a run by hand."""
    requested_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("app_user.id"), default=None)

    state: Mapped[RunState] = mapped_column(words(RunState, "state"), default=RunState.QUEUED)
    step: Mapped[int] = mapped_column(default=0)
    steps: Mapped[int] = mapped_column(default=0)
    """Of the whole run; 0 as long as it is not known."""
    error: Mapped[str | None] = mapped_column(default=None)
    """Why it failed."""
    stop_asked_at: Mapped[datetime | None] = mapped_column(default=None)
    """Somebody wants it to stop at the end of the step."""
    started_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    heartbeat_at: Mapped[datetime | None] = mapped_column(default=None)
    lease_owner: Mapped[str | None] = mapped_column(default=None)
    """``host:pid`` of the process that supervises it."""
    lease_expires_at: Mapped[datetime | None] = mapped_column(default=None)
    fencing_token: Mapped[int] = mapped_column(default=0)

    log_path: Mapped[str | None] = mapped_column(default=None)
    adapter_path: Mapped[str | None] = mapped_column(default=None)
    adapter_sha256: Mapped[str | None] = mapped_column(default=None)
    """Of its weights."""

    requester: Mapped[User | None] = relationship(lazy="raise", init=False)
