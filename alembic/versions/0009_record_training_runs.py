"""Record training runs: what was trained on what, who works on it under which lease, and its figures step by step."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    json = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
    op.create_table(
        "training_run",
        sa.Column("objective", sa.Text(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("config", json, nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("snapshot_sha256", sa.Text(), nullable=False),
        sa.Column("spec_version", sa.Integer(), nullable=False),
        sa.Column("spec_digest", sa.Text(), nullable=False),
        sa.Column("versions", json, nullable=False),
        sa.Column("git_revision", sa.Text(), nullable=True),
        sa.Column("policy_line", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column(
            "state",
            sa.Enum("queued", "running", "stopped", "failed", "done", name="state", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("stop_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fencing_token", sa.Integer(), nullable=False),
        sa.Column("log_path", sa.Text(), nullable=True),
        sa.Column("adapter_path", sa.Text(), nullable=True),
        sa.Column("adapter_sha256", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("step >= 0 AND steps >= 0", name=op.f("ck_training_run_progress")),
        sa.CheckConstraint("fencing_token >= 0", name=op.f("ck_training_run_fencing_token")),
        sa.CheckConstraint("(lease_owner IS NULL) = (lease_expires_at IS NULL)", name=op.f("ck_training_run_lease")),
        sa.CheckConstraint("(state = 'running') = (lease_owner IS NOT NULL)", name=op.f("ck_training_run_held")),
        sa.CheckConstraint("state <> 'done' OR adapter_sha256 IS NOT NULL", name=op.f("ck_training_run_done")),
        sa.CheckConstraint("state <> 'failed' OR error IS NOT NULL", name=op.f("ck_training_run_failed")),
        sa.ForeignKeyConstraint(["requested_by"], ["app_user.id"], name=op.f("fk_training_run_requested_by_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_run")),
        sa.UniqueConstraint("folder", name=op.f("uq_training_run_folder")),
    )
    op.create_index(op.f("ix_training_run_state_created_at"), "training_run", ["state", "created_at"], unique=False)
    op.create_index(op.f("ix_training_run_created_at"), "training_run", ["created_at"], unique=False)
    op.create_index(op.f("ix_training_run_requested_by"), "training_run", ["requested_by"], unique=False)
    running = sa.text("state = 'running'")
    op.create_index("ix_training_run_lease", "training_run", ["lease_expires_at"], unique=False, postgresql_where=running)
    op.create_index("uq_training_run_running", "training_run", ["policy_line"], unique=True, postgresql_where=running)
    op.create_table(
        "training_metric",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("values", json, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("step >= 0", name=op.f("ck_training_metric_step")),
        sa.ForeignKeyConstraint(["run_id"], ["training_run.id"], name=op.f("fk_training_metric_run_id_training_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_metric")),
        sa.UniqueConstraint("run_id", "step", name=op.f("uq_training_metric_run_id_step")),
    )


def downgrade() -> None:
    op.drop_table("training_metric")
    op.drop_table("training_run")
