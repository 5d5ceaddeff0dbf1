"""Several connections at once: one of them works on a conversation, the others wait, skip it, or are told that it is busy."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from db_rows import Rows
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from db.engine import DatabaseBusy, SessionFactory, create_engine_from, session_factory
from db.models import Conversation, Deployment, Hotel, Turn
from db.repositories import conversations, deployments, hotels, tickets, turns
from db.settings import DatabaseSettings
from db.vocabulary import Counterpart, DeploymentRole, Mode, Speaker, Stage

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PATIENCE_S = 30


def together(number: int, act: Callable[[int], object]) -> list[object]:
    """Run ``act`` on that many threads that start at the same instant; what each of them returned or raised."""
    barrier = threading.Barrier(number)

    def start(position: int) -> object:
        barrier.wait(PATIENCE_S)
        try:
            return act(position)
        except IntegrityError as error:
            return error

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(start, range(number)))


def a_conversation(sessions: SessionFactory) -> UUID:
    with sessions.begin() as session:
        return Rows(session).conversation().id


def test_turns_appended_by_many_at_once_are_numbered_without_a_gap(sessions: SessionFactory) -> None:
    conversation_id = a_conversation(sessions)

    def append(position: int) -> None:
        for _ in range(5):
            with sessions.begin() as session:
                conversation = conversations.lock_conversation(session, conversation_id)
                conversation.turn_count += 1
                Rows(session).hotel_turn(conversation, conversation.turn_count, f"from {position}")

    together(8, append)
    with sessions() as session:
        assert [turn.number for turn in turns.list_said(session, conversation_id)] == list(range(1, 41))
        assert conversations.get_with_tickets(session, conversation_id).turn_count == 40


def test_the_lock_shows_what_the_last_holder_wrote(sessions: SessionFactory) -> None:
    conversation_id = a_conversation(sessions)
    with sessions() as session:
        seen = conversations.get_with_tickets(session, conversation_id)
        session.commit()
        with sessions.begin() as other:
            conversations.lock_conversation(other, conversation_id).stage = Stage.CLOSING
        assert conversations.lock_conversation(session, conversation_id) is seen
        assert seen.stage is Stage.CLOSING


def test_whoever_waits_too_long_for_a_conversation_is_told_so(sessions: SessionFactory, database_url: str) -> None:
    conversation_id = a_conversation(sessions)
    hasty = session_factory(create_engine_from(database_url, settings=DatabaseSettings(database_lock_timeout_s=0.1), pooled=False))
    with sessions.begin() as holder:
        conversations.lock_conversation(holder, conversation_id)
        with hasty() as session, pytest.raises(DatabaseBusy, match="try again in a moment"):
            conversations.lock_conversation(session, conversation_id)
        with hasty() as reader:
            assert conversations.get_with_tickets(reader, conversation_id).id == conversation_id


def test_a_conversation_that_does_not_exist_is_named(sessions: SessionFactory) -> None:
    nowhere = uuid4()
    with sessions() as session, pytest.raises(conversations.ConversationNotFound, match=str(nowhere)):
        conversations.lock_conversation(session, nowhere)


def test_a_request_repeated_at_the_same_instant_opens_one_conversation(sessions: SessionFactory) -> None:
    with sessions.begin() as session:
        ticket = Rows(session).ticket()

    def open_it(_: int) -> tuple[UUID, bool]:
        with sessions.begin() as session:
            wanted = Conversation(hotel_id=ticket.hotel_id, mode=Mode.COPILOT, counterpart=Counterpart.HUMAN, idempotency_key="k")
            opened, is_new = conversations.open_once(session, wanted, [ticket.id])
            return opened.id, is_new

    answers = together(8, open_it)
    assert len({answer[0] for answer in answers if isinstance(answer, tuple)}) == 1
    assert sum(answer[1] for answer in answers if isinstance(answer, tuple)) == 1
    with sessions() as session:
        assert [link.label for link in conversations.search(session)[0].tickets] == [1]


def test_a_hotel_imported_by_many_at_once_is_one(sessions: SessionFactory) -> None:
    def add(_: int) -> UUID:
        with sessions.begin() as session:
            return hotels.create(session, Hotel(name="Grand", city="Rome", country="IT"))[0].id

    assert len(set(together(8, add))) == 1


def test_a_turn_number_is_taken_once_even_without_the_lock(sessions: SessionFactory) -> None:
    conversation_id = a_conversation(sessions)

    def write(position: int) -> bool:
        with sessions.begin() as session:
            turn = Turn(conversation_id=conversation_id, number=1, speaker=Speaker.HOTEL, text=str(position), stage_before=Stage.OPENING)
            return turns.add_once(session, turn)[1]

    assert sorted(map(bool, together(8, write))) == [False] * 7 + [True]


def due(sessions: SessionFactory, number: int) -> set[UUID]:
    with sessions.begin() as session:
        rows = Rows(session)
        ticket = rows.ticket()
        made = {rows.conversation(ticket, next_follow_up_at=NOW - timedelta(minutes=i)).id for i in range(1, number + 1)}
        rows.conversation(ticket, next_follow_up_at=NOW + timedelta(seconds=1))
        rows.conversation(ticket, next_follow_up_at=NOW - timedelta(days=1), closed_at=NOW)
        rows.conversation(ticket)
        return made


def test_follow_ups_that_are_due_come_longest_overdue_first(sessions: SessionFactory) -> None:
    made = due(sessions, 3)
    with sessions() as session:
        found = conversations.lock_due_follow_ups(session, now=NOW)
        assert {conversation.id for conversation in found} == made
        times = [conversation.next_follow_up_at for conversation in found]
        assert times == sorted(times, key=lambda at: at or NOW)


def test_each_due_follow_up_is_handed_to_one_worker(sessions: SessionFactory) -> None:
    made = due(sessions, 12)
    everybody_holds_theirs = threading.Barrier(4)

    def work(_: int) -> list[UUID]:
        with sessions.begin() as session:
            mine = [conversation.id for conversation in conversations.lock_due_follow_ups(session, now=NOW, limit=3)]
            everybody_holds_theirs.wait(PATIENCE_S)
            return mine

    handed = [identity for answer in together(4, work) if isinstance(answer, list) for identity in answer]
    assert len(handed) == 12
    assert set(handed) == made


def test_tickets_are_locked_in_the_order_asked_for_without_waiting_in_a_circle(sessions: SessionFactory) -> None:
    with sessions.begin() as session:
        rows = Rows(session)
        ids = [rows.ticket().id for _ in range(4)]

    def lock(position: int) -> bool:
        wanted = ids if position % 2 else ids[::-1]
        for _ in range(5):
            with sessions.begin() as session:
                assert [ticket.id for ticket in tickets.lock_tickets(session, wanted)] == wanted
        return True

    assert together(6, lock) == [True] * 6
    nowhere = uuid4()
    with sessions() as session, pytest.raises(tickets.TicketNotFound, match=str(nowhere)):
        tickets.lock_tickets(session, [ids[0], nowhere])


def test_two_versions_never_go_live_together(sessions: SessionFactory) -> None:
    with sessions.begin() as session:
        rows = Rows(session)
        versions = [rows.policy_version().id for _ in range(4)]

    def go_live(position: int) -> UUID:
        with sessions.begin() as session:
            return deployments.deploy(session, versions[position], DeploymentRole.LIVE).id

    together(4, go_live)
    with sessions() as session:
        assert len(deployments.list_active(session)) == 1
        assert session.scalars(select(func.count()).select_from(Deployment).where(Deployment.active_to.is_(None))).one() == 1
