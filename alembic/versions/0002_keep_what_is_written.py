"""Keep what is written: triggers that no application can forget.

``audit_event`` and ``guard_verdict`` are append-only. In ``turn`` a column that holds a value keeps it, while a blank one may be filled (a
hotel's words are stored before they are read); the same goes for ``draft`` but for its status. None of their rows can be deleted.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: its rows are kept as they were written', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'Correct it by writing a new row.';
END
$$
"""

KEEP_WHAT_IS_WRITTEN = """
CREATE FUNCTION keep_what_is_written() RETURNS trigger LANGUAGE plpgsql AS $$
-- The trigger's arguments are the columns that may change.
DECLARE
    was jsonb := to_jsonb(OLD);
    becomes jsonb := to_jsonb(NEW);
    changed text;
BEGIN
    SELECT key INTO changed
    FROM jsonb_each(was)
    WHERE value <> 'null' AND value IS DISTINCT FROM becomes -> key AND key <> ALL (COALESCE(TG_ARGV, '{}'))
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'UPDATE of %.% is refused: what is written there is never changed (row %)', TG_TABLE_NAME, changed, OLD.id
            USING ERRCODE = 'restrict_violation', HINT = 'Correct it by writing a new row.';
    END IF;
    RETURN NEW;
END
$$
"""

APPEND_ONLY = ("audit_event", "guard_verdict")
WRITTEN_ONCE = {"turn": (), "draft": ("status",)}


def upgrade() -> None:
    op.execute(REFUSE_CHANGE)
    op.execute(KEEP_WHAT_IS_WRITTEN)
    for table in APPEND_ONLY:
        op.execute(f"CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()")
    for table, free in WRITTEN_ONCE.items():
        arguments = ", ".join(f"'{column}'" for column in free)
        op.execute(f"CREATE TRIGGER refuse_change BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()")
        op.execute(
            f"CREATE TRIGGER keep_what_is_written BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION keep_what_is_written({arguments})"
        )
    for table in (*APPEND_ONLY, *WRITTEN_ONCE):
        op.execute(f"CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")


def downgrade() -> None:
    for table in (*APPEND_ONLY, *WRITTEN_ONCE):
        op.execute(f"DROP TRIGGER refuse_truncate ON {table}")
        op.execute(f"DROP TRIGGER refuse_change ON {table}")
    for table in WRITTEN_ONCE:
        op.execute(f"DROP TRIGGER keep_what_is_written ON {table}")
    op.execute("DROP FUNCTION keep_what_is_written()")
    op.execute("DROP FUNCTION refuse_change()")
