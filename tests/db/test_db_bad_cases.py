"""The lists around bad cases are answered from an index, however many judgements there are: PostgreSQL's own plans say so."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from db.embedded import EmbeddedPostgres
from db.engine import create_engine_from, session_factory
from db.repositories import bad_cases
from db.repositories.bad_cases import CandidateFilter, Purpose
from db.vocabulary import IssueTag

CROWD = """
SELECT setseed(0.5);
INSERT INTO app_user (id, email, name, roles)
    SELECT gen_random_uuid(), 'rater' || i || '@example.com', 'Rater ' || i, '{annotator}' FROM generate_series(1, 20) i;
INSERT INTO hotel (id, name, city, country, timezone)
    SELECT gen_random_uuid(), 'Hotel ' || i, 'City ' || i % 100, 'PT', 'UTC' FROM generate_series(1, 500) i;
INSERT INTO conversation (id, hotel_id, mode, counterpart, language, stage, state, turn_count)
    SELECT gen_random_uuid(), hotel.id, 'copilot', 'human', 'en', 'proposal', '{}', 6 FROM hotel, generate_series(1, 5);
INSERT INTO turn (id, conversation_id, number, speaker, text, stage_before, move, created_at)
    SELECT gen_random_uuid(), conversation.id, number, 'bd', 'Could you do 420?', 'proposal', '{"kind": "ask"}',
           now() - random() * interval '90 days' FROM conversation, generate_series(1, 9, 2) number;
INSERT INTO rating (id, kind, rater_id, conversation_id, turn_id, idempotency_key, withdrawn, adjudicates, source, stars, excellent,
                    comment, decided_by, created_at)
    SELECT gen_random_uuid(), 'turn', (ARRAY(SELECT id FROM app_user))[CAST(1 + floor(random() * 20) AS int)], turn.conversation_id,
           turn.id, gen_random_uuid()::text, false, false, 'desk', CASE WHEN random() < 0.1 THEN 2 ELSE 4 END, false, '', '',
           turn.created_at + interval '1 day'
    FROM turn, generate_series(1, 2);
INSERT INTO rating_tag (id, rating_id, tag, severity, created_at)
    SELECT gen_random_uuid(), id, 'pressure', 'major', created_at FROM rating WHERE random() < 0.05;
ANALYZE;
"""
"""12,500 turns with 25,000 judgements, a tenth of them low."""


@pytest.fixture(scope="module")
def crowded(embedded: EmbeddedPostgres, migrated_template: str) -> Iterator[Engine]:
    name = f"test_rated_{uuid4().hex}"
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


def plan_of(session: Session, ask: Callable[[], Any]) -> str:
    """PostgreSQL's plan for the first statement that ``ask`` sends."""
    sent: list[tuple[str, Any]] = []

    def keep(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        del connection, cursor, context, many
        sent.append((statement, parameters))

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", keep)
    try:
        ask()
    finally:
        event.remove(engine, "before_cursor_execute", keep)
    rows = session.connection().exec_driver_sql(f"EXPLAIN {sent[0][0]}", sent[0][1])
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (CandidateFilter(), "ix_rating_low"),
        (CandidateFilter(most_stars=5), "ix_rating_created_at_id"),
        (CandidateFilter(purpose=Purpose.GOLD, most_stars=5), "ix_rating_created_at_id"),
    ],
    ids=["low ones", "any", "for a known answer"],
)
def test_that_rated_turns_are_listed_from_an_index(session: Session, wanted: CandidateFilter, index: str) -> None:
    plan = plan_of(session, lambda: bad_cases.list_candidates(session, wanted))
    assert index in plan, plan
    assert "Seq Scan on rating " not in plan, plan
    assert "Seq Scan on turn" not in plan, plan


def test_that_a_fault_is_looked_up_by_its_index(session: Session) -> None:
    plan = plan_of(session, lambda: bad_cases.list_candidates(session, CandidateFilter(most_stars=5, tag=IssueTag.PRESSURE)))
    assert "rating_tag" in plan, plan
    assert "Seq Scan on turn" not in plan, plan


def test_that_the_judgements_of_a_turn_are_found_by_it(session: Session) -> None:
    turn_id = session.scalars(text("SELECT id FROM turn LIMIT 1")).one()
    plan = plan_of(session, lambda: bad_cases.list_judgements(session, turn_id))
    assert "ix_rating_turn_id" in plan, plan


def test_that_the_newest_low_judgements_come_first(session: Session) -> None:
    found = bad_cases.list_candidates(session, limit=50)
    assert len(found) == 50
    moments = [rating.created_at for rating, _ in found]
    assert moments == sorted(moments, reverse=True)
    assert {rating.stars for rating, _ in found} == {2}
