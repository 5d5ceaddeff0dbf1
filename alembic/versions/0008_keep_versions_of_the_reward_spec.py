"""Keep versions of the reward spec: a body stays as it was proposed, and a version that was approved is never a draft again."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

GOES_BACK = "(OLD.status = 'approved' AND NEW.status = 'draft') OR (OLD.status = 'retired' AND NEW.status <> 'retired')"


def upgrade() -> None:
    op.create_table(
        "reward_spec",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("parent", sa.Integer(), nullable=True),
        sa.Column(
            "status",
            sa.Enum("draft", "approved", "retired", name="status", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_reward_spec_version")),
        sa.CheckConstraint("parent < version", name=op.f("ck_reward_spec_parent")),
        sa.CheckConstraint("(body ->> 'version')::integer = version", name=op.f("ck_reward_spec_body_version")),
        sa.CheckConstraint("status <> 'approved' OR approved_at IS NOT NULL", name=op.f("ck_reward_spec_approved")),
        sa.CheckConstraint("status <> 'draft' OR approved_at IS NULL", name=op.f("ck_reward_spec_draft")),
        sa.CheckConstraint("approved_by IS NULL OR approved_at IS NOT NULL", name=op.f("ck_reward_spec_approved_by")),
        sa.ForeignKeyConstraint(["approved_by"], ["app_user.id"], name=op.f("fk_reward_spec_approved_by_app_user")),
        sa.ForeignKeyConstraint(["created_by"], ["app_user.id"], name=op.f("fk_reward_spec_created_by_app_user")),
        sa.ForeignKeyConstraint(["parent"], ["reward_spec.version"], name=op.f("fk_reward_spec_parent_reward_spec")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reward_spec")),
        sa.UniqueConstraint("version", name=op.f("uq_reward_spec_version")),
    )
    op.create_index(op.f("ix_reward_spec_status_version"), "reward_spec", ["status", "version"], unique=False)
    op.create_index(op.f("ix_reward_spec_parent"), "reward_spec", ["parent"], unique=False)
    op.create_index(op.f("ix_reward_spec_created_by"), "reward_spec", ["created_by"], unique=False)
    op.create_index(op.f("ix_reward_spec_approved_by"), "reward_spec", ["approved_by"], unique=False)
    row = "ON reward_spec FOR EACH ROW"
    op.execute(f"CREATE TRIGGER refuse_change BEFORE DELETE {row} EXECUTE FUNCTION refuse_change()")
    op.execute(f"CREATE TRIGGER keep_what_is_written BEFORE UPDATE {row} EXECUTE FUNCTION keep_what_is_written('status')")
    op.execute(f"CREATE TRIGGER refuse_way_back BEFORE UPDATE {row} WHEN ({GOES_BACK}) EXECUTE FUNCTION refuse_change()")
    op.execute("CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON reward_spec FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")


def downgrade() -> None:
    op.drop_table("reward_spec")
