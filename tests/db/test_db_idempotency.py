"""A request that is repeated, after a crash or by an impatient client, finds what the first one wrote and adds nothing."""

from decimal import Decimal

import pytest
from db_rows import Rows
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.models import Base, Conversation, ConversationTicket, Draft, Hotel, Ticket, Turn
from db.repositories import conversations, drafts, hotels, tickets, turns, users
from db.vocabulary import Counterpart, DraftOrigin, DraftStatus, Mode, Role, Speaker, Stage, TicketStatus


def number_of(session: Session, model: type[Base]) -> int:
    return session.scalars(select(func.count()).select_from(model)).one()


def test_a_conversation_is_opened_once_per_key(session: Session, rows: Rows) -> None:
    ticket, other = rows.ticket(), rows.ticket()
    first = rows.conversation(ticket, key="k")
    again, is_new = conversations.open_once(
        session,
        Conversation(hotel_id=other.hotel_id, mode=Mode.AUTOPILOT, counterpart=Counterpart.HUMAN, idempotency_key="k"),
        [other.id],
    )
    assert not is_new
    assert again is first
    assert again.mode is Mode.COPILOT
    assert conversations.find_by_idempotency_key(session, "k") is first
    assert number_of(session, ConversationTicket) == 1


def test_conversations_without_a_key_are_each_their_own(session: Session, rows: Rows) -> None:
    ticket = rows.ticket()
    for _ in range(2):
        opened, is_new = conversations.open_once(
            session, Conversation(hotel_id=ticket.hotel_id, mode=Mode.AUTOPILOT, counterpart=Counterpart.SIMULATED), [ticket.id]
        )
        assert is_new
        assert opened.id is not None
    assert number_of(session, Conversation) == 2


def test_a_turn_is_written_once_per_number(session: Session, rows: Rows) -> None:
    conversation = rows.conversation()
    first = rows.hotel_turn(conversation, 1)
    again, is_new = turns.add_once(
        session, Turn(conversation_id=conversation.id, number=1, speaker=Speaker.HOTEL, text="x", stage_before=Stage.PROPOSAL)
    )
    assert not is_new
    assert again is first
    assert again.text == "We could do 430."


def test_a_key_writes_one_turn_of_a_conversation_only(session: Session, rows: Rows) -> None:
    conversation, other = rows.conversation(), rows.conversation()
    turn = rows.hotel_turn(conversation, 1, idempotency_key="k")
    assert turns.find_by_idempotency_key(session, conversation.id, "k") is turn
    assert turns.find_by_idempotency_key(session, other.id, "k") is None
    rows.hotel_turn(other, 1, idempotency_key="k")
    with pytest.raises(IntegrityError, match="uq_turn_conversation_id_idempotency_key"):
        rows.hotel_turn(conversation, 2, idempotency_key="k")


def test_a_draft_is_said_in_one_turn_only(session: Session, rows: Rows) -> None:
    conversation = rows.conversation()
    said = rows.bd_turn(conversation, 1)
    with pytest.raises(IntegrityError, match="uq_turn_draft_id"):
        turns.add_once(
            session,
            Turn(
                conversation_id=conversation.id, number=2, speaker=Speaker.BD, text="x", stage_before=Stage.PROPOSAL, draft_id=said.draft_id
            ),
        )


def test_an_attempt_at_a_turn_is_written_once(session: Session, rows: Rows) -> None:
    conversation = rows.conversation()
    first = rows.draft(conversation, 1)
    again, is_new = drafts.add_once(
        session, Draft(conversation_id=conversation.id, for_turn=1, attempt=1, origin=DraftOrigin.POLICY, text="other words")
    )
    assert not is_new
    assert again is first
    assert again.text != "other words"


def test_a_conversation_has_one_pending_draft(session: Session, rows: Rows) -> None:
    conversation = rows.conversation()
    first = rows.draft(conversation, 1)
    with pytest.raises(IntegrityError, match="uq_draft_pending"), session.begin_nested():
        rows.draft(conversation, 1, attempt=2)
    assert drafts.decide(session, first.id, DraftStatus.REJECTED, action_key="regenerate-1")
    second = rows.draft(conversation, 1, attempt=2)
    assert drafts.find_pending(session, conversation.id) is second
    assert [draft.attempt for draft in drafts.list_attempts(session, conversation.id, 1)] == [1, 2]


def test_a_draft_is_decided_once_and_the_key_is_recognised(session: Session, rows: Rows) -> None:
    conversation = rows.conversation()
    person = rows.user()
    draft = rows.draft(conversation, 1)
    assert drafts.decide(session, draft.id, DraftStatus.APPROVED, action_key="k", decided_by=person.id)
    assert not drafts.decide(session, draft.id, DraftStatus.REJECTED, action_key="other")
    assert drafts.find_by_action_key(session, conversation.id, "k") is draft
    assert drafts.find_by_action_key(session, conversation.id, "other") is None
    assert (draft.status, draft.decided_by) == (DraftStatus.APPROVED, person.id)
    assert draft.decided_at is not None


def test_a_key_decides_one_draft_of_a_conversation_only(session: Session, rows: Rows) -> None:
    conversation = rows.conversation()
    drafts.decide(session, rows.draft(conversation, 1).id, DraftStatus.REJECTED, action_key="k")
    second = rows.draft(conversation, 1, attempt=2)
    with pytest.raises(IntegrityError, match="uq_draft_conversation_id_action_key"):
        drafts.decide(session, second.id, DraftStatus.APPROVED, action_key="k")


def test_an_edit_needs_its_words(session: Session, rows: Rows) -> None:
    draft = rows.draft(rows.conversation(), 1)
    with pytest.raises(IntegrityError, match="edited_has_text"):
        drafts.decide(session, draft.id, DraftStatus.EDITED)


def test_a_ticket_is_imported_once_per_reference(session: Session, rows: Rows) -> None:
    first = rows.ticket(reference="PC-1")
    again = rows.ticket(reference="PC-1", current_net=Decimal(1000))
    assert again is first
    assert again.current_net == 440
    assert tickets.known_references(session, ["PC-1", "PC-2"]) == {"PC-1"}
    assert number_of(session, Ticket) == 1


def test_a_hotel_is_the_same_in_any_case(session: Session) -> None:
    first, is_new = hotels.create(session, Hotel(name="Grand Étoile", city="Paris", country="FR"))
    again, is_new_again = hotels.create(session, Hotel(name="GRAND ÉTOILE", city="paris", country="fr"))
    elsewhere, is_new_elsewhere = hotels.create(session, Hotel(name="Grand Étoile", city="Lyon", country="FR"))
    assert (is_new, is_new_again, is_new_elsewhere) == (True, False, True)
    assert again is first
    assert elsewhere is not first


def test_a_person_is_added_once_per_address(session: Session) -> None:
    first, _ = users.create(session, email="Ada@Example.com ", name="Ada", roles=[Role.BD])
    again, is_new = users.create(session, email="ada@example.COM", name="Somebody", roles=[Role.ADMIN])
    assert not is_new
    assert again is first
    assert (again.email, again.name, again.roles) == ("ada@example.com", "Ada", [Role.BD])


def test_a_ticket_is_closed_once(session: Session, rows: Rows) -> None:
    ticket = rows.ticket()
    assert tickets.record_outcome(session, ticket.id, TicketStatus.AGREED, agreed_net=Decimal("418.50"))
    assert not tickets.record_outcome(session, ticket.id, TicketStatus.DECLINED)
    assert (ticket.status, ticket.agreed_net) == (TicketStatus.AGREED, Decimal("418.50"))
    assert ticket.closed_at is not None
