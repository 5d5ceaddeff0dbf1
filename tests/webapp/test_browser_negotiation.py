"""Negotiating in a real browser, with a real model server: by hand with every decision, and by itself against a practice hotel."""

import json
import re
import uuid
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select
from web_site import Site, StartSite, add_tickets, assert_no_traceback, settle, sign_in, take_screenshot, tick_row

from db.embedded import free_port
from db.models import Conversation, Draft, Ticket, Turn
from db.repositories import turns
from db.vocabulary import DraftStatus, Speaker, TicketStatus

pytestmark = [pytest.mark.browser, pytest.mark.model]


@pytest.fixture(scope="module")
def site(start_site: StartSite, model_server: str) -> Site:
    return start_site(PARLEY_MODEL_URL=model_server)


def open_conversation(window: Page, site: Site, hotel: str, *, rooms: int = 1, practice: bool = False, autopilot: bool = False) -> str:
    """Add a hotel's tickets, start a negotiation on them, and wait for the first draft; its address."""
    add_tickets(site.sessions, hotel=hotel, rooms=("Deluxe Double", "Junior Suite", "Family Room")[:rooms])
    sign_in(window, site, path=f"/?q={hotel.replace(' ', '+')}")
    for row in range(rooms):
        tick_row(window, row)
    if practice:
        window.get_by_role("radio", name="Practice hotel").click()
    if autopilot:
        window.get_by_role("radio", name="Autopilot").click()
    window.get_by_role("button", name=re.compile("^.*Negotiate th")).click()
    expect(window.get_by_role("heading", name=hotel)).to_be_visible()
    return window.url


def await_draft(window: Page) -> None:
    expect(window.get_by_text("Draft for you to check")).to_be_visible(timeout=60_000)
    settle(window)


def send_draft(window: Page) -> None:
    window.get_by_role("button", name=re.compile("^Send Shortcut")).click()
    expect(window.get_by_role("textbox", name="What did the hotel say?")).to_be_visible()
    settle(window)


def hotel_says(window: Page, words: str) -> None:
    window.get_by_role("textbox", name="What did the hotel say?").fill(words)
    window.get_by_role("button", name="Add and draft a reply").click()


def test_a_negotiation_with_every_decision_in_a_persons_hand(site: Site, window: Page) -> None:
    address = open_conversation(window, site, "Casa Decision")
    await_draft(window)
    assert "id=" in address
    take_screenshot(window, "first draft")

    # an edit that breaks the rules is refused in plain words, and nothing that was typed is lost
    window.keyboard.press("e")
    box = window.get_by_role("textbox", name="Your wording")
    expect(box).to_be_visible()
    box.fill("Hello! I promise you the top ranking on our site, and our target is 120.")
    window.get_by_role("button", name="Send edited").click()
    expect(window.get_by_text("The checks found something in your words")).to_be_visible()
    expect(window.get_by_text("A promise we may not make").first).to_be_visible()
    assert window.locator("mark.p-mark").count() >= 2
    settle(window)
    take_screenshot(window, "edit refused")

    # a good edit goes out, and the draft is kept beside it
    edited = "Good morning, this is Parley's partner team. May I ask who decides on room prices at Casa Decision?"
    window.get_by_role("textbox", name="Your wording").fill(edited)
    window.get_by_role("button", name="Send edited").click()
    expect(window.locator(".p-us .p-text", has_text="who decides on room prices")).to_be_visible()
    expect(window.get_by_text("edited", exact=True)).to_be_visible()
    settle(window)

    hotel_says(window, "Hi, that is me. We could do 182 net per night for the Deluxe Double.")
    await_draft(window)
    expect(window.locator(".p-them .p-text", has_text="182 net")).to_be_visible()
    window.get_by_text("Show our limits").click()
    expect(window.get_by_text("EUR 188 net")).to_be_visible()
    take_screenshot(window, "second draft with limits")

    # reload in the middle: the same conversation, the same draft
    before = window.locator(".p-draft .p-text").inner_text()
    window.reload()
    await_draft(window)
    assert window.locator(".p-draft .p-text").inner_text() == before
    assert window.locator(".p-bubble").count() == 3

    # another wording, then send with the keyboard
    window.keyboard.press("w")
    window.wait_for_timeout(500)
    await_draft(window)
    window.keyboard.press("Control+Enter")
    expect(window.get_by_role("textbox", name="What did the hotel say?")).to_be_visible(timeout=30_000)

    # silence is no consent
    window.get_by_role("button", name="No answer").click()
    await_draft(window)
    expect(window.get_by_text("No answer", exact=True).first).to_be_visible()
    expect(window.get_by_text("below today")).to_have_count(0)
    assert_no_traceback(window)

    with site.sessions.begin() as session:
        conversation = session.scalars(select(Conversation).order_by(Conversation.created_at.desc())).first()
        assert conversation is not None
        said = session.scalars(select(Turn).where(Turn.conversation_id == conversation.id).order_by(Turn.number)).all()
        drafts = session.scalars(select(Draft).where(Draft.conversation_id == conversation.id)).all()
    assert [turn.speaker for turn in said] == [Speaker.BD, Speaker.HOTEL, Speaker.BD, Speaker.HOTEL]
    assert said[0].text == edited
    assert {DraftStatus.EDITED, DraftStatus.REJECTED, DraftStatus.APPROVED, DraftStatus.PENDING} <= {draft.status for draft in drafts}


def test_a_transcript_is_saved_for_people_and_for_programs(site: Site, window: Page, tmp_path: Path) -> None:
    open_conversation(window, site, "Casa Archive")
    await_draft(window)
    send_draft(window)
    window.get_by_test_id("stPopoverButton").click()
    saved: dict[str, str] = {}
    for kind in ("Markdown", "JSON"):
        with window.expect_download() as download:
            window.get_by_role("button", name=f"Transcript as {kind}").click()
        saved[kind] = Path(download.value.path()).read_text()
    assert saved["Markdown"].startswith("# Casa Archive")
    assert json.loads(saved["JSON"])["hotel_name"] == "Casa Archive"
    # The ceiling as a number of its own: an id or a time of day may hold the same three digits.
    assert not re.search(r"\b188\b", saved["Markdown"] + saved["JSON"])


def test_taking_over_and_closing_by_hand(site: Site, window: Page) -> None:
    open_conversation(window, site, "Casa Handover")
    await_draft(window)
    window.keyboard.press("t")
    own = window.get_by_role("textbox", name="Your message to the hotel")
    expect(own).to_be_visible()
    window.get_by_role("button", name="Send", exact=False).first.click()
    expect(window.get_by_text("Write your message first")).to_be_visible()
    own.fill("Hello, this is Bea in person. I will call you at ten.")
    window.get_by_role("button", name="Send", exact=False).first.click()
    expect(window.locator(".p-us .p-text", has_text="I will call you at ten")).to_be_visible()
    settle(window)
    window.get_by_test_id("stPopoverButton").click()
    window.get_by_role("button", name="Close …").click()
    dialog = window.get_by_role("dialog")
    dialog.get_by_text("Agreed", exact=True).click()
    dialog.get_by_role("textbox").fill("195")
    dialog.get_by_role("textbox").press("Tab")
    settle(window)
    dialog.get_by_role("button", name="Close it").click()
    expect(dialog.get_by_text("above our limit")).to_be_visible()
    take_screenshot(window, "close above the limit")
    dialog.get_by_role("textbox").fill("185")
    dialog.get_by_role("textbox").press("Tab")
    settle(window)
    dialog.get_by_role("button", name="Close it").click()
    expect(window.get_by_text("The agreed prices stand on the right")).to_be_visible()
    expect(window.get_by_text("EUR 185 net")).to_be_visible()
    assert_no_traceback(window)


def test_autopilot_plays_two_rooms_against_a_practice_hotel_to_an_end(site: Site, window: Page) -> None:
    address = open_conversation(window, site, "Hotel Autopilot", rooms=2, practice=True, autopilot=True)
    expect(window.locator(".p-us .p-bubble").first).to_be_visible(timeout=60_000)
    window.get_by_role("button", name="Stop").click()
    expect(window.get_by_role("button", name="Play on")).to_be_visible(timeout=60_000)
    settle(window)
    take_screenshot(window, "autopilot stopped")
    window.get_by_role("button", name="Play on").click()
    window.wait_for_timeout(1500)
    window.goto(address)  # a reload while it plays: it plays on, and the page follows
    expect(window.get_by_role("link", name="Next ticket")).to_be_visible(timeout=240_000)
    settle(window)
    take_screenshot(window, "autopilot finished")
    assert_no_traceback(window)
    with site.sessions.begin() as session:
        conversation = session.scalars(select(Conversation).where(Conversation.mode == "autopilot")).one()
        numbers = session.scalars(select(Turn.number).where(Turn.conversation_id == conversation.id).order_by(Turn.number)).all()
        open_tickets = session.scalars(
            select(func.count()).where(Ticket.hotel_id == conversation.hotel_id, Ticket.status == TicketStatus.OPEN)
        ).one()
    assert conversation.closed_at is not None
    assert list(numbers) == list(range(1, len(numbers) + 1))
    assert open_tickets == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "There is nothing to add yet"),
        ("   \n ", "There is nothing to add yet"),
        ("x" * 100_000, "The message has 100,000 characters; at most 20,000 are taken"),
        ("PK\x03\x04\x01\x02", "a character that is no text"),
    ],
    ids=["empty", "blank", "100 kB", "binary"],
)
def test_bad_input_is_refused_in_words_and_is_not_lost(site: Site, window: Page, words: str, said: str) -> None:
    address = open_conversation(window, site, f"Casa Input {len(words)}")
    await_draft(window)
    send_draft(window)
    window.get_by_role("textbox", name="What did the hotel say?").fill(words)
    window.get_by_role("button", name="Add and draft a reply").click()
    expect(window.get_by_text(said, exact=False).first).to_be_visible()
    settle(window)
    expect(window.get_by_role("textbox", name="What did the hotel say?")).to_have_value(words)
    if len(words) == 6:
        take_screenshot(window, "bad input")
    assert_no_traceback(window)
    conversation = uuid.UUID(address.partition("id=")[2])
    with site.sessions.begin() as session:
        assert [turn.speaker for turn in turns.list_said(session, conversation)] == [Speaker.BD]


@pytest.mark.parametrize("address", ["id=nonsense", "id=0190a0a0-0000-7000-8000-000000000000", "", "id=%00%FF"])
def test_an_unknown_conversation_is_a_sentence(site: Site, window: Page, address: str) -> None:
    sign_in(window, site, path=f"/negotiation?{address}")
    expect(window.get_by_text(re.compile("Open (the list|one from the list|it from the list)")).first).to_be_visible()
    assert_no_traceback(window)


def test_while_the_model_starts_everything_else_works(start_site: StartSite, window: Page) -> None:
    site: Site = start_site(PARLEY_MODEL_URL=f"http://127.0.0.1:{free_port()}/v1", PARLEY_MODEL_RETRIES="0")
    open_conversation(window, site, "Casa Early")
    expect(window.get_by_text("The language model is starting up")).to_be_visible(timeout=30_000)
    take_screenshot(window, "model starting")
    window.get_by_role("link", name="Tickets").first.click()
    expect(window.get_by_role("heading", name="Tickets")).to_be_visible()
    settle(window)
    assert_no_traceback(window)
