"""The lists, searches and transcripts that people look at: what is found, in which order, and in how few statements."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from db_rows import Rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from db.models import Contact, Conversation
from db.repositories import conversations, drafts, hotels, tickets, turns
from db.repositories.conversations import ConversationFilter
from db.repositories.tickets import TicketFilter, TicketOrder
from db.vocabulary import Counterpart, DraftStatus, Mode, Speaker, Stage, TicketStatus


@contextmanager
def statements_of(engine: Engine) -> Generator[list[str]]:
    """Every statement that is sent meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def same(*rows: Conversation) -> set[UUID]:
    """Which conversations they are, in whatever order."""
    return {row.id for row in rows}


def references(session: Session, wanted: TicketFilter, *, limit: int = 50, offset: int = 0) -> list[str]:
    return [ticket.reference for ticket in tickets.search(session, wanted, limit=limit, offset=offset)]


@pytest.fixture
def shelf(rows: Rows) -> None:
    """Four tickets of three hotels."""
    grand = rows.hotel(name="Grand Étoile", city="Paris", country="FR")
    harbour = rows.hotel(name="Harbour 100%_Inn", city="Lisbon")
    lake = rows.hotel(name="西湖大酒店", city="杭州", country="CN")
    rows.ticket(grand, reference="PC-100", room_type="Deluxe King")
    rows.ticket(grand, reference="PC-101", room_type="Twin", status=TicketStatus.DECLINED)
    rows.ticket(harbour, reference="PC-200", room_type="King Suite", check_in=date(2026, 6, 1), check_out=date(2026, 6, 5))
    rows.ticket(lake, reference="PC-300", room_type="豪华大床房")


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", {"PC-100", "PC-101", "PC-200", "PC-300"}),
        ("grand", {"PC-100", "PC-101"}),
        ("GRAND étoile", {"PC-100", "PC-101"}),
        ("toile", {"PC-100", "PC-101"}),
        ("paris king", {"PC-100"}),
        ("king", {"PC-100", "PC-200"}),
        ("pc-2", {"PC-200"}),
        ("杭州", {"PC-300"}),
        ("大床", {"PC-300"}),
        ("100%_", {"PC-200"}),
        ("%", {"PC-200"}),
        ("__", set[str]()),
        ("\\", set[str]()),
        ("grand lisbon", set[str]()),
        ("' OR 1=1 --", set[str]()),
        ("a\0b", set[str]()),
        ("\ud800", set[str]()),
    ],
)
def test_every_word_must_stand_somewhere(session: Session, words: str, found: set[str]) -> None:
    wanted = TicketFilter(text=words)
    assert set(references(session, wanted)) == found
    assert tickets.count(session, wanted) == len(found)


@given(words=st.text())
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_that_people_may_type_breaks_the_search(session: Session, words: str) -> None:
    assert tickets.search(session, TicketFilter(text=words)) == []


@pytest.mark.usefixtures("shelf")
def test_filters_narrow_together(session: Session) -> None:
    assert references(session, TicketFilter(statuses=(TicketStatus.DECLINED,))) == ["PC-101"]
    assert references(session, TicketFilter(text="grand", statuses=(TicketStatus.OPEN, TicketStatus.DECLINED), city="PARIS")) == [
        "PC-101",
        "PC-100",
    ]
    assert references(session, TicketFilter(stays_from=date(2026, 5, 1))) == ["PC-200"]
    assert references(session, TicketFilter(stays_from=date(2026, 6, 5))) == []
    assert references(session, TicketFilter(stays_to=date(2026, 2, 28))) == []
    assert references(session, TicketFilter(created_by=uuid4())) == []
    grand = hotels.search(session, "grand")[0]
    assert references(session, TicketFilter(hotel_id=grand.id)) == ["PC-101", "PC-100"]


@pytest.mark.usefixtures("shelf")
def test_pages_follow_each_other(session: Session) -> None:
    everything = TicketFilter()
    first, second = references(session, everything, limit=3), references(session, everything, limit=3, offset=3)
    assert first + second == ["PC-300", "PC-200", "PC-101", "PC-100"]
    assert [ticket.reference for ticket in tickets.search(session, order=TicketOrder.CHECK_IN)][-1] == "PC-200"
    assert next(ticket.hotel.name for ticket in tickets.search(session, order=TicketOrder.HOTEL)) == "Grand Étoile"


@pytest.mark.usefixtures("shelf")
def test_tickets_are_counted_by_status(session: Session) -> None:
    counted = tickets.count_by_status(session, TicketFilter(city="paris"))
    assert counted == dict.fromkeys(TicketStatus, 0) | {TicketStatus.OPEN: 1, TicketStatus.DECLINED: 1}


def test_a_page_of_tickets_is_one_statement(session: Session, rows: Rows, engine: Engine) -> None:
    for _ in range(10):
        rows.ticket()
    session.expire_all()
    with statements_of(engine) as sent:
        assert len({ticket.hotel.name for ticket in tickets.search(session)}) == 10
    assert len(sent) == 1


def test_a_ticket_is_found_by_id_and_reference(session: Session, rows: Rows) -> None:
    ticket = rows.ticket(reference="PC-7")
    assert tickets.get_with_hotel(session, ticket.id).hotel.city == "Lisbon"
    assert tickets.find_by_reference(session, "PC-7") is ticket
    assert tickets.find_by_reference(session, "PC-8") is None
    nowhere = uuid4()
    with pytest.raises(tickets.TicketNotFound, match=str(nowhere)):
        tickets.get_with_hotel(session, nowhere)


def test_conversations_are_found_by_person_stage_and_ticket(session: Session, rows: Rows) -> None:
    ada, bob = rows.user(), rows.user()
    ticket = rows.ticket(rows.hotel(name="Grand", city="Rome"))
    mine = rows.conversation(ticket, opened_by=ada.id, stage=Stage.PROPOSAL)
    taken = rows.conversation(opened_by=bob.id, taken_over_by=ada.id, mode=Mode.AUTOPILOT)
    done = rows.conversation(ticket, opened_by=bob.id, stage=Stage.AGREED, closed_at=datetime.now(UTC), counterpart=Counterpart.SIMULATED)

    def found(**wanted: Any) -> set[UUID]:
        narrowed = ConversationFilter(**wanted)
        listed = conversations.search(session, narrowed)
        assert conversations.count(session, narrowed) == len(listed)
        return same(*listed)

    assert found() == same(mine, taken, done)
    assert found(user_id=ada.id) == same(mine, taken)
    assert found(stages=(Stage.PROPOSAL, Stage.AGREED)) == same(mine, done)
    assert found(closed=False) == same(mine, taken)
    assert found(closed=True) == same(done)
    assert found(ticket_id=ticket.id) == same(mine, done)
    assert found(hotel_id=ticket.hotel_id, user_id=bob.id) == same(done)
    assert found(mode=Mode.AUTOPILOT) == same(taken)
    assert found(counterpart=Counterpart.SIMULATED) == same(done)
    assert found(text="gran rome") == same(mine, done)
    assert conversations.count_by_stage(session)[Stage.PROPOSAL] == 1
    assert conversations.count_by_stage(session)[Stage.EXPIRED] == 0


def test_the_last_touched_conversation_comes_first(session: Session, rows: Rows) -> None:
    ticket = rows.ticket()
    first, second = rows.conversation(ticket), rows.conversation(ticket)
    assert list(conversations.search(session)) == [second, first]
    session.commit()
    conversations.lock_conversation(session, first.id).turn_count += 1
    session.commit()
    assert list(conversations.search(session)) == [first, second]
    assert list(conversations.search(session, limit=1, offset=1)) == [second]


def test_a_page_of_conversations_is_two_statements(session: Session, rows: Rows, engine: Engine) -> None:
    for _ in range(5):
        hotel = rows.hotel()
        rows.conversation(rows.ticket(hotel), rows.ticket(hotel))
    session.expire_all()
    with statements_of(engine) as sent:
        for conversation in conversations.search(session):
            assert conversation.hotel.name
            assert [link.label for link in conversation.tickets] == [1, 2]
            assert all(link.ticket.reference for link in conversation.tickets)
    assert len(sent) == 2


def test_the_newest_conversation_of_each_ticket(session: Session, rows: Rows) -> None:
    ticket, other, untouched = rows.ticket(), rows.ticket(), rows.ticket()
    rows.conversation(ticket, closed_at=datetime.now(UTC))
    newest, elsewhere = rows.conversation(ticket), rows.conversation(other)
    assert conversations.latest_by_ticket(session, [ticket.id, other.id, untouched.id]) == {ticket.id: newest, other.id: elsewhere}
    assert same(*conversations.list_open_with_any_ticket(session, [ticket.id, other.id])) == same(newest, elsewhere)
    assert conversations.list_open_with_any_ticket(session, [untouched.id]) == []


def test_a_transcript_is_whole_and_two_statements_whatever_its_length(session: Session, rows: Rows, engine: Engine) -> None:
    ada = rows.user(name="Ada")
    conversation = rows.conversation()
    for number in range(1, 20, 2):
        rows.bd_turn(conversation, number, author=ada)
        rows.hotel_turn(conversation, number + 1)
    conversation_id = conversation.id
    session.expire_all()
    with statements_of(engine) as sent:
        transcript = turns.list_transcript(session, conversation_id)
        assert [turn.number for turn in transcript] == list(range(1, 21))
        ours = [turn for turn in transcript if turn.speaker is Speaker.BD]
        assert [turn.author.name for turn in ours if turn.author] == ["Ada"] * 10
        assert [[verdict.rule for verdict in turn.draft.verdicts] for turn in ours if turn.draft] == [["length", "repetition"]] * 10
    assert len(sent) == 2


def test_turns_are_found_by_number_and_listed_in_their_order(session: Session, rows: Rows) -> None:
    conversation = rows.conversation()
    first, second, third = rows.hotel_turn(conversation, 1), rows.bd_turn(conversation, 2), rows.hotel_turn(conversation, 3)
    assert turns.find_by_number(session, conversation.id, 2) is second
    assert turns.find_by_number(session, conversation.id, 4) is None
    assert list(turns.list_said(session, conversation.id)) == [first, second, third]


def test_drafts_that_fell_back_are_counted_by_reason(session: Session, rows: Rows) -> None:
    conversation = rows.conversation()
    for attempt, reason in enumerate(["unknown number", "unknown number", "promise", None], start=1):
        rows.draft(conversation, 1, attempt, fallback_reason=reason, status=DraftStatus.SUPERSEDED)
    since = session.execute(text("SELECT now() - interval '1 minute'")).scalar_one()
    assert drafts.count_fallbacks(session, since=since) == {"unknown number": 2, "promise": 1}
    assert drafts.count_fallbacks(session, since=datetime(2999, 1, 1, tzinfo=UTC)) == {}


def test_a_draft_is_found_with_what_the_guard_said(session: Session, rows: Rows) -> None:
    said = rows.bd_turn(rows.conversation(), 1)
    assert said.draft_id is not None
    session.expire_all()
    assert [verdict.rule for verdict in drafts.get_with_verdicts(session, said.draft_id).verdicts] == ["length", "repetition"]


def test_a_draft_that_does_not_exist_is_named(session: Session) -> None:
    nowhere = uuid4()
    with pytest.raises(drafts.DraftNotFound, match=str(nowhere)):
        drafts.get_with_verdicts(session, nowhere)


def test_hotels_are_searched_with_their_people(session: Session, rows: Rows) -> None:
    grand = rows.hotel(name="Grand", city="Rome", country="IT")
    rows.hotel(name="Alpha", city="Milan", country="IT")
    hotels.add_contact(session, Contact(hotel_id=grand.id, name="Bea", role="Revenue manager"))
    session.expire_all()
    assert [hotel.name for hotel in hotels.search(session)] == ["Alpha", "Grand"]
    assert [hotel.name for hotel in hotels.search(session, "rom gran")] == ["Grand"]
    assert list(hotels.list_cities(session)) == ["Milan", "Rome"]
    found = hotels.find_with_contacts(session, grand.id)
    assert found is not None
    assert [contact.name for contact in found.contacts] == ["Bea"]
    assert hotels.find_with_contacts(session, uuid4()) is None
