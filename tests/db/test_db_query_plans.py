"""The queries that will be asked a million times are answered from an index: PostgreSQL's own plans say so, on a crowded database.

The statements of the annotation queue and of snapshots stand here as those rooms will ask them.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from db.embedded import EmbeddedPostgres
from db.engine import create_engine_from, session_factory
from db.repositories import (
    arm_figures,
    audit_events,
    conversations,
    drafts,
    login_attempts,
    policy_versions,
    tickets,
    turns,
    user_sessions,
    users,
)
from db.vocabulary import TicketStatus

SINCE = datetime.now(UTC) - timedelta(days=2)
SOME = uuid4()

CROWD = """
SELECT setseed(0.5);
INSERT INTO app_user (id, email, name, roles)
    SELECT gen_random_uuid(), 'user' || i || '@example.com', 'User ' || i, '{bd}' FROM generate_series(1, 500) i;
INSERT INTO user_session (id, token_hash, user_id, expires_at)
    SELECT gen_random_uuid(), 'hash' || i, (SELECT id FROM app_user ORDER BY email LIMIT 1), now() + interval '1 hour'
    FROM generate_series(1, 3000) i;
INSERT INTO login_attempt (id, email, remote_address, succeeded, created_at)
    SELECT gen_random_uuid(), 'user' || i % 500 || '@example.com', '10.0.0.' || i % 250, false, now() - i * interval '1 minute'
    FROM generate_series(1, 10000) i;
INSERT INTO audit_event (id, action, subject_type, subject_id, created_at)
    SELECT gen_random_uuid(), 'ticket.edit', 'ticket', gen_random_uuid(), now() - i * interval '1 minute' FROM generate_series(1, 10000) i;
INSERT INTO hotel (id, name, city, country, timezone)
    SELECT gen_random_uuid(), 'Hotel ' || i, 'City ' || i % 100, 'PT', 'UTC' FROM generate_series(1, 2000) i;
INSERT INTO policy_version (id, name, base_model, status, note)
    SELECT CAST(md5('policy-v' || i) AS uuid), 'policy-v' || i, 'parley-starter', 'published', '{}' FROM generate_series(1, 20) i;
INSERT INTO ticket (id, hotel_id, reference, room_type, check_in, check_out, currency, current_net, commission, rooms, evidence,
                    target, ceiling, opening_ask, tactic, exponent, max_rounds, status, created_at)
    SELECT gen_random_uuid(), h.id, 'PC-' || h.name || '-' || i, 'Deluxe', '2026-03-01', '2026-03-02', 'EUR', 440, 0.15, 1, '{}',
           410, 425, 395, 'boulware', 3, 6, CASE WHEN random() < 0.05 THEN 'open' ELSE 'declined' END, now() - random() * interval '90 days'
    FROM hotel h, generate_series(1, 3) i;
INSERT INTO conversation (id, hotel_id, mode, counterpart, language, stage, state, turn_count, policy_version_id, idempotency_key,
                          created_at, updated_at, closed_at, next_follow_up_at)
    SELECT gen_random_uuid(), t.hotel_id, 'copilot', 'human', 'en', 'proposal', '{}', 8,
           (ARRAY(SELECT id FROM policy_version))[CAST(1 + floor(random() * 20) AS int)], t.reference, t.created_at, t.created_at,
           CASE WHEN random() < 0.9 THEN t.created_at + interval '1 day' END,
           CASE WHEN random() < 0.5 THEN now() + random() * interval '9 days' END
    FROM ticket t;
INSERT INTO conversation_ticket (id, conversation_id, ticket_id, label)
    SELECT gen_random_uuid(), c.id, t.id, 1 FROM conversation c JOIN ticket t ON t.reference = c.idempotency_key;
INSERT INTO draft (id, conversation_id, for_turn, attempt, origin, text, status, edited_text, action_key, fallback_reason,
                   rules_checked, policy_version_id, created_at)
    SELECT gen_random_uuid(), d.id, d.number, 1, 'policy', 'Could you do 420?', d.status, CASE d.status WHEN 'edited' THEN 'Could you?' END,
           'key' || d.number, CASE WHEN random() < 0.02 THEN 'promise' END, '{}', d.policy_version_id, d.created_at
    FROM (SELECT c.id, number, policy_version_id, created_at, CASE WHEN random() < 0.05 THEN 'edited' ELSE 'approved' END AS status
          FROM conversation c, generate_series(1, 5, 2) number) d;
INSERT INTO draft (id, conversation_id, for_turn, attempt, origin, text, status, rules_checked)
    SELECT gen_random_uuid(), id, 7, 1, 'policy', 'x', 'pending', '{}' FROM conversation WHERE closed_at IS NULL;
INSERT INTO guard_verdict (id, draft_id, rule, severity, message, of_edit, created_at)
    SELECT gen_random_uuid(), draft.id, rule, 'minor', '', false, draft.created_at
    FROM draft, unnest(ARRAY['length', 'promises', 'format']) rule;
INSERT INTO turn (id, conversation_id, number, speaker, text, stage_before, draft_id, policy_version_id, idempotency_key, created_at)
    SELECT gen_random_uuid(), conversation_id, for_turn, 'bd', text, 'proposal', id, policy_version_id, NULL, created_at
    FROM draft WHERE status <> 'pending';
INSERT INTO turn (id, conversation_id, number, speaker, text, stage_before, idempotency_key, created_at)
    SELECT gen_random_uuid(), conversation_id, number + 1, 'hotel', 'We could do 430.', 'proposal', 'k' || number, created_at
    FROM turn;
ANALYZE;
"""
"""6,000 conversations with 36,000 turns, 18,600 drafts and 56,000 verdicts."""


@pytest.fixture(scope="module")
def crowded(embedded: EmbeddedPostgres, migrated_template: str) -> Iterator[Engine]:
    name = f"test_crowded_{uuid4().hex}"
    engine = create_engine_from(embedded.create_database(name, template=migrated_template))
    with engine.begin() as connection:
        for statement in CROWD.split(";\n")[:-1]:
            connection.execute(text(statement))
    yield engine
    engine.dispose()
    embedded.drop_database(name)


@pytest.fixture
def session(crowded: Engine) -> Iterator[Session]:
    with session_factory(crowded)() as session:
        yield session


def plan_of(session: Session, statement: str, parameters: object = ()) -> str:
    rows = session.connection().exec_driver_sql(f"EXPLAIN {statement}", parameters)  # type: ignore[arg-type]
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize(
    ("what", "statement", "index"),
    [
        ("newest", "SELECT id FROM turn WHERE speaker = 'bd' ORDER BY created_at DESC, id DESC LIMIT 20", "ix_turn_bd_created_at"),
        (
            "random",
            "SELECT id FROM turn WHERE speaker = 'bd' AND sample_point >= 0.42 ORDER BY sample_point LIMIT 20",
            "ix_turn_bd_sample_point",
        ),
        (
            "of a version",
            "SELECT id FROM turn WHERE speaker = 'bd' AND policy_version_id = CAST(md5('policy-v7') AS uuid) "
            "ORDER BY created_at DESC LIMIT 20",
            "ix_turn_bd_policy_version",
        ),
        (
            "where a rule fired",
            "SELECT draft_id FROM guard_verdict WHERE rule = 'promises' ORDER BY created_at DESC LIMIT 20",
            "ix_guard_verdict_rule_created_at",
        ),
        (
            "where the guard fired",
            "SELECT draft_id FROM guard_verdict ORDER BY created_at DESC LIMIT 20",
            "ix_guard_verdict_created_at_draft_id",
        ),
        ("that said a draft", "SELECT id FROM turn WHERE draft_id = CAST(md5('draft') AS uuid)", "uq_turn_draft_id"),
        ("whose draft was edited", "SELECT id FROM draft WHERE status = 'edited' ORDER BY created_at DESC LIMIT 20", "ix_draft_edited"),
        (
            "whole conversations",
            "SELECT id FROM conversation WHERE closed_at IS NOT NULL ORDER BY closed_at DESC LIMIT 20",
            "ix_conversation_closed_at",
        ),
    ],
)
def test_the_annotation_queue_has_its_indexes(session: Session, what: str, statement: str, index: str) -> None:
    plan = plan_of(session, statement)
    assert index in plan, what
    assert "Seq Scan" not in plan
    assert "Sort" not in plan


def test_a_snapshot_reads_turns_up_to_an_instant_in_order(session: Session) -> None:
    plan = plan_of(
        session,
        "SELECT id FROM turn WHERE (created_at, id) > (now() - interval '60 days', '00000000-0000-0000-0000-000000000000') "
        "AND created_at <= now() "
        "ORDER BY created_at, id LIMIT 1000",
    )
    assert "ix_turn_created_at_id" in plan
    assert "Sort" not in plan


def test_a_snapshot_is_split_by_hotel(session: Session) -> None:
    hotel = session.scalars(text("SELECT id FROM hotel LIMIT 1")).one()
    plan = plan_of(
        session,
        "SELECT turn.id FROM conversation JOIN turn ON turn.conversation_id = conversation.id "
        f"WHERE conversation.hotel_id = '{hotel}' AND turn.created_at <= now()",
    )
    assert "ix_conversation_hotel_id" in plan
    assert "Seq Scan" not in plan


ASKED: dict[str, tuple[Callable[[Session], object], str]] = {
    "transcript": (lambda session: turns.list_transcript(session, SOME), "uq_turn_conversation_id_number"),
    "turn by key": (lambda session: turns.find_by_idempotency_key(session, SOME, "k"), "uq_turn_conversation_id_idempotency_key"),
    "pending draft": (lambda session: drafts.find_pending(session, SOME), "uq_draft_pending"),
    "draft by key": (lambda session: drafts.find_by_action_key(session, SOME, "k"), "uq_draft_conversation_id_action_key"),
    "attempts": (lambda session: drafts.list_attempts(session, SOME, 1), "uq_draft_conversation_id_for_turn_attempt"),
    "fallbacks": (lambda session: drafts.count_fallbacks(session, since=SINCE), "ix_draft_fallback"),
    "due follow-ups": (lambda session: conversations.lock_due_follow_ups(session, now=datetime.now(UTC)), "ix_conversation_follow_up"),
    "conversation by key": (lambda session: conversations.find_by_idempotency_key(session, "k"), "uq_conversation_idempotency_key"),
    "newest conversations": (lambda session: conversations.search(session), "ix_conversation_updated_at"),
    "conversations of tickets": (lambda session: conversations.latest_by_ticket(session, [SOME]), "ix_conversation_ticket_ticket_id"),
    "draining": (lambda session: conversations.count_open_by_policy_version(session, SOME), "ix_conversation_open"),
    "versions in use": (lambda session: policy_versions.list_needed(session), "ix_conversation_open"),
    "moving on": (lambda session: conversations.move_to_version(session, SOME, SOME), "ix_conversation_open"),
    "what a canary's replies tell": (
        lambda session: arm_figures.list_settled(session, SOME, since=SINCE, replies=4),
        "ix_conversation_policy_version_id_created_at",
    ),
    "what a canary was rated": (
        lambda session: arm_figures.list_rated(session, SOME, since=SINCE),
        "ix_conversation_policy_version_id_created_at",
    ),
    "an arm of the comparison": (
        lambda session: arm_figures.sum_up(session, SOME, since=SINCE, ripe=SINCE),
        "ix_conversation_policy_version_id_created_at",
    ),
    "newest tickets": (lambda session: tickets.search(session), "ix_ticket_created_at"),
    "open tickets": (
        lambda session: tickets.search(session, tickets.TicketFilter(statuses=(TicketStatus.OPEN,))),
        "ix_ticket_status_created_at",
    ),
    "ticket by reference": (lambda session: tickets.find_by_reference(session, "PC-1"), "uq_ticket_reference"),
    "person by address": (lambda session: users.find_by_email(session, "a@b.c"), "uq_app_user_email"),
    "login": (lambda session: user_sessions.find_active(session, "h", now=datetime.now(UTC)), "uq_user_session_token_hash"),
    "attempts by account": (
        lambda session: login_attempts.count_failures_by_email(session, "a@b.c", since=SINCE),
        "ix_login_attempt_email_created_at",
    ),
    "attempts by address": (
        lambda session: login_attempts.count_failures_by_address(session, "::1", since=SINCE),
        "ix_login_attempt_remote_address_created_at",
    ),
    "trail of a row": (
        lambda session: audit_events.list_of_subject(session, "ticket", SOME),
        "ix_audit_event_subject_type_subject_id_created_at",
    ),
    "newest of the trail": (lambda session: audit_events.list_newest(session), "ix_audit_event_created_at"),
}


@pytest.mark.parametrize("what", ASKED)
def test_what_the_application_asks_has_its_index(session: Session, crowded: Engine, what: str) -> None:
    ask, index = ASKED[what]
    sent: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        sent.append((statement, parameters))

    event.listen(crowded, "before_cursor_execute", note)
    ask(session)
    event.remove(crowded, "before_cursor_execute", note)
    plan = plan_of(session, *sent[0])
    assert index in plan
