"""Handing out, saving and choosing are answered from indexes, on a crowded database: PostgreSQL's own plans say so.

Every statement that the desk sends is explained as it was sent, and once more as the server would plan it without looking at its
parameters, which is what a prepared statement may come to.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import sleep
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.orm import Session

from db.embedded import EmbeddedPostgres
from db.engine import SessionFactory, create_engine_from, session_factory
from db.repositories import rating_assignments, rating_candidates, rating_items, ratings
from db.repositories.rating_candidates import CandidateFilter
from db.vocabulary import JudgementKind, QueuePolicy
from training.ratings.desk import RatingDesk
from training.ratings.views import Judgement

RATER = UUID(int=1)
QUEUE = UUID(int=2)
NEVER = UUID(int=3)

CROWD = """
SELECT setseed(0.5);
INSERT INTO app_user (id, email, name, roles)
    SELECT CASE i WHEN 1 THEN CAST('00000000-0000-0000-0000-000000000001' AS uuid) ELSE gen_random_uuid() END,
           'user' || i || '@example.com', 'User ' || i, '{annotator}' FROM generate_series(1, 60) i;
INSERT INTO hotel (id, name, city, country, timezone)
    SELECT gen_random_uuid(), 'Hotel ' || i, 'City', 'PT', 'UTC' FROM generate_series(1, 500) i;
INSERT INTO policy_version (id, name, base_model, status, note)
    SELECT CAST(md5('policy-v' || i) AS uuid), 'policy-v' || i, 'parley-starter', 'published', '{}' FROM generate_series(1, 20) i;
INSERT INTO deployment (id, policy_version_id, role, share) VALUES (gen_random_uuid(), CAST(md5('policy-v7') AS uuid), 'canary', 0.1);
INSERT INTO ticket (id, hotel_id, reference, room_type, check_in, check_out, currency, current_net, commission, rooms, evidence,
                    target, ceiling, opening_ask, tactic, exponent, max_rounds, status)
    SELECT gen_random_uuid(), h.id, h.name || i, 'Deluxe', '2026-03-01', '2026-03-02', 'EUR', 440, 0.15, 1, '{}',
           410, 425, 395, 'boulware', 3, 6, 'declined' FROM hotel h, generate_series(1, 8) i;
INSERT INTO conversation (id, hotel_id, mode, counterpart, language, stage, state, turn_count, policy_version_id, idempotency_key,
                          created_at, closed_at)
    SELECT gen_random_uuid(), hotel_id, 'copilot', 'human', 'en', 'declined', '{}', 6,
           CAST(md5('policy-v' || 1 + floor(random() * 20)) AS uuid), reference, moment, moment
    FROM (SELECT hotel_id, reference, now() - random() * interval '90 days' AS moment FROM ticket) t;
INSERT INTO conversation_ticket (id, conversation_id, ticket_id, label)
    SELECT gen_random_uuid(), c.id, t.id, 1 FROM conversation c JOIN ticket t ON t.reference = c.idempotency_key;
INSERT INTO draft (id, conversation_id, for_turn, attempt, origin, text, status, edited_text, fallback_reason, rules_checked,
                   policy_version_id, created_at)
    SELECT gen_random_uuid(), id, number, attempt, 'policy', 'Attempt ' || attempt,
           CASE WHEN attempt < attempts THEN CASE WHEN random() < 0.2 THEN 'rejected' ELSE 'superseded' END
                WHEN edited THEN 'edited' ELSE 'approved' END,
           CASE WHEN attempt = attempts AND edited THEN 'x' END, CASE WHEN random() < 0.01 THEN 'promise' END, '{}',
           policy_version_id, created_at
    FROM (SELECT c.*, number, CASE WHEN random() < 0.1 THEN 2 ELSE 1 END AS attempts, random() < 0.03 AS edited
          FROM conversation c, generate_series(1, 5, 2) number) d, generate_series(1, attempts) attempt;
INSERT INTO guard_verdict (id, draft_id, rule, severity, message, of_edit, created_at)
    SELECT gen_random_uuid(), id, 'promises', 'minor', '', false, created_at FROM draft WHERE status = 'superseded';
INSERT INTO turn (id, conversation_id, number, speaker, text, stage_before, draft_id, policy_version_id, created_at)
    SELECT gen_random_uuid(), conversation_id, for_turn, 'bd', text, 'proposal', id, policy_version_id, created_at
    FROM draft WHERE status IN ('approved', 'edited');
INSERT INTO turn (id, conversation_id, number, speaker, text, stage_before, idempotency_key, created_at)
    SELECT gen_random_uuid(), conversation_id, number + 1, 'hotel', 'We could do 430.', 'proposal', 'k' || number, created_at FROM turn;
INSERT INTO rating_queue (id, name, kind, policy, raters_per_item, reservation_s, priority, gold_share, adjudicate_over, size, filters)
    SELECT CAST(lpad(to_hex(i), 32, '0') AS uuid), 'Queue ' || i, 'turn', 'newest', 2, 900, 0, 0, 2, 200, '{}' FROM generate_series(2, 5) i;
INSERT INTO rating_item (id, queue_id, conversation_id, turn_id, open_places, priority, position, state)
    SELECT gen_random_uuid(), CAST(lpad(to_hex(CAST(2 + floor(random() * 4) AS int)), 32, '0') AS uuid), conversation_id, id,
           CASE WHEN random() < 0.1 THEN 2 ELSE 0 END, 0, random(), 'open'
    FROM turn WHERE speaker = 'bd' AND random() < 0.7;
UPDATE rating_item SET state = CASE WHEN random() < 0.01 THEN 'disputed' ELSE 'judged' END WHERE open_places = 0;
INSERT INTO rating_assignment (id, item_id, rater_id, expires_at, state, swapped, adjudicates, created_at, ended_at)
    SELECT gen_random_uuid(), item.id, rater.id, moment, CASE WHEN random() < 0.005 THEN 'reserved' ELSE 'done' END, false, false,
           moment, moment
    FROM (SELECT id, now() + interval '10 minutes' - random() * interval '30 days' AS moment, 1 + floor(random() * 59) AS who
          FROM rating_item WHERE open_places = 0) item
    JOIN LATERAL (SELECT id, row_number() OVER (ORDER BY email) AS n FROM app_user) rater ON rater.n IN (who, who + 1);
INSERT INTO rating (id, kind, rater_id, conversation_id, turn_id, item_id, idempotency_key, withdrawn, adjudicates, source, stars,
                    excellent, comment, decided_by, created_at)
    SELECT gen_random_uuid(), 'turn', a.rater_id, i.conversation_id, i.turn_id, i.id, CAST(a.id AS text), false, false, 'desk',
           CASE WHEN random() < 0.05 THEN 1 ELSE 4 END, false, '', '', a.created_at
    FROM rating_assignment a JOIN rating_item i ON i.id = a.item_id WHERE a.state = 'done';
INSERT INTO rating_tag (id, rating_id, tag, severity)
    SELECT gen_random_uuid(), id, 'pressure', 'major' FROM rating WHERE stars = 1 OR random() < 0.2;
INSERT INTO turn_score (id, turn_id, reward_model, spec_digest, model, judge, total, parts, doubt, created_at)
    SELECT gen_random_uuid(), id, 'model', 'spec', 1, 1, 1, '{}', power(random(), 2), created_at FROM turn WHERE speaker = 'bd';
"""
"""4,000 conversations with 24,000 turns, 8,400 items in four queues, 15,000 leases and judgements."""

ALL_VISIBLE = "SELECT bool_and(relallvisible >= relpages) FROM pg_class WHERE relname LIKE 'rating%' AND relkind = 'r'"

SMALL = ("app_user", "rating_queue", "hotel", "policy_version", "deployment", "gold_answer")
"""Tables that may be read whole: they stay small."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A statement as it went to the server."""

    statement: str
    parameters: Any


def vacuum(connection: Connection) -> None:
    """Clean up as a server does by itself in time.

    The server's own cleaner may be reading these tables at this moment, and what it may still see is not yet marked as visible to all,
    without which nothing is answered from an index alone: hence until all is.
    """
    for _ in range(60):
        connection.execute(text("VACUUM ANALYZE"))
        if connection.scalar(text(ALL_VISIBLE)):
            return
        sleep(0.5)
    pytest.fail("the tables could not be cleaned up within 60 tries: does a session of this database stay in a transaction?")


@pytest.fixture(scope="module")
def crowded(embedded: EmbeddedPostgres, migrated_template: str) -> Iterator[Engine]:
    name = f"test_crowded_{uuid4().hex}"
    engine = create_engine_from(embedded.create_database(name, template=migrated_template))
    with engine.begin() as connection:
        for statement in CROWD.split(";\n")[:-1]:
            connection.execute(text(statement))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        vacuum(connection)
    yield engine
    engine.dispose()
    embedded.drop_database(name)


@pytest.fixture
def sessions(crowded: Engine) -> SessionFactory:
    return session_factory(crowded)


@contextmanager
def watched(engine: Engine) -> Generator[list[Sent]]:
    """What is sent meanwhile."""
    sent: list[Sent] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        if statement.lstrip().startswith(("SELECT", "UPDATE", "INSERT", "WITH")):
            sent.append(Sent(statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def plans_of(engine: Engine, sent: Sent) -> list[str]:
    """How the server answers the statement: knowing its parameters, and not."""
    found: list[str] = []
    with session_factory(engine)() as session:
        for mode in ("force_custom_plan", "force_generic_plan"):
            connection = session.connection()
            connection.exec_driver_sql(f"SET LOCAL plan_cache_mode = {mode}")
            cursor = connection.connection.cursor()
            parameters = sent.parameters[0] if isinstance(sent.parameters, list) else sent.parameters
            cursor.execute(f"EXPLAIN {sent.statement}", parameters, prepare=True)  # type: ignore[call-arg]
            found.append("\n".join(row[0] for row in cursor.fetchall()))
        session.rollback()
    return found


def read_whole(plan: str) -> list[str]:
    """Tables that the plan reads from one end to the other, except small ones."""
    scanned = [line.split("Seq Scan on ")[1].split()[0] for line in plan.splitlines() if "Seq Scan on " in line]
    return [table for table in scanned if table not in SMALL]


def test_a_hand_out_and_a_save_read_no_table_whole(crowded: Engine, sessions: SessionFactory) -> None:
    desk = RatingDesk(sessions)
    with watched(crowded) as sent:
        tasks = desk.next(RATER, n=2)
        assert len(tasks) == 2
        desk.save(RATER, tasks[0].assignment_id, Judgement(stars=4), key="k1")
        desk.skip(RATER, tasks[1].assignment_id, "no idea", key="s1")
        assert desk.undo(RATER) is not None
        assert desk.undo(RATER) is not None
        assert desk.release(RATER) == 2
        assert desk.next_dispute(RATER) is not None
        desk.disputes(limit=20)
        desk.release(RATER)
    assert len(sent) > 30
    whole = {(sent_.statement, table) for sent_ in sent for plan in plans_of(crowded, sent_) for table in read_whole(plan)}
    assert whole == set()


@pytest.mark.parametrize(
    ("what", "index"),
    [
        ("pick", "ix_rating_item_next"),
        ("lines", "uq_turn_conversation_id_number"),
        ("tickets", "uq_conversation_ticket_conversation_id"),
        ("overdue", "ix_rating_assignment_expiry"),
        ("held", "ix_rating_assignment_held"),
    ],
)
def test_a_hand_out_uses_the_index_made_for_it(crowded: Engine, sessions: SessionFactory, what: str, index: str) -> None:
    marks = {
        "pick": "rating_item.open_places > 0",
        "lines": "said.stage_before",
        "tickets": "ticket.current_net",
        "overdue": "rating_assignment.expires_at <= now() AND rating_assignment.rater_id !=",
        "held": "AS overdue",
    }
    desk = RatingDesk(sessions)
    with watched(crowded) as sent:
        desk.next(RATER)
    desk.release(RATER)
    statement = next(each for each in sent if marks[what] in each.statement)
    for plan in plans_of(crowded, statement):
        assert index in plan
        if what in ("pick", "overdue"):
            assert "Sort" not in plan


ASKED: dict[str, tuple[Callable[[Session], object], str]] = {
    "waiting": (lambda session: rating_items.count_waiting(session, RATER, up_to=1_000), "ix_rating_item_next"),
    "tally": (lambda session: rating_assignments.tally(session, RATER), "Index Only Scan using ix_rating_assignment_tally"),
    "ready": (lambda session: rating_items.count_ready(session, QUEUE, up_to=200), "ix_rating_item_next"),
    "gold": (lambda session: rating_items.pick_gold(session, QUEUE, RATER, limit=1), "ix_rating_item_gold"),
    "disputes": (lambda session: rating_items.list_disputed(session, queue_id=QUEUE), "ix_rating_item_disputed"),
    "by key": (lambda session: ratings.find_by_key(session, RATER, "k"), "uq_rating_rater_id_idempotency_key"),
    "of an item": (lambda session: ratings.list_current(session, NEVER), "ix_rating_item_id"),
    "taken back": (lambda session: ratings.list_taken_back(session, [NEVER], RATER), "ix_rating_item_id"),
}


@pytest.mark.parametrize("what", ASKED)
def test_what_the_desk_asks_has_its_index(crowded: Engine, sessions: SessionFactory, what: str) -> None:
    ask, index = ASKED[what]
    with sessions() as session, watched(crowded) as sent:
        ask(session)
    for plan in plans_of(crowded, sent[0]):
        assert index in plan
        assert read_whole(plan) == []


SOURCES = {
    (JudgementKind.TURN, QueuePolicy.NEWEST): ["ix_turn_bd_created_at"],
    (JudgementKind.TURN, QueuePolicy.RANDOM): ["ix_turn_bd_sample_point"],
    (JudgementKind.TURN, QueuePolicy.UNCERTAIN): ["ix_guard_verdict_created_at_draft_id", "ix_draft_fallback", "ix_turn_score_doubtful"],
    (JudgementKind.TURN, QueuePolicy.CANARY): ["ix_turn_bd_policy_version"],
    (JudgementKind.TURN, QueuePolicy.BAD_CASE): ["ix_rating_low", "ix_draft_rejected", "ix_draft_edited"],
    (JudgementKind.COMPARISON, QueuePolicy.NEWEST): ["ix_draft_alternative"],
    (JudgementKind.COMPARISON, QueuePolicy.RANDOM): ["ix_draft_alternative_sample"],
    (JudgementKind.COMPARISON, QueuePolicy.UNCERTAIN): ["ix_draft_alternative"],
    (JudgementKind.COMPARISON, QueuePolicy.CANARY): ["ix_draft_"],
    (JudgementKind.COMPARISON, QueuePolicy.BAD_CASE): ["ix_draft_alternative"],
    (JudgementKind.DIALOGUE, QueuePolicy.NEWEST): ["ix_conversation_closed_at"],
    (JudgementKind.DIALOGUE, QueuePolicy.RANDOM): ["ix_turn_bd_sample_point"],
    (JudgementKind.DIALOGUE, QueuePolicy.UNCERTAIN): [
        "ix_guard_verdict_created_at_draft_id",
        "ix_draft_fallback",
        "ix_turn_score_doubtful",
    ],
    (JudgementKind.DIALOGUE, QueuePolicy.CANARY): ["ix_conversation_"],
    (JudgementKind.DIALOGUE, QueuePolicy.BAD_CASE): ["ix_rating_low", "ix_draft_rejected", "ix_draft_edited"],
}


@pytest.mark.parametrize(("kind", "policy"), SOURCES)
def test_choosing_reads_its_source_by_index(crowded: Engine, sessions: SessionFactory, kind: JudgementKind, policy: QueuePolicy) -> None:
    with sessions() as session, watched(crowded) as sent:
        found = rating_candidates.list_candidates(session, QUEUE, kind, policy, CandidateFilter(), limit=20)
    assert len(found) > 0
    asked = [each for each in sent if "deployment.role" not in each.statement]
    for each, index in zip(asked, SOURCES[kind, policy], strict=True):
        plan = plans_of(crowded, each)[0]
        assert index in plan
        assert read_whole(plan) == []
