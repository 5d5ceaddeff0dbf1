"""Know a lease for deciding a dispute from one for judging, and find drafts that had an alternative, or were rejected, by index."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("rating_assignment", sa.Column("adjudicates", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.alter_column("rating_assignment", "adjudicates", server_default=None)
    op.create_index("ix_draft_alternative", "draft", ["created_at"], postgresql_where=sa.text("attempt > 1"))
    op.create_index("ix_draft_alternative_sample", "draft", [sa.text("md5(id::text)")], postgresql_where=sa.text("attempt > 1"))
    op.create_index("ix_draft_rejected", "draft", ["created_at"], postgresql_where=sa.text("status = 'rejected'"))


def downgrade() -> None:
    op.drop_index("ix_draft_rejected", "draft")
    op.drop_index("ix_draft_alternative_sample", "draft")
    op.drop_index("ix_draft_alternative", "draft")
    op.drop_column("rating_assignment", "adjudicates")
