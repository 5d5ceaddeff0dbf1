"""One verdict for one breach: which rules passed is said by the draft itself, in one array instead of fifteen rows."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

FILL = """
UPDATE draft SET rules_checked = judged.rules
FROM (SELECT draft_id, array_agg(DISTINCT rule ORDER BY rule) AS rules FROM guard_verdict WHERE NOT of_edit GROUP BY draft_id) judged
WHERE judged.draft_id = draft.id
"""

UNFOLD = """
INSERT INTO guard_verdict (id, draft_id, rule, passed, message, of_edit, created_at)
SELECT gen_random_uuid(), draft.id, rule, true, '', false, draft.created_at
FROM draft, unnest(draft.rules_checked) checked(rule)
WHERE NOT EXISTS (
    SELECT FROM guard_verdict known WHERE known.draft_id = draft.id AND known.rule = checked.rule AND NOT known.of_edit
)
"""


def upgrade() -> None:
    op.add_column("draft", sa.Column("rules_checked", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.execute("ALTER TABLE draft DISABLE TRIGGER keep_what_is_written")
    op.execute(FILL)
    op.execute("ALTER TABLE draft ENABLE TRIGGER keep_what_is_written")
    op.alter_column("draft", "rules_checked", server_default=None)
    op.execute("ALTER TABLE guard_verdict DISABLE TRIGGER refuse_change")
    op.execute("DELETE FROM guard_verdict WHERE passed")
    op.execute("ALTER TABLE guard_verdict ENABLE TRIGGER refuse_change")
    op.drop_index("ix_guard_verdict_failed", "guard_verdict")
    op.drop_index("ix_guard_verdict_failed_newest", "guard_verdict")
    op.drop_constraint("ck_guard_verdict_failed_has_severity", "guard_verdict")
    op.drop_column("guard_verdict", "passed")
    op.alter_column("guard_verdict", "severity", nullable=False)
    op.create_index("ix_guard_verdict_rule_created_at", "guard_verdict", ["rule", "created_at"])
    op.create_index("ix_guard_verdict_created_at_draft_id", "guard_verdict", ["created_at", "draft_id"])


def downgrade() -> None:
    op.drop_index("ix_guard_verdict_created_at_draft_id", "guard_verdict")
    op.drop_index("ix_guard_verdict_rule_created_at", "guard_verdict")
    op.alter_column("guard_verdict", "severity", nullable=True)
    op.add_column("guard_verdict", sa.Column("passed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.alter_column("guard_verdict", "passed", server_default=None)
    op.execute(UNFOLD)
    op.create_check_constraint("ck_guard_verdict_failed_has_severity", "guard_verdict", "passed OR severity IS NOT NULL")
    op.create_index("ix_guard_verdict_failed", "guard_verdict", ["rule", "created_at"], postgresql_where=sa.text("NOT passed"))
    op.create_index("ix_guard_verdict_failed_newest", "guard_verdict", ["created_at", "draft_id"], postgresql_where=sa.text("NOT passed"))
    op.drop_column("draft", "rules_checked")
