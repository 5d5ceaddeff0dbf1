"""Tickets in a real browser: finding, entering, importing them, and the mistakes that people make."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select
from web_site import Site, StartSite, add_tickets, assert_no_traceback, settle, sign_in, take_screenshot, tick_row

from db.models import Ticket

pytestmark = pytest.mark.browser
HEADER = "reference,hotel,city,country,room_type,check_in,check_out,currency,current_net,commission,target,ceiling"


@pytest.fixture(scope="module")
def site(start_site: StartSite) -> Site:
    site: Site = start_site()
    add_tickets(site.sessions, hotel="Hotel Aurora", rooms=("Deluxe Double", "Junior Suite"))
    long_name = "Grand Palace of the Seven Eastern Winds and Conference Centre with a Name That Never Ends"
    add_tickets(site.sessions, hotel=long_name, city="Istanbul", rooms=tuple(f"Room {number}" for number in range(30)))
    return site


def test_the_list_is_searched_filtered_and_paged(site: Site, window: Page) -> None:
    sign_in(window, site)
    expect(window.get_by_text("1–25 of 32 tickets")).to_be_visible()
    take_screenshot(window, "tickets")
    window.get_by_role("button", name="chevron_right").click()
    expect(window.get_by_text("26–32 of 32 tickets")).to_be_visible()
    window.get_by_role("textbox", name="Search").fill("aurora double")
    window.keyboard.press("Enter")
    expect(window.get_by_text("1–1 of 1 tickets")).to_be_visible()
    assert "q=aurora" in window.url
    window.reload()
    settle(window)
    expect(window.get_by_text("1–1 of 1 tickets")).to_be_visible()
    window.get_by_role("textbox", name="Search").fill("100% of _nothing_\\")
    window.keyboard.press("Enter")
    expect(window.get_by_text("Nothing fits these filters")).to_be_visible()
    take_screenshot(window, "nothing found")
    assert_no_traceback(window)


def test_a_new_ticket_is_refused_field_by_field_until_it_is_right(site: Site, window: Page) -> None:
    sign_in(window, site, path="/new-ticket")
    window.get_by_role("textbox", name="Hotel *").fill("Casa Nova")
    window.get_by_role("textbox", name="Net price today *").fill("cheap")
    window.get_by_role("button", name="Create ticket").click()
    expect(window.get_by_text("Please mend this first")).to_be_visible()
    expect(window.get_by_text("(it says “cheap”)")).to_be_visible()
    expect(window.get_by_role("textbox", name="Hotel *")).to_have_value("Casa Nova")
    take_screenshot(window, "new ticket with mistakes")
    for name, value in (
        ("City *", "Porto"),
        ("Country *", "Portugal"),
        ("Room type *", "Superior Twin <b>"),
        ("Reference *", "NEW-1"),
        ("Net price today *", "100"),
        ("Target *", "95"),
        ("Never above *", "90"),
    ):
        window.get_by_role("textbox", name=name).fill(value)
    window.get_by_role("button", name="Create ticket").click()
    expect(window.get_by_text("prices must rise", exact=False)).to_be_visible()
    window.get_by_role("textbox", name="Target *").fill("85")
    window.get_by_role("button", name="Create ticket").click()
    expect(window.get_by_text("NEW-1 is in the list")).to_be_visible()
    settle(window)
    assert_no_traceback(window)
    with site.sessions.begin() as session:
        ticket = session.scalars(select(Ticket).where(Ticket.reference == "NEW-1")).one()
    assert (ticket.room_type, str(ticket.opening_ask), ticket.created_by is not None) == ("Superior Twin <b>", "82.45", True)


def test_an_import_names_every_bad_cell_and_takes_the_good_rows(site: Site, window: Page, tmp_path: Path) -> None:
    file = tmp_path / "tickets.csv"
    rows = [
        "IMP-1,Casa Nova,Porto,Portugal,Twin,2027-03-01,2027-03-31,EUR,100,15%,85,90",
        "IMP-2,Casa Nova,Porto,Portugal,Twin,2027-03-31,2027-03-01,EUR,100,15%,85,90",
        "IMP-3,Casa Nova,Porto,Portugal,Twin,2027-03-01,2027-03-31,EUR,much,15%,85,90",
    ]
    file.write_text("\n".join([HEADER, *rows]))
    sign_in(window, site, path="/import")
    take_screenshot(window, "import")
    window.locator('input[type="file"]').set_input_files(file)
    expect(window.get_by_text("2 rows have mistakes and would be left out; 1 is good", exact=False)).to_be_visible()
    settle(window)
    take_screenshot(window, "import with mistakes")
    with site.sessions.begin() as session:
        assert not session.scalars(select(Ticket).where(Ticket.reference.startswith("IMP-"))).all()
    window.get_by_role("button", name="Import 1 ticket").click()
    expect(window.get_by_text("1 ticket added")).to_be_visible()
    settle(window)
    with site.sessions.begin() as session:
        assert session.scalars(select(Ticket.reference).where(Ticket.reference.startswith("IMP-"))).all() == ["IMP-1"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The header lacks the columns"),
        (b"\xff\xfe\x00\x01" * 30, "not UTF-8"),
        (b"PK\x03\x04" + bytes(5000), "binary data"),
        (b"reference,colour\n1,red\n", "lacks the columns"),
        (b'reference,"hotel\n' + b"x," * 50_000, "not well-formed"),
    ],
    ids=["empty", "not utf-8", "a workbook", "other columns", "a quote that never ends"],
)
def test_a_file_that_is_no_table_is_refused_in_words(site: Site, window: Page, tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    sign_in(window, site, path="/import")
    window.locator('input[type="file"]').set_input_files(file)
    expect(window.get_by_test_id("stAlert")).to_contain_text(said)
    assert_no_traceback(window)


def test_the_list_can_be_used_in_a_narrow_dark_window(site: Site, window: Page) -> None:
    window.set_viewport_size({"width": 400, "height": 780})
    window.emulate_media(color_scheme="dark")
    sign_in(window, site)
    expect(window.get_by_test_id("stDataFrame")).to_be_visible()
    settle(window)
    take_screenshot(window, "tickets narrow dark")
    assert window.evaluate("document.documentElement.scrollWidth") <= 400


def test_rooms_of_two_hotels_cannot_be_negotiated_together(site: Site, window: Page) -> None:
    add_tickets(site.sessions, hotel="Twin House North", rooms=("Shared",))
    add_tickets(site.sessions, hotel="Twin House South", rooms=("Shared",))
    sign_in(window, site, path="/?q=twin+house")
    tick_row(window, 0)
    expect(window.get_by_role("button", name="Negotiate this room")).to_be_visible()
    tick_row(window, 1)
    expect(window.get_by_text("These rooms belong to 2 hotels")).to_be_visible()
    take_screenshot(window, "two hotels")
