"""A CSV file is taken row by row: what is wrong is named with row, column, value and mend, and nothing is guessed."""

import contextlib
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from agent.service.demo import demo_tickets, seed_demo
from agent.service.intake import COLUMNS, IntakeError, TicketForm, create_ticket, import_tickets, parse_csv, template_csv
from db.engine import parse_url
from db.repositories import tickets

ROW = "P1,Hotel A,Rome,Italy,Double,2027-03-01,2027-03-05,EUR,100,15%,85,90"
HEADER = "reference,hotel,city,country,room_type,check_in,check_out,currency,current_net,commission,target,ceiling"


def csv(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join((header, *rows)).encode()


def only(data: bytes) -> TicketForm:
    intake = parse_csv(data)
    assert intake.errors == ()
    return intake.rows[0]


def test_the_template_can_be_imported_as_it_is() -> None:
    form = only(template_csv().encode())
    assert form.commission == Decimal("0.15")
    assert form.evidence == ("Breakfast is rated 9.1 by our guests.",)


@pytest.mark.parametrize(("written", "share"), [("15%", "0.15"), ("15", "0.15"), ("0.15", "0.15"), ("12.5 %", "0.125")])
def test_a_commission_is_read_as_people_write_it(written: str, share: str) -> None:
    assert only(csv(ROW.replace("15%", written))).commission == Decimal(share)


def test_an_opening_ask_that_is_left_out_lies_below_the_target() -> None:
    assert only(csv(ROW)).opening_ask == Decimal("82.45")


@pytest.mark.parametrize(
    ("row", "column", "value", "word"),
    [
        (ROW.replace("2027-03-01", "soon"), "check_in", "soon", "date"),
        (ROW.replace("EUR", "euro"), "currency", "euro", "pattern"),
        (ROW.replace(",100,", ",-3,"), "current_net", "-3", "greater than 0"),
        (ROW.replace(",100,", ",,"), "current_net", "", "required"),
        (ROW.replace("2027-03-05", "2027-03-01"), "", "", "must be after"),
        (ROW.replace(",85,", ",95,"), "", "", "prices must rise"),
        (ROW.replace(",90", ",190"), "", "", "nothing to negotiate"),
        (ROW + ",surplus", "", "surplus", "more cells"),
    ],
)
def test_a_bad_cell_is_named_with_its_row(row: str, column: str, value: str, word: str) -> None:
    intake = parse_csv(csv(ROW.replace("P1", "P0"), row))
    assert [form.reference for form in intake.rows] == ["P0"]
    assert [(error.row, error.column, error.value) for error in intake.errors] == [(3, column, value)]
    assert word in intake.errors[0].message


def test_a_reference_twice_in_one_file_is_an_error_of_the_second_row() -> None:
    intake = parse_csv(csv(ROW, ROW))
    assert len(intake.rows) == 1
    assert "row 2" in intake.errors[0].message


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "lacks the columns"),
        (b"\xff\xfe\x00binary", "UTF-8"),
        (b"PK\x03\x04\0\0", "binary"),
        (csv(), "no rows"),
        (csv(ROW, header=HEADER.replace("ceiling", "cieling")), "lacks the columns ceiling"),
        (csv(ROW + ",1", header=HEADER + ",colour"), "unknown columns: colour"),
        (HEADER.encode() + b'\n"open quote,' + ROW.encode(), "not well-formed"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(data: bytes, word: str) -> None:
    with pytest.raises(IntakeError, match=word):
        parse_csv(data)


def test_semicolons_and_a_byte_order_mark_are_fine() -> None:
    assert only(b"\xef\xbb\xbf" + csv(ROW).replace(b",", b";")).hotel == "Hotel A"


@given(st.binary(max_size=400))
def test_no_file_makes_it_stumble(data: bytes) -> None:
    with contextlib.suppress(IntakeError):
        parse_csv(data)


@given(st.text(max_size=200))
def test_no_row_makes_it_stumble(row: str) -> None:
    with contextlib.suppress(IntakeError):
        parse_csv(csv(row))


def test_the_demo_tickets_lie_in_the_weeks_to_come() -> None:
    today = date(2031, 7, 4)
    forms = demo_tickets(today)
    assert len(forms) >= 10
    assert all(form.check_in > today for form in forms)
    assert set(COLUMNS) >= {"reference", "ceiling"}


def test_importing_twice_adds_nothing_and_a_taken_reference_is_refused(database_url: str) -> None:
    engine = create_engine(parse_url(database_url))
    with Session(engine) as session, session.begin():
        assert seed_demo(session, today=date(2027, 1, 1)) == 12
        assert seed_demo(session, today=date(2027, 1, 1)) == 0
        added, known = import_tickets(session, [only(csv(ROW))], actor=None)
        assert (added, known) == (1, ())
        assert import_tickets(session, [only(csv(ROW))], actor=None) == (0, ("P1",))
        with pytest.raises(IntakeError, match="'P1' is taken"):
            create_ticket(session, only(csv(ROW)), actor=None)
        assert tickets.count(session) == 13
    engine.dispose()
