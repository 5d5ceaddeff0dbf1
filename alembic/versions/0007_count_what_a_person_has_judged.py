"""Count what a person has judged and skipped from an index alone: the desk says it with every task."""

from collections.abc import Sequence

from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index("ix_rating_assignment_tally", "rating_assignment", ["rater_id", "state", "ended_at"])


def downgrade() -> None:
    op.drop_index("ix_rating_assignment_tally", "rating_assignment")
