"""Keep what the reward says of replies that were sent, and find those where its sources are at odds."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "turn_score",
        sa.Column("turn_id", sa.Uuid(), nullable=False),
        sa.Column("reward_model", sa.Text(), nullable=False),
        sa.Column("spec_digest", sa.Text(), nullable=False),
        sa.Column("model", sa.Double(), nullable=False),
        sa.Column("judge", sa.Double(), nullable=True),
        sa.Column("total", sa.Double(), nullable=False),
        sa.Column("parts", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("doubt", sa.Double(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("doubt BETWEEN 0 AND 1", name=op.f("ck_turn_score_doubt")),
        sa.CheckConstraint("judge IS NOT NULL OR doubt IS NULL", name=op.f("ck_turn_score_doubt_needs_judge")),
        sa.ForeignKeyConstraint(["turn_id"], ["turn.id"], name=op.f("fk_turn_score_turn_id_turn")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_turn_score")),
        sa.UniqueConstraint("turn_id", "reward_model", "spec_digest", name=op.f("uq_turn_score_turn_id_reward_model_spec_digest")),
    )
    op.create_index("ix_turn_score_doubtful", "turn_score", ["created_at", "id"], unique=False, postgresql_where=sa.text("doubt >= 0.5"))


def downgrade() -> None:
    op.drop_table("turn_score")
