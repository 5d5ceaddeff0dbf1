"""Write retrains down: what asked for them, their steps, who works on each under which lease, and when the next one is due."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    json = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
    op.create_table(
        "retrain_schedule",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("policy_line", sa.Text(), nullable=False),
        sa.Column("plan", json, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("cron", sa.Text(), nullable=True),
        sa.Column("min_ratings", sa.Integer(), nullable=True),
        sa.Column("min_bad_cases", sa.Integer(), nullable=True),
        sa.Column("quiet_from", sa.Time(), nullable=True),
        sa.Column("quiet_to", sa.Time(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_fired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counted_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(quiet_from IS NULL) = (quiet_to IS NULL)", name=op.f("ck_retrain_schedule_quiet")),
        sa.CheckConstraint(
            "cron IS NOT NULL OR min_ratings IS NOT NULL OR min_bad_cases IS NOT NULL", name=op.f("ck_retrain_schedule_condition")
        ),
        sa.CheckConstraint("min_bad_cases >= 1", name=op.f("ck_retrain_schedule_min_bad_cases")),
        sa.CheckConstraint("min_ratings >= 1", name=op.f("ck_retrain_schedule_min_ratings")),
        sa.CheckConstraint("next_due_at IS NULL OR cron IS NOT NULL", name=op.f("ck_retrain_schedule_due")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retrain_schedule")),
        sa.UniqueConstraint("name", name=op.f("uq_retrain_schedule_name")),
    )
    op.create_index("ix_retrain_schedule_due", "retrain_schedule", ["next_due_at"], unique=False, postgresql_where=sa.text("enabled"))
    op.create_table(
        "retrain",
        sa.Column("policy_line", sa.Text(), nullable=False),
        sa.Column(
            "trigger",
            sa.Enum("by_hand", "schedule", "ratings", "bad_case", name="trigger", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("plan", json, nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("schedule_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "running",
                "canary",
                "live",
                "rejected",
                "failed",
                "cancelled",
                "rolled_back",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "step",
            sa.Enum(
                "snapshot",
                "reward_model",
                "policy",
                "evaluate",
                "gate",
                "publish",
                "canary",
                "live",
                name="step",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("log_path", sa.Text(), nullable=True),
        sa.Column("training_run_id", sa.Uuid(), nullable=True),
        sa.Column("candidate_id", sa.Uuid(), nullable=True),
        sa.Column("verdict", json, nullable=True),
        sa.Column("override_by", sa.Uuid(), nullable=True),
        sa.Column("override_reason", sa.Text(), nullable=True),
        sa.Column("override_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fencing_token", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(state = 'running') = (lease_owner IS NOT NULL)", name=op.f("ck_retrain_held")),
        sa.CheckConstraint("override_reason <> ''", name=op.f("ck_retrain_override_reason")),
        sa.CheckConstraint("state <> 'failed' OR error IS NOT NULL", name=op.f("ck_retrain_failed")),
        sa.CheckConstraint("state <> 'rejected' OR verdict IS NOT NULL", name=op.f("ck_retrain_rejected")),
        sa.CheckConstraint("state NOT IN ('canary', 'live', 'rolled_back') OR candidate_id IS NOT NULL", name=op.f("ck_retrain_candidate")),
        sa.CheckConstraint("(lease_owner IS NULL) = (lease_expires_at IS NULL)", name=op.f("ck_retrain_lease")),
        sa.CheckConstraint("(override_reason IS NULL) = (override_at IS NULL)", name=op.f("ck_retrain_override")),
        sa.CheckConstraint("fencing_token >= 0", name=op.f("ck_retrain_fencing_token")),
        sa.ForeignKeyConstraint(["candidate_id"], ["policy_version.id"], name=op.f("fk_retrain_candidate_id_policy_version")),
        sa.ForeignKeyConstraint(["override_by"], ["app_user.id"], name=op.f("fk_retrain_override_by_app_user")),
        sa.ForeignKeyConstraint(["requested_by"], ["app_user.id"], name=op.f("fk_retrain_requested_by_app_user")),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["retrain_schedule.id"], name=op.f("fk_retrain_schedule_id_retrain_schedule"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["training_run_id"], ["training_run.id"], name=op.f("fk_retrain_training_run_id_training_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retrain")),
        sa.UniqueConstraint("folder", name=op.f("uq_retrain_folder")),
    )
    op.create_index(op.f("ix_retrain_candidate_id"), "retrain", ["candidate_id"], unique=False)
    op.create_index(op.f("ix_retrain_created_at"), "retrain", ["created_at"], unique=False)
    op.create_index("ix_retrain_lease", "retrain", ["lease_expires_at"], unique=False, postgresql_where=sa.text("state = 'running'"))
    op.create_index(op.f("ix_retrain_override_by"), "retrain", ["override_by"], unique=False)
    op.create_index(op.f("ix_retrain_requested_by"), "retrain", ["requested_by"], unique=False)
    op.create_index(op.f("ix_retrain_schedule_id"), "retrain", ["schedule_id"], unique=False)
    op.create_index(op.f("ix_retrain_state_created_at"), "retrain", ["state", "created_at"], unique=False)
    op.create_index(op.f("ix_retrain_training_run_id"), "retrain", ["training_run_id"], unique=False)
    op.create_index("uq_retrain_line", "retrain", ["policy_line"], unique=True, postgresql_where=sa.text("state IN ('running', 'canary')"))
    op.create_table(
        "retrain_step",
        sa.Column("retrain_id", sa.Uuid(), nullable=False),
        sa.Column(
            "step",
            sa.Enum(
                "snapshot",
                "reward_model",
                "policy",
                "evaluate",
                "gate",
                "publish",
                "canary",
                "live",
                name="step",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum("waiting", "running", "done", "failed", "skipped", name="state", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("figures", json, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state <> 'done' OR (started_at IS NOT NULL AND ended_at IS NOT NULL)", name=op.f("ck_retrain_step_done")),
        sa.CheckConstraint("progress BETWEEN 0 AND 1", name=op.f("ck_retrain_step_progress")),
        sa.ForeignKeyConstraint(["retrain_id"], ["retrain.id"], name=op.f("fk_retrain_step_retrain_id_retrain"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retrain_step")),
        sa.UniqueConstraint("retrain_id", "step", name=op.f("uq_retrain_step_retrain_id_step")),
    )


def downgrade() -> None:
    op.drop_table("retrain_step")
    op.drop_table("retrain")
    op.drop_table("retrain_schedule")
