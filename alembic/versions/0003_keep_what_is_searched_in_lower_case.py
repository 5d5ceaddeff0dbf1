"""Keep what is searched in lower case: columns that the database derives itself."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

DERIVED = {"hotel": "lower(name || ' ' || city)", "ticket": "lower(reference || ' ' || room_type)"}


def upgrade() -> None:
    for table, expression in DERIVED.items():
        op.add_column(table, sa.Column("search_text", sa.Text(), sa.Computed(expression, persisted=True), nullable=False))


def downgrade() -> None:
    for table in DERIVED:
        op.drop_column(table, "search_text")
