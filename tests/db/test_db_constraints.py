"""What the tables themselves refuse to hold, and what they give back exactly as it came."""

import random
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from db_rows import Rows
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError, InvalidRequestError, StatementError
from sqlalchemy.orm import Session

from db.models import Contact, Conversation, ConversationTicket, Draft, GuardVerdict, Hotel, Turn
from db.models.base import MONEY, SHARE, ExactDecimal
from db.repositories import tickets
from db.vocabulary import Counterpart, DraftOrigin, Mode, Severity, Speaker, Stage, TicketStatus

DIALECT = postgresql.dialect()


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"check_out": date(2026, 3, 1)}, "dates"),
        ({"currency": "eur"}, "currency"),
        ({"current_net": Decimal(0)}, "current_net"),
        ({"commission": Decimal(1)}, "commission"),
        ({"rooms": 0}, "rooms"),
        ({"competitor_price": Decimal(-1)}, "competitor_price"),
        ({"opening_ask": Decimal(411)}, "mandate"),
        ({"target": Decimal(426)}, "mandate"),
        ({"opening_ask": Decimal(0)}, "mandate"),
        ({"exponent": 0.0}, "exponent"),
        ({"max_rounds": 0}, "max_rounds"),
        ({"status": TicketStatus.AGREED}, "agreed_has_net"),
    ],
)
def test_an_impossible_ticket_is_refused(rows: Rows, changed: dict[str, Any], rule: str) -> None:
    with pytest.raises(IntegrityError, match=f"ck_ticket_{rule}"):
        rows.ticket(**changed)


@pytest.mark.parametrize(("net", "kept"), [("425", True), ("425.01", False), ("9999", False)])
def test_nothing_is_agreed_above_the_ceiling(session: Session, rows: Rows, net: str, kept: bool) -> None:
    ticket = rows.ticket()
    if kept:
        assert tickets.record_outcome(session, ticket.id, TicketStatus.AGREED, agreed_net=Decimal(net))
    else:
        with pytest.raises(IntegrityError, match="agreed_within_ceiling"):
            tickets.record_outcome(session, ticket.id, TicketStatus.AGREED, agreed_net=Decimal(net))


def test_a_conversation_holds_a_ticket_and_a_label_once(session: Session, rows: Rows) -> None:
    ticket, other = rows.ticket(), rows.ticket()
    conversation = rows.conversation(ticket)
    for link in (
        ConversationTicket(conversation_id=conversation.id, ticket_id=ticket.id, label=2),
        ConversationTicket(conversation_id=conversation.id, ticket_id=other.id, label=1),
    ):
        with pytest.raises(IntegrityError, match="uq_conversation_ticket"), session.begin_nested():
            session.add(link)  # leaving the savepoint flushes it


def test_amounts_come_back_as_people_write_them(session: Session, rows: Rows) -> None:
    ticket = rows.ticket(current_net=Decimal("440"), ceiling=Decimal("425.125"), commission=Decimal("0.1725"))
    session.expire(ticket)
    assert [str(value) for value in (ticket.current_net, ticket.ceiling, ticket.commission)] == ["440.00", "425.125", "0.1725"]


@given(st.decimals(min_value=0, max_value=10**9, places=3))
def test_an_amount_is_kept_to_the_last_place(amount: Decimal) -> None:
    bound = MONEY.process_bind_param(amount, DIALECT)
    assert bound is not None
    back = MONEY.process_result_value(bound, DIALECT)
    assert back == amount
    assert "E" not in str(back)


@pytest.mark.parametrize("column", [MONEY, SHARE])
@pytest.mark.parametrize("value", ["NaN", "Infinity", "0.1234567"])
def test_what_would_be_rounded_is_refused(column: ExactDecimal, value: str) -> None:
    with pytest.raises(ValueError, match=f"{value} cannot be stored exactly"):
        column.process_bind_param(Decimal(value), DIALECT)


def test_nothing_passes_through_as_nothing() -> None:
    assert MONEY.process_bind_param(None, DIALECT) is None
    assert MONEY.process_result_value(None, DIALECT) is None


def test_rounding_is_refused_on_the_way_to_the_database(rows: Rows) -> None:
    with pytest.raises(StatementError, match="at most 3 decimal places"):
        rows.ticket(current_net=Decimal("440.0005"))


def test_a_relation_that_was_not_asked_for_is_an_error_and_no_hidden_query(session: Session, rows: Rows) -> None:
    conversation = rows.conversation()
    session.expire_all()
    with pytest.raises(InvalidRequestError, match="lazy='raise'"):
        _ = conversation.hotel
    with pytest.raises(InvalidRequestError, match="lazy='raise'"):
        _ = conversation.tickets


def test_a_row_shows_its_id_only(rows: Rows) -> None:
    ticket = rows.ticket(ceiling=Decimal("424.77"))
    assert repr(ticket) == f"<Ticket {ticket.id}>"


@pytest.mark.parametrize("seed", range(5))
def test_rows_added_together_are_written_parents_first(session: Session, rows: Rows, seed: int) -> None:
    hotel = Hotel(name="Grand", city="Rome", country="IT")
    conversation = Conversation(hotel_id=hotel.id, mode=Mode.COPILOT, counterpart=Counterpart.HUMAN)
    draft = Draft(conversation_id=conversation.id, for_turn=1, attempt=1, origin=DraftOrigin.POLICY, text="Hello")
    family = [
        hotel,
        conversation,
        draft,
        Contact(hotel_id=hotel.id, name="Bea"),
        ConversationTicket(conversation_id=conversation.id, ticket_id=rows.ticket().id, label=1),
        GuardVerdict(draft_id=draft.id, rule="length", severity=Severity.MINOR),
        Turn(conversation_id=conversation.id, number=1, speaker=Speaker.BD, text="Hello", stage_before=Stage.OPENING, draft_id=draft.id),
    ]
    random.Random(seed).shuffle(family)
    session.add_all(family)
    session.flush()
    assert all(row in session for row in family)
