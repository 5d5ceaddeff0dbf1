"""What is written stays: the database itself refuses to change or delete it, whoever asks."""

import pytest
from db_rows import Rows
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.models import Turn
from db.repositories import audit_events, drafts, turns
from db.vocabulary import DraftStatus, Stage


def refused(session: Session, statement: str) -> None:
    with pytest.raises(IntegrityError, match="is refused"), session.begin_nested():
        session.execute(text(statement))


@pytest.mark.parametrize("statement", ["UPDATE audit_event SET action = 'x'", "DELETE FROM audit_event", "TRUNCATE audit_event"])
def test_an_audit_event_is_never_changed_or_removed(session: Session, rows: Rows, statement: str) -> None:
    person = rows.user()
    written = audit_events.record(session, actor_id=person.id, action="user.create", subject_type="app_user", subject_id=person.id)
    refused(session, statement)
    assert [event.id for event in audit_events.list_newest(session)] == [written.id]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("text", "'something else'"),
        ("number", "7"),
        ("speaker", "'bd'"),
        ("stage_before", "'closing'"),
        ("idempotency_key", "NULL"),
        ("created_at", "now() - interval '1 day'"),
        ("sample_point", "2"),
        ("id", "gen_random_uuid()"),
    ],
)
def test_the_words_of_a_turn_are_never_changed(session: Session, rows: Rows, column: str, value: str) -> None:
    rows.hotel_turn(rows.conversation(), 1)
    refused(session, f"UPDATE turn SET {column} = {value}")


@pytest.mark.parametrize("statement", ["DELETE FROM turn", "TRUNCATE turn CASCADE"])
def test_a_turn_is_never_removed(session: Session, rows: Rows, statement: str) -> None:
    rows.hotel_turn(rows.conversation(), 1)
    refused(session, statement)


def test_a_turn_is_not_changed_through_its_object_either(session: Session, rows: Rows) -> None:
    turn = rows.hotel_turn(rows.conversation(), 1)
    turn.text = "We agree to everything."
    with pytest.raises(IntegrityError, match=r"turn\.text is refused"):
        session.flush()


def test_the_reading_of_a_turn_is_filled_in_once(session: Session, rows: Rows) -> None:
    turn = rows.hotel_turn(rows.conversation(), 1)
    assert turn.hotel_move is None
    here = (turn.conversation_id, turn.number)
    assert turns.record_reading(session, *here, hotel_move={"kind": "offer"}, stage_after=Stage.PERSUASION, allowed=[{"kind": "ask"}])
    assert not turns.record_reading(session, *here, hotel_move={"kind": "agree"}, stage_after=Stage.CLOSING, allowed=[])
    session.refresh(turn)
    assert (turn.hotel_move, turn.stage_after, turn.allowed) == ({"kind": "offer"}, Stage.PERSUASION, [{"kind": "ask"}])
    refused(session, """UPDATE turn SET hotel_move = '{"kind": "agree"}'""")
    refused(session, "UPDATE turn SET stage_after = NULL")


def test_an_update_that_changes_nothing_passes(session: Session, rows: Rows) -> None:
    rows.hotel_turn(rows.conversation(), 1)
    session.execute(text("UPDATE turn SET text = text, number = number"))


@pytest.mark.parametrize("change", ["text = 'x'", "attempt = 9", "origin = 'person'", "for_turn = 5"])
def test_the_words_of_a_draft_stay_beside_their_edit(session: Session, rows: Rows, change: str) -> None:
    draft = rows.draft(rows.conversation(), 1)
    assert drafts.decide(session, draft.id, DraftStatus.EDITED, edited_text="Could you do 421 net?")
    refused(session, f"UPDATE draft SET {change}")
    refused(session, "UPDATE draft SET edited_text = 'x'")
    refused(session, "DELETE FROM draft")
    assert (draft.text, draft.edited_text) == ("Could you do 420 net?", "Could you do 421 net?")


@pytest.mark.parametrize(
    "statement", ["UPDATE guard_verdict SET rule = 'x'", "DELETE FROM guard_verdict", "TRUNCATE guard_verdict", "TRUNCATE draft CASCADE"]
)
def test_a_verdict_is_never_changed_or_removed(session: Session, rows: Rows, statement: str) -> None:
    rows.bd_turn(rows.conversation(), 1)
    refused(session, statement)


def test_what_belongs_to_a_conversation_keeps_it(session: Session, rows: Rows) -> None:
    rows.hotel_turn(rows.conversation(), 1)
    with pytest.raises(IntegrityError, match="foreign key"), session.begin_nested():
        session.execute(text("DELETE FROM conversation"))
    assert session.query(Turn).count() == 1


@pytest.mark.parametrize("table", ["rating", "rating_tag", "bad_case", "bad_case_version", "imported_example", "gold_answer"])
@pytest.mark.parametrize("act", ["TRUNCATE {} CASCADE", "DELETE FROM {}", "UPDATE {} SET created_at = created_at - interval '1 day'"])
def test_a_judgement_and_what_is_made_of_it_is_never_changed_or_removed(session: Session, table: str, act: str) -> None:
    triggers = session.scalars(
        text("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = CAST(:table AS regclass) AND NOT tgisinternal"),
        {"table": table},
    ).all()
    wanted = act.split()[0]
    assert any(wanted in trigger and ("refuse_change" in trigger or "keep_what_is_written" in trigger) for trigger in triggers)
    if wanted == "TRUNCATE":
        refused(session, act.format(table))
