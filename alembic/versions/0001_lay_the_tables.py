"""Lay the tables: people, hotels and tickets, policy versions, conversations.

The words and types are spelt out here, so that this migration stays what it was when the vocabulary grows.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLES = (
    "app_user",
    "user_session",
    "login_attempt",
    "audit_event",
    "hotel",
    "contact",
    "ticket",
    "policy_version",
    "deployment",
    "conversation",
    "conversation_ticket",
    "draft",
    "guard_verdict",
    "turn",
)
"""In the order of creation."""

INSTANT = sa.DateTime(timezone=True)
MONEY = sa.Numeric(14, 3)
SHARE = sa.Numeric(7, 6)
WORD = sa.String(32)

CONCESSION_TACTIC = ("linear", "boulware", "conceder")
TICKET_STATUS = ("open", "agreed", "declined", "expired", "handed_over")
POLICY_STATUS = ("candidate", "published", "rejected", "removed")
DEPLOYMENT_ROLE = ("live", "canary", "retired")
MODE = ("copilot", "autopilot")
COUNTERPART = ("human", "simulated")
STAGE = (
    "opening",
    "situation",
    "proposal",
    "persuasion",
    "clarification",
    "confirmation",
    "closing",
    "follow_up",
    "escalated",
    "agreed",
    "declined",
    "expired",
    "handed_over",
)
DRAFT_ORIGIN = ("policy", "rewrite", "template", "person")
DRAFT_STATUS = ("pending", "approved", "edited", "rejected", "superseded")
SEVERITY = ("minor", "major", "severe")
SPEAKER = ("hotel", "bd")


def upgrade() -> None:
    create_people()
    create_hotels()
    create_policies()
    create_conversations()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def identity(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )


def one_of(table: str, column: str, words: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{column}"))


def check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def reference(table: str, column: str, referred: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{referred}.id"], name=op.f(f"fk_{table}_{column}_{referred}"))


def unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns)


def create_people() -> None:
    op.create_table(
        "app_user",
        *identity("app_user"),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("external_subject", sa.Text(), nullable=True),
        sa.Column("roles", postgresql.ARRAY(WORD), nullable=False),
        sa.Column("disabled_at", INSTANT, nullable=True),
        check("app_user", "email_lower", "email = lower(email)"),
        check("app_user", "roles", "roles <@ ARRAY['bd', 'annotator', 'ops', 'admin']::varchar[]"),
        unique("app_user", "email"),
        unique("app_user", "external_subject"),
    )
    op.create_table(
        "user_session",
        *identity("user_session"),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT, nullable=True),
        reference("user_session", "user_id", "app_user"),
        unique("user_session", "token_hash"),
    )
    index("user_session", "expires_at")
    index("user_session", "user_id")
    op.create_table(
        "login_attempt",
        *identity("login_attempt"),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("remote_address", sa.Text(), nullable=True),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
    )
    index("login_attempt", "created_at")
    index("login_attempt", "email", "created_at")
    index("login_attempt", "remote_address", "created_at")
    op.create_table(
        "audit_event",
        *identity("audit_event"),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("before", postgresql.JSONB(), nullable=True),
        sa.Column("after", postgresql.JSONB(), nullable=True),
        reference("audit_event", "actor_id", "app_user"),
    )
    index("audit_event", "action", "created_at")
    index("audit_event", "actor_id", "created_at")
    index("audit_event", "created_at")
    index("audit_event", "subject_type", "subject_id", "created_at")


def create_hotels() -> None:
    op.create_table(
        "hotel",
        *identity("hotel"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("star", sa.Numeric(2, 1), nullable=True),
        check("hotel", "star", "star BETWEEN 0 AND 7"),
    )
    op.create_index("ix_hotel_lower_city", "hotel", [sa.text("lower(city)")], unique=False)
    op.create_index(
        "uq_hotel_lower_name_city_country",
        "hotel",
        [sa.text("lower(name)"), sa.text("lower(city)"), sa.text("lower(country)")],
        unique=True,
    )
    op.create_table(
        "contact",
        *identity("contact"),
        sa.Column("hotel_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        reference("contact", "hotel_id", "hotel"),
    )
    index("contact", "hotel_id")
    op.create_table(
        "ticket",
        *identity("ticket"),
        sa.Column("hotel_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("room_type", sa.Text(), nullable=False),
        sa.Column("check_in", sa.Date(), nullable=False),
        sa.Column("check_out", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("current_net", MONEY, nullable=False),
        sa.Column("commission", SHARE, nullable=False),
        sa.Column("rooms", sa.Integer(), nullable=False),
        sa.Column("breakfast", sa.Boolean(), nullable=True),
        sa.Column("tax_included", sa.Boolean(), nullable=True),
        sa.Column("competitor_price", MONEY, nullable=True),
        sa.Column("competitor_source", sa.Text(), nullable=True),
        sa.Column("competitor_seen_on", sa.Date(), nullable=True),
        sa.Column("evidence", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("target", MONEY, nullable=False),
        sa.Column("ceiling", MONEY, nullable=False),
        sa.Column("opening_ask", MONEY, nullable=False),
        sa.Column("tactic", WORD, nullable=False),
        sa.Column("exponent", sa.Double(), nullable=False),
        sa.Column("max_rounds", sa.Integer(), nullable=False),
        sa.Column("status", WORD, nullable=False),
        sa.Column("agreed_net", MONEY, nullable=True),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("updated_at", INSTANT, nullable=False, server_default=sa.text("now()")),
        one_of("ticket", "tactic", CONCESSION_TACTIC),
        one_of("ticket", "status", TICKET_STATUS),
        check("ticket", "agreed_has_net", "status <> 'agreed' OR agreed_net IS NOT NULL"),
        check("ticket", "agreed_within_ceiling", "agreed_net > 0 AND agreed_net <= ceiling"),
        check("ticket", "commission", "commission >= 0 AND commission < 1"),
        check("ticket", "competitor_price", "competitor_price > 0"),
        check("ticket", "currency", "currency ~ '^[A-Z]{3}$'"),
        check("ticket", "current_net", "current_net > 0"),
        check("ticket", "dates", "check_out > check_in"),
        check("ticket", "exponent", "exponent > 0"),
        check("ticket", "mandate", "0 < opening_ask AND opening_ask <= target AND target <= ceiling"),
        check("ticket", "max_rounds", "max_rounds >= 1"),
        check("ticket", "rooms", "rooms >= 1"),
        reference("ticket", "hotel_id", "hotel"),
        reference("ticket", "created_by", "app_user"),
        unique("ticket", "reference"),
    )
    index("ticket", "created_at")
    index("ticket", "created_by", "created_at")
    index("ticket", "hotel_id")
    index("ticket", "status", "created_at")


def create_policies() -> None:
    op.create_table(
        "policy_version",
        *identity("policy_version"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("base_model", sa.Text(), nullable=False),
        sa.Column("adapter_path", sa.Text(), nullable=True),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("status", WORD, nullable=False),
        sa.Column("note", postgresql.JSONB(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        one_of("policy_version", "status", POLICY_STATUS),
        reference("policy_version", "parent_id", "policy_version"),
        reference("policy_version", "created_by", "app_user"),
        unique("policy_version", "name"),
    )
    index("policy_version", "parent_id")
    index("policy_version", "status", "created_at")
    op.create_table(
        "deployment",
        *identity("deployment"),
        sa.Column("policy_version_id", sa.Uuid(), nullable=False),
        sa.Column("role", WORD, nullable=False),
        sa.Column("share", SHARE, nullable=False),
        sa.Column("deployed_by", sa.Uuid(), nullable=True),
        sa.Column("active_from", INSTANT, nullable=False, server_default=sa.text("now()")),
        sa.Column("active_to", INSTANT, nullable=True),
        one_of("deployment", "role", DEPLOYMENT_ROLE),
        check("deployment", "share", "share >= 0 AND share <= 1"),
        check("deployment", "span", "active_to >= active_from"),
        reference("deployment", "policy_version_id", "policy_version"),
        reference("deployment", "deployed_by", "app_user"),
    )
    index("deployment", "active_from")
    index("deployment", "policy_version_id")
    op.create_index(
        "uq_deployment_active", "deployment", ["role"], unique=True, postgresql_where=sa.text("active_to IS NULL AND role <> 'retired'")
    )


def create_conversations() -> None:
    op.create_table(
        "conversation",
        *identity("conversation"),
        sa.Column("hotel_id", sa.Uuid(), nullable=False),
        sa.Column("mode", WORD, nullable=False),
        sa.Column("counterpart", WORD, nullable=False),
        sa.Column("persona", sa.Text(), nullable=True),
        sa.Column("seed", sa.BigInteger(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("stage", WORD, nullable=False),
        sa.Column("state", postgresql.JSONB(), nullable=False),
        sa.Column("turn_count", sa.Integer(), nullable=False),
        sa.Column("policy_version_id", sa.Uuid(), nullable=True),
        sa.Column("sop_version", sa.Text(), nullable=True),
        sa.Column("prompts_version", sa.Text(), nullable=True),
        sa.Column("opened_by", sa.Uuid(), nullable=True),
        sa.Column("taken_over_by", sa.Uuid(), nullable=True),
        sa.Column("next_follow_up_at", INSTANT, nullable=True),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("take_over_key", sa.Text(), nullable=True),
        sa.Column("close_key", sa.Text(), nullable=True),
        sa.Column("updated_at", INSTANT, nullable=False, server_default=sa.text("now()")),
        one_of("conversation", "mode", MODE),
        one_of("conversation", "counterpart", COUNTERPART),
        one_of("conversation", "stage", STAGE),
        check("conversation", "turn_count", "turn_count >= 0"),
        reference("conversation", "hotel_id", "hotel"),
        reference("conversation", "policy_version_id", "policy_version"),
        reference("conversation", "opened_by", "app_user"),
        reference("conversation", "taken_over_by", "app_user"),
        unique("conversation", "idempotency_key"),
    )
    index("conversation", "closed_at")
    op.create_index(
        "ix_conversation_follow_up",
        "conversation",
        ["next_follow_up_at"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL AND next_follow_up_at IS NOT NULL"),
    )
    index("conversation", "hotel_id")
    index("conversation", "opened_by", "updated_at")
    index("conversation", "policy_version_id", "created_at")
    index("conversation", "stage", "updated_at")
    index("conversation", "taken_over_by")
    index("conversation", "updated_at")
    op.create_table(
        "conversation_ticket",
        *identity("conversation_ticket"),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.Integer(), nullable=False),
        check("conversation_ticket", "label", "label >= 1"),
        reference("conversation_ticket", "conversation_id", "conversation"),
        reference("conversation_ticket", "ticket_id", "ticket"),
        unique("conversation_ticket", "conversation_id", "label"),
        unique("conversation_ticket", "conversation_id", "ticket_id"),
    )
    index("conversation_ticket", "ticket_id")
    op.create_table(
        "draft",
        *identity("draft"),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("for_turn", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("origin", WORD, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("move", postgresql.JSONB(), nullable=True),
        sa.Column("allowed", postgresql.JSONB(), nullable=True),
        sa.Column("brief", sa.Text(), nullable=True),
        sa.Column("policy_version_id", sa.Uuid(), nullable=True),
        sa.Column("prompts_version", sa.Text(), nullable=True),
        sa.Column("fallback_reason", sa.Text(), nullable=True),
        sa.Column("status", WORD, nullable=False),
        sa.Column("edited_text", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("action_key", sa.Text(), nullable=True),
        one_of("draft", "origin", DRAFT_ORIGIN),
        one_of("draft", "status", DRAFT_STATUS),
        check("draft", "attempt", "attempt >= 1"),
        check("draft", "edited_has_text", "(status = 'edited') = (edited_text IS NOT NULL)"),
        check("draft", "for_turn", "for_turn >= 1"),
        reference("draft", "conversation_id", "conversation"),
        reference("draft", "policy_version_id", "policy_version"),
        reference("draft", "decided_by", "app_user"),
        unique("draft", "conversation_id", "action_key"),
        unique("draft", "conversation_id", "for_turn", "attempt"),
    )
    op.create_index("ix_draft_edited", "draft", ["created_at"], unique=False, postgresql_where=sa.text("status = 'edited'"))
    op.create_index("ix_draft_fallback", "draft", ["created_at"], unique=False, postgresql_where=sa.text("fallback_reason IS NOT NULL"))
    index("draft", "policy_version_id", "created_at")
    op.create_index("uq_draft_pending", "draft", ["conversation_id"], unique=True, postgresql_where=sa.text("status = 'pending'"))
    op.create_table(
        "guard_verdict",
        *identity("guard_verdict"),
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("severity", WORD, nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("span_start", sa.Integer(), nullable=True),
        sa.Column("span_end", sa.Integer(), nullable=True),
        sa.Column("of_edit", sa.Boolean(), nullable=False),
        one_of("guard_verdict", "severity", SEVERITY),
        check("guard_verdict", "failed_has_severity", "passed OR severity IS NOT NULL"),
        check("guard_verdict", "span", "span_start >= 0 AND span_end >= span_start"),
        reference("guard_verdict", "draft_id", "draft"),
    )
    index("guard_verdict", "draft_id")
    op.create_index(
        "ix_guard_verdict_failed", "guard_verdict", ["rule", "created_at"], unique=False, postgresql_where=sa.text("NOT passed")
    )
    op.create_index(
        "ix_guard_verdict_failed_newest",
        "guard_verdict",
        ["created_at", "draft_id"],
        unique=False,
        postgresql_where=sa.text("NOT passed"),
    )
    op.create_table(
        "turn",
        *identity("turn"),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("speaker", WORD, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("stage_before", WORD, nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("author_user_id", sa.Uuid(), nullable=True),
        sa.Column("stage_after", WORD, nullable=True),
        sa.Column("hotel_move", postgresql.JSONB(), nullable=True),
        sa.Column("allowed", postgresql.JSONB(), nullable=True),
        sa.Column("move", postgresql.JSONB(), nullable=True),
        sa.Column("draft_id", sa.Uuid(), nullable=True),
        sa.Column("policy_version_id", sa.Uuid(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("sop_version", sa.Text(), nullable=True),
        sa.Column("prompts_version", sa.Text(), nullable=True),
        sa.Column("latency_ms", postgresql.JSONB(), nullable=True),
        sa.Column("sample_point", sa.Double(), nullable=False, server_default=sa.text("random()")),
        one_of("turn", "speaker", SPEAKER),
        one_of("turn", "stage_before", STAGE),
        one_of("turn", "stage_after", STAGE),
        check("turn", "number", "number >= 1"),
        reference("turn", "conversation_id", "conversation"),
        reference("turn", "author_user_id", "app_user"),
        reference("turn", "draft_id", "draft"),
        reference("turn", "policy_version_id", "policy_version"),
        unique("turn", "conversation_id", "idempotency_key"),
        unique("turn", "conversation_id", "number"),
    )
    op.create_index("ix_turn_bd_created_at", "turn", ["created_at", "id"], unique=False, postgresql_where=sa.text("speaker = 'bd'"))
    op.create_index(
        "ix_turn_bd_policy_version", "turn", ["policy_version_id", "created_at"], unique=False, postgresql_where=sa.text("speaker = 'bd'")
    )
    op.create_index("ix_turn_bd_sample_point", "turn", ["sample_point"], unique=False, postgresql_where=sa.text("speaker = 'bd'"))
    index("turn", "created_at", "id")
    op.create_index("uq_turn_draft_id", "turn", ["draft_id"], unique=True, postgresql_where=sa.text("draft_id IS NOT NULL"))
