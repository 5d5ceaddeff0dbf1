"""Lay the tables of ratings: queues, what is in them, who holds what, and judgements.

A judgement, its tags, a bad case and its versions, and an imported example are append-only; a gold answer may only be retired. An
assignment is a lease and changes; what it led to does not.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


APPEND_ONLY = ("rating", "rating_tag", "bad_case", "bad_case_version", "imported_example")
WRITTEN_ONCE = ("gold_answer",)
TABLES = (
    "bad_case_version",
    "rating_tag",
    "bad_case",
    "rating_assignment",
    "rating",
    "rating_item",
    "gold_answer",
    "rating_queue",
    "imported_example",
)
"""Those that refer to others first."""


def upgrade() -> None:
    op.create_table(
        "imported_example",
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("turn", "comparison", "dialogue", name="kind", native_enum=False, create_constraint=True, length=32),
            nullable=True,
        ),
        sa.Column("content", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("provenance", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("imported_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["imported_by"], ["app_user.id"], name=op.f("fk_imported_example_imported_by_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imported_example")),
    )
    op.create_index(op.f("ix_imported_example_format_id"), "imported_example", ["format", "id"], unique=False)
    op.create_index(op.f("ix_imported_example_imported_by"), "imported_example", ["imported_by"], unique=False)
    op.create_table(
        "rating_queue",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("turn", "comparison", "dialogue", name="kind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column(
            "policy",
            sa.Enum(
                "newest", "random", "uncertain", "canary", "bad_case", name="policy", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("raters_per_item", sa.Integer(), nullable=False),
        sa.Column("reservation_s", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("gold_share", sa.Numeric(precision=7, scale=6), nullable=False),
        sa.Column("adjudicate_over", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("filters", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("adjudicate_over BETWEEN 1 AND 4", name=op.f("ck_rating_queue_adjudicate_over")),
        sa.CheckConstraint("gold_share >= 0 AND gold_share <= 0.5", name=op.f("ck_rating_queue_gold_share")),
        sa.CheckConstraint("raters_per_item BETWEEN 1 AND 20", name=op.f("ck_rating_queue_raters_per_item")),
        sa.CheckConstraint("reservation_s BETWEEN 30 AND 86400", name=op.f("ck_rating_queue_reservation_s")),
        sa.CheckConstraint("size BETWEEN 1 AND 1000000", name=op.f("ck_rating_queue_size")),
        sa.ForeignKeyConstraint(["created_by"], ["app_user.id"], name=op.f("fk_rating_queue_created_by_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating_queue")),
        sa.UniqueConstraint("name", name=op.f("uq_rating_queue_name")),
    )
    op.create_index(
        "ix_rating_queue_active", "rating_queue", ["priority", "created_at"], unique=False, postgresql_where=sa.text("closed_at IS NULL")
    )
    op.create_index(op.f("ix_rating_queue_created_by"), "rating_queue", ["created_by"], unique=False)
    op.create_table(
        "gold_answer",
        sa.Column("turn_id", sa.Uuid(), nullable=False),
        sa.Column("stars_from", sa.Integer(), nullable=False),
        sa.Column("stars_to", sa.Integer(), nullable=False),
        sa.Column(
            "tags",
            postgresql.ARRAY(
                sa.Enum(
                    "silence_as_consent",
                    "net_selling_mixup",
                    "pushing_on",
                    "internal_words",
                    "one_room_only",
                    "over_promise",
                    "invented_fact",
                    "robotic_repetition",
                    "haggling_with_anger",
                    "mixed_language",
                    "pressure",
                    "missing_terms",
                    "ignoring_wrong_person",
                    "guessing",
                    "reasoning_leak",
                    "reproach",
                    "skipped_greeting",
                    name="tags",
                    native_enum=False,
                    length=32,
                )
            ),
            nullable=False,
        ),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("stars_from BETWEEN 1 AND 5 AND stars_to BETWEEN stars_from AND 5", name=op.f("ck_gold_answer_stars")),
        sa.ForeignKeyConstraint(["created_by"], ["app_user.id"], name=op.f("fk_gold_answer_created_by_app_user")),
        sa.ForeignKeyConstraint(["turn_id"], ["turn.id"], name=op.f("fk_gold_answer_turn_id_turn")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gold_answer")),
    )
    op.create_index(op.f("ix_gold_answer_created_by"), "gold_answer", ["created_by"], unique=False)
    op.create_index("uq_gold_answer_turn", "gold_answer", ["turn_id"], unique=True, postgresql_where=sa.text("retired_at IS NULL"))
    op.create_table(
        "rating_item",
        sa.Column("queue_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("turn_id", sa.Uuid(), nullable=True),
        sa.Column("first_draft_id", sa.Uuid(), nullable=True),
        sa.Column("second_draft_id", sa.Uuid(), nullable=True),
        sa.Column("gold_answer_id", sa.Uuid(), nullable=True),
        sa.Column("open_places", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("position", sa.Double(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open", "judged", "disputed", "adjudicated", "withdrawn", name="state", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(first_draft_id IS NULL) = (second_draft_id IS NULL)", name=op.f("ck_rating_item_two_drafts")),
        sa.CheckConstraint("first_draft_id <> second_draft_id", name=op.f("ck_rating_item_different_drafts")),
        sa.CheckConstraint("open_places >= 0", name=op.f("ck_rating_item_open_places")),
        sa.CheckConstraint("turn_id IS NULL OR first_draft_id IS NULL", name=op.f("ck_rating_item_one_subject")),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_rating_item_conversation_id_conversation")),
        sa.ForeignKeyConstraint(["first_draft_id"], ["draft.id"], name=op.f("fk_rating_item_first_draft_id_draft")),
        sa.ForeignKeyConstraint(["gold_answer_id"], ["gold_answer.id"], name=op.f("fk_rating_item_gold_answer_id_gold_answer")),
        sa.ForeignKeyConstraint(["queue_id"], ["rating_queue.id"], name=op.f("fk_rating_item_queue_id_rating_queue")),
        sa.ForeignKeyConstraint(["second_draft_id"], ["draft.id"], name=op.f("fk_rating_item_second_draft_id_draft")),
        sa.ForeignKeyConstraint(["turn_id"], ["turn.id"], name=op.f("fk_rating_item_turn_id_turn")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating_item")),
    )
    op.create_index(op.f("ix_rating_item_conversation_id"), "rating_item", ["conversation_id"], unique=False)
    op.create_index(
        "ix_rating_item_disputed", "rating_item", ["queue_id", "created_at"], unique=False, postgresql_where=sa.text("state = 'disputed'")
    )
    op.create_index(op.f("ix_rating_item_first_draft_id"), "rating_item", ["first_draft_id"], unique=False)
    op.create_index(
        "ix_rating_item_gold",
        "rating_item",
        ["queue_id", "position"],
        unique=False,
        postgresql_where=sa.text("open_places > 0 AND gold_answer_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_rating_item_gold_answer_id"), "rating_item", ["gold_answer_id"], unique=False)
    op.create_index(
        "ix_rating_item_next",
        "rating_item",
        ["queue_id", "priority", "position", "id"],
        unique=False,
        postgresql_where=sa.text("open_places > 0 AND state = 'open' AND gold_answer_id IS NULL"),
    )
    op.create_index(op.f("ix_rating_item_queue_id_state"), "rating_item", ["queue_id", "state"], unique=False)
    op.create_index(op.f("ix_rating_item_second_draft_id"), "rating_item", ["second_draft_id"], unique=False)
    op.create_index(op.f("ix_rating_item_turn_id"), "rating_item", ["turn_id"], unique=False)
    op.create_index(
        "uq_rating_item_dialogue",
        "rating_item",
        ["queue_id", "conversation_id"],
        unique=True,
        postgresql_where=sa.text("turn_id IS NULL AND first_draft_id IS NULL"),
    )
    op.create_index(
        "uq_rating_item_drafts",
        "rating_item",
        ["queue_id", "first_draft_id", "second_draft_id"],
        unique=True,
        postgresql_where=sa.text("first_draft_id IS NOT NULL"),
    )
    op.create_index(
        "uq_rating_item_turn", "rating_item", ["queue_id", "turn_id"], unique=True, postgresql_where=sa.text("turn_id IS NOT NULL")
    )
    op.create_table(
        "rating",
        sa.Column(
            "kind",
            sa.Enum("turn", "comparison", "dialogue", name="kind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("rater_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("turn_id", sa.Uuid(), nullable=True),
        sa.Column("first_draft_id", sa.Uuid(), nullable=True),
        sa.Column("second_draft_id", sa.Uuid(), nullable=True),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("adjudicates", sa.Boolean(), nullable=False),
        sa.Column(
            "source",
            sa.Enum("desk", "imported", "simulated", name="source", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("stars", sa.Integer(), nullable=True),
        sa.Column("excellent", sa.Boolean(), nullable=False),
        sa.Column(
            "preferred",
            sa.Enum("first", "second", "tie", name="preferred", native_enum=False, create_constraint=True, length=32),
            nullable=True,
        ),
        sa.Column("strength", sa.Integer(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("rewrite", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(kind = 'comparison') = (first_draft_id IS NOT NULL)", name=op.f("ck_rating_first_draft")),
        sa.CheckConstraint("(kind = 'comparison') = (second_draft_id IS NOT NULL)", name=op.f("ck_rating_second_draft")),
        sa.CheckConstraint("(kind = 'turn') = (turn_id IS NOT NULL)", name=op.f("ck_rating_turn")),
        sa.CheckConstraint("(preferred IS NULL OR preferred = 'tie') = (strength IS NULL)", name=op.f("ck_rating_preferred_has_strength")),
        sa.CheckConstraint("withdrawn OR kind <> 'comparison' OR preferred IS NOT NULL", name=op.f("ck_rating_has_preferred")),
        sa.CheckConstraint("withdrawn OR kind = 'comparison' OR stars IS NOT NULL", name=op.f("ck_rating_has_stars")),
        sa.CheckConstraint("NOT withdrawn OR supersedes_id IS NOT NULL", name=op.f("ck_rating_withdrawal")),
        sa.CheckConstraint("seconds >= 0", name=op.f("ck_rating_seconds")),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name=op.f("ck_rating_stars")),
        sa.CheckConstraint("strength BETWEEN 1 AND 4", name=op.f("ck_rating_strength")),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_rating_conversation_id_conversation")),
        sa.ForeignKeyConstraint(["first_draft_id"], ["draft.id"], name=op.f("fk_rating_first_draft_id_draft")),
        sa.ForeignKeyConstraint(["item_id"], ["rating_item.id"], name=op.f("fk_rating_item_id_rating_item")),
        sa.ForeignKeyConstraint(["rater_id"], ["app_user.id"], name=op.f("fk_rating_rater_id_app_user")),
        sa.ForeignKeyConstraint(["second_draft_id"], ["draft.id"], name=op.f("fk_rating_second_draft_id_draft")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["rating.id"], name=op.f("fk_rating_supersedes_id_rating")),
        sa.ForeignKeyConstraint(["turn_id"], ["turn.id"], name=op.f("fk_rating_turn_id_turn")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating")),
        sa.UniqueConstraint("rater_id", "idempotency_key", name=op.f("uq_rating_rater_id_idempotency_key")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_rating_supersedes_id")),
    )
    op.create_index(op.f("ix_rating_conversation_id"), "rating", ["conversation_id"], unique=False)
    op.create_index(op.f("ix_rating_created_at_id"), "rating", ["created_at", "id"], unique=False)
    op.create_index(op.f("ix_rating_first_draft_id"), "rating", ["first_draft_id"], unique=False)
    op.create_index(op.f("ix_rating_item_id"), "rating", ["item_id"], unique=False)
    op.create_index("ix_rating_low", "rating", ["created_at", "id"], unique=False, postgresql_where=sa.text("stars <= 2 AND NOT withdrawn"))
    op.create_index(op.f("ix_rating_rater_id_created_at"), "rating", ["rater_id", "created_at"], unique=False)
    op.create_index(op.f("ix_rating_second_draft_id"), "rating", ["second_draft_id"], unique=False)
    op.create_index(op.f("ix_rating_turn_id"), "rating", ["turn_id"], unique=False)
    op.create_table(
        "rating_assignment",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("rater_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "reserved", "done", "skipped", "expired", "released", name="state", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("skip_reason", sa.Text(), nullable=True),
        sa.Column("swapped", sa.Boolean(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["rating_item.id"], name=op.f("fk_rating_assignment_item_id_rating_item")),
        sa.ForeignKeyConstraint(["rater_id"], ["app_user.id"], name=op.f("fk_rating_assignment_rater_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating_assignment")),
    )
    op.create_index(
        "ix_rating_assignment_expiry", "rating_assignment", ["expires_at"], unique=False, postgresql_where=sa.text("state = 'reserved'")
    )
    op.create_index(
        "ix_rating_assignment_held",
        "rating_assignment",
        ["rater_id", "expires_at"],
        unique=False,
        postgresql_where=sa.text("state = 'reserved'"),
    )
    op.create_index(op.f("ix_rating_assignment_rater_id_created_at"), "rating_assignment", ["rater_id", "created_at"], unique=False)
    op.create_index(
        "uq_rating_assignment_item_rater",
        "rating_assignment",
        ["item_id", "rater_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('reserved', 'done', 'skipped')"),
    )
    op.create_table(
        "bad_case",
        sa.Column("turn_id", sa.Uuid(), nullable=False),
        sa.Column("rating_id", sa.Uuid(), nullable=True),
        sa.Column("context", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("reply", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["app_user.id"], name=op.f("fk_bad_case_created_by_app_user")),
        sa.ForeignKeyConstraint(["rating_id"], ["rating.id"], name=op.f("fk_bad_case_rating_id_rating")),
        sa.ForeignKeyConstraint(["turn_id"], ["turn.id"], name=op.f("fk_bad_case_turn_id_turn")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bad_case")),
        sa.UniqueConstraint("turn_id", name=op.f("uq_bad_case_turn_id")),
    )
    op.create_index(op.f("ix_bad_case_created_at_id"), "bad_case", ["created_at", "id"], unique=False)
    op.create_index(op.f("ix_bad_case_created_by"), "bad_case", ["created_by"], unique=False)
    op.create_index(op.f("ix_bad_case_rating_id"), "bad_case", ["rating_id"], unique=False)
    op.create_table(
        "rating_tag",
        sa.Column("rating_id", sa.Uuid(), nullable=False),
        sa.Column(
            "tag",
            sa.Enum(
                "silence_as_consent",
                "net_selling_mixup",
                "pushing_on",
                "internal_words",
                "one_room_only",
                "over_promise",
                "invented_fact",
                "robotic_repetition",
                "haggling_with_anger",
                "mixed_language",
                "pressure",
                "missing_terms",
                "ignoring_wrong_person",
                "guessing",
                "reasoning_leak",
                "reproach",
                "skipped_greeting",
                name="tag",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "severity",
            sa.Enum("minor", "major", "severe", name="severity", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["rating_id"], ["rating.id"], name=op.f("fk_rating_tag_rating_id_rating")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating_tag")),
        sa.UniqueConstraint("rating_id", "tag", name=op.f("uq_rating_tag_rating_id_tag")),
    )
    op.create_index(op.f("ix_rating_tag_tag_created_at"), "rating_tag", ["tag", "created_at"], unique=False)
    op.create_table(
        "bad_case_version",
        sa.Column("bad_case_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column(
            "fault",
            sa.Enum(
                "silence_as_consent",
                "net_selling_mixup",
                "pushing_on",
                "internal_words",
                "one_room_only",
                "over_promise",
                "invented_fact",
                "robotic_repetition",
                "haggling_with_anger",
                "mixed_language",
                "pressure",
                "missing_terms",
                "ignoring_wrong_person",
                "guessing",
                "reasoning_leak",
                "reproach",
                "skipped_greeting",
                name="fault",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "severity",
            sa.Enum("minor", "major", "severe", name="severity", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("wrong", sa.Text(), nullable=False),
        sa.Column("must", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("must_not", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_bad_case_version_number")),
        sa.ForeignKeyConstraint(["bad_case_id"], ["bad_case.id"], name=op.f("fk_bad_case_version_bad_case_id_bad_case")),
        sa.ForeignKeyConstraint(["written_by"], ["app_user.id"], name=op.f("fk_bad_case_version_written_by_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bad_case_version")),
        sa.UniqueConstraint("bad_case_id", "number", name=op.f("uq_bad_case_version_bad_case_id_number")),
    )
    op.create_index(op.f("ix_bad_case_version_fault_created_at"), "bad_case_version", ["fault", "created_at"], unique=False)
    op.create_index(op.f("ix_bad_case_version_written_by"), "bad_case_version", ["written_by"], unique=False)
    for table in APPEND_ONLY:
        op.execute(f"CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()")
    for table in WRITTEN_ONCE:
        op.execute(f"CREATE TRIGGER refuse_change BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()")
        op.execute(f"CREATE TRIGGER keep_what_is_written BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION keep_what_is_written()")
    for table in (*APPEND_ONLY, *WRITTEN_ONCE):
        op.execute(f"CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
