"""Rating in a real browser, by keyboard alone, and by mouse and name: replies, comparisons, whole conversations, disputes."""

import re

import pytest
from playwright.sync_api import Page, expect
from rating_work import (
    LONG_HOTEL,
    LONG_REPLY,
    TALK,
    add_alternatives,
    add_talks,
    current_ratings,
    fresh_queue,
    id_of,
    ratings_in,
)
from sqlalchemy import func, select
from web_site import Site, StartSite, assert_no_traceback, settle, sign_in, take_screenshot

from db.models import Draft, RatingAssignment, Turn
from db.vocabulary import AssignmentState, IssueTag, JudgementKind, Preferred, Role, Severity
from training.ratings.desk import RatingDesk
from training.ratings.gold import add_gold
from training.ratings.views import Judgement

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(start_site: StartSite) -> Site:
    site = start_site()
    add_talks(site.sessions, 6)
    long = add_talks(
        site.sessions, 2, rooms=("Deluxe Double with Balcony, Annexe", "Junior Suite", "Family Room"), hotel=LONG_HOTEL, reply=LONG_REPLY
    )
    add_alternatives(site.sessions, long, text="Thank you. Could you look at 180 net, which Agoda's price today would match?")
    return site


def open_desk(window: Page, site: Site, role: Role = Role.ANNOTATOR) -> None:
    sign_in(window, site, role, path="/rate")
    expect(window.locator(".columns")).to_be_visible()


def task_in_hand(window: Page) -> str:
    expect(window.locator(".columns[data-task]")).to_be_visible()
    return window.locator(".columns").get_attribute("data-task") or ""


def save_and_go_on(window: Page) -> None:
    before = task_in_hand(window)
    window.keyboard.press("Control+Enter")
    expect(window.locator(f'.columns[data-task="{before}"]')).to_have_count(0)


def saved(window: Page) -> None:
    expect(window.locator(".state")).to_have_text("✓ Saved")


def test_twenty_replies_by_keyboard_alone(site: Site, window: Page) -> None:
    queue = fresh_queue(site.sessions, JudgementKind.TURN)
    open_desk(window, site)
    take_screenshot(window, "rating a reply")
    for number in range(20):
        task_in_hand(window)
        window.keyboard.press(str(number % 5 + 1))
        if number % 5 == 4:
            window.keyboard.press("e")
        for _ in range(number % 4):  # off, minor, major, severe
            window.keyboard.press("n")
        if number % 10 == 2:
            window.keyboard.press("c")
            window.keyboard.type(f"number {number}: could be warmer, r e 1 2 3")
        if number % 10 == 3:
            window.keyboard.press("r")
            window.keyboard.press("Control+A")
            window.keyboard.type(f"What I would have said, {number}.")
        if number == 3:
            take_screenshot(window, "rating with a rewrite")
        save_and_go_on(window)
    saved(window)
    rows = ratings_in(site.sessions, queue)
    assert [row.stars for row in rows] == [number % 5 + 1 for number in range(20)]
    assert [row.excellent for row in rows] == [number % 5 == 4 for number in range(20)]
    levels = [None, Severity.MINOR, Severity.MAJOR, Severity.SEVERE]
    assert [row.tags[0].severity if row.tags else None for row in rows] == [levels[number % 4] for number in range(20)]
    assert {tag.tag for row in rows for tag in row.tags} == {IssueTag.NET_SELLING_MIXUP}
    assert rows[12].comment == "number 12: could be warmer, r e 1 2 3"
    assert rows[13].rewrite == "What I would have said, 13."
    assert [row.rewrite is not None for row in rows] == [number % 10 == 3 for number in range(20)]
    assert len({row.turn_id for row in rows}) == 20
    assert all(row.seconds is not None and row.seconds < 60 for row in rows)
    expect(window.locator(".progress")).to_contain_text("20 today")
    assert_no_traceback(window)


def test_two_replies_are_compared_with_arrows_whatever_side_they_were_shown_on(site: Site, window: Page) -> None:
    queue = fresh_queue(site.sessions, JudgementKind.COMPARISON)
    open_desk(window, site)
    chosen: list[str] = []
    for key, strength in (("ArrowLeft", "3"), ("ArrowRight", "1")):
        task_in_hand(window)
        if strength == "3":
            take_screenshot(window, "comparing two replies")
        window.keyboard.press("Enter")
        expect(window.get_by_role("alert").filter(has_text="Choose the better reply first")).to_be_visible()
        window.keyboard.press(key)
        window.keyboard.press("Control+Enter")
        expect(window.get_by_text("How much better? Press 1 to 4.")).to_be_visible()
        window.keyboard.press(strength)
        chosen.append(window.locator('.choice[aria-checked="true"] .text').inner_text())
        save_and_go_on(window)
    saved(window)
    rows = ratings_in(site.sessions, queue)
    assert [row.strength for row in rows] == [3, 1]
    with site.sessions.begin() as session:
        for row, text in zip(rows, chosen, strict=True):
            better = row.first_draft_id if row.preferred is Preferred.FIRST else row.second_draft_id
            assert session.get_one(Draft, better).text == text
    expect(window.get_by_role("heading", name="Nothing to judge right now")).to_be_visible()
    take_screenshot(window, "nothing to judge")


def test_a_whole_conversation_needs_stars_and_an_outcome(site: Site, window: Page) -> None:
    queue = fresh_queue(site.sessions, JudgementKind.DIALOGUE)
    open_desk(window, site)
    task_in_hand(window)
    assert window.locator(".line").count() == len(TALK)
    window.keyboard.press("4")
    window.keyboard.press("Control+Enter")
    expect(window.get_by_text("How did it end?").first).to_be_visible()
    window.keyboard.press("o")
    window.keyboard.press("x")
    window.keyboard.type("Naming Agoda's price.")
    take_screenshot(window, "judging a conversation")
    save_and_go_on(window)
    saved(window)
    [row] = ratings_in(site.sessions, queue)
    assert (row.stars, row.outcome, row.decided_by) == (4, "open", "Naming Agoda's price.")


def test_by_mouse_and_by_name_for_whoever_uses_no_keys(site: Site, window: Page) -> None:
    queue = fresh_queue(site.sessions, JudgementKind.TURN)
    open_desk(window, site)
    task_in_hand(window)
    window.get_by_role("radio", name="2 of 5, Weak").click()
    expect(window.get_by_role("radio", name="2 of 5, Weak")).to_be_checked()
    fault = window.get_by_role("button", name="Squeezes")
    fault.click()
    fault.click()
    expect(window.get_by_role("button", name="Squeezes, major")).to_have_attribute("aria-pressed", "true")
    window.get_by_role("button", name="Rewrite").click()
    box = window.get_by_role("textbox", name="What you would have said")
    expect(box).to_be_focused()
    expect(box).not_to_be_empty()  # the reply, to be changed; left as it is, it is no rewrite
    window.get_by_role("textbox", name="Comment").fill("by mouse")
    window.get_by_role("button", name="Save and next").click()
    saved(window)
    [row] = ratings_in(site.sessions, queue)
    assert (row.stars, row.comment, row.rewrite, row.tags[0].severity) == (2, "by mouse", None, Severity.MAJOR)


def test_a_skip_says_why_and_the_sheet_says_which_keys(site: Site, window: Page) -> None:
    queue = fresh_queue(site.sessions, JudgementKind.TURN)
    open_desk(window, site)
    first = task_in_hand(window)
    window.keyboard.press("?")
    expect(window.get_by_role("dialog", name="Keys")).to_be_visible()
    take_screenshot(window, "rating keys")
    window.keyboard.press("1")  # under the sheet nothing is judged
    window.keyboard.press("?")
    expect(window.get_by_role("dialog")).to_have_count(0)
    expect(window.locator('[aria-checked="true"]')).to_have_count(0)
    window.keyboard.press("s")
    take_screenshot(window, "rating skip")
    window.keyboard.press("5")
    window.keyboard.type("the guest's name is in it")
    window.keyboard.press("Enter")
    expect(window.locator(f'.columns[data-task="{first}"]')).to_have_count(0)
    saved(window)
    with site.sessions.begin() as session:
        lease = session.get_one(RatingAssignment, first)
    assert (lease.state, lease.skip_reason) == (AssignmentState.SKIPPED, "the guest's name is in it")
    assert ratings_in(site.sessions, queue) == []


def test_a_known_answer_is_told_afterwards(site: Site, window: Page) -> None:
    with site.sessions.begin() as session:
        turn = session.scalars(select(Turn.id).where(Turn.speaker == "bd", Turn.number == 1)).first()
        author = id_of(site.sessions, Role.OPS)
    assert turn is not None
    add_gold(site.sessions, turn, stars_from=4, stars_to=5, tags=(), explanation="It says who we are and asks who decides.", actor=author)
    fresh_queue(site.sessions, JudgementKind.TURN, gold_share="0.5")
    open_desk(window, site)
    told = window.get_by_text("The last one had a known answer.")
    for _ in range(12):
        task_in_hand(window)
        window.keyboard.press("1")
        save_and_go_on(window)
        saved(window)
        if told.is_visible():
            break
    expect(window.get_by_text("4 to 5 stars. It says who we are and asks who decides.")).to_be_visible()
    take_screenshot(window, "known answer")


def test_operations_decide_where_raters_differ(site: Site, window: Page) -> None:
    queue = fresh_queue(site.sessions, JudgementKind.TURN, raters=2)
    desk = RatingDesk(site.sessions)
    one, other = id_of(site.sessions, Role.ANNOTATOR), id_of(site.sessions, Role.BD)
    task = desk.next(one, n=1)[0]
    desk.save(one, task.assignment_id, Judgement(stars=5, comment="I like it"), key="one")
    while (held := desk.next(other, n=1)[0]).item_id != task.item_id:
        desk.skip(other, held.assignment_id, "not this", key=str(held.assignment_id))
    desk.save(other, held.assignment_id, Judgement(stars=1, comment="No reason given"), key="other")
    open_desk(window, site, Role.OPS)
    window.get_by_role("button", name="Disputes").click()
    expect(window.get_by_text("They differ; you decide")).to_be_visible()
    expect(window.get_by_text("No reason given")).to_be_visible()
    window.keyboard.press("2")
    take_screenshot(window, "deciding a dispute")
    window.keyboard.press("Control+Enter")
    expect(window.get_by_role("heading", name="No disputes wait")).to_be_visible()
    saved(window)
    decided = [row for row in current_ratings(site.sessions, queue) if row.adjudicates]
    assert [row.stars for row in decided] == [2]


def test_long_names_and_texts_in_a_small_window_and_in_the_dark(site: Site, window: Page) -> None:
    fresh_queue(site.sessions, JudgementKind.TURN)
    window.set_viewport_size({"width": 1024, "height": 700})
    window.emulate_media(color_scheme="dark")
    open_desk(window, site)
    while not (LONG_HOTEL in window.locator(".title").inner_text() and window.get_by_text(LONG_REPLY).is_visible()):
        window.keyboard.press("3")
        save_and_go_on(window)
        task_in_hand(window)
    window.keyboard.press("r")
    take_screenshot(window, "rating small and dark")
    save = window.get_by_role("button", name="Save and next")
    expect(save).to_be_in_viewport(ratio=1)
    expect(window.get_by_role("textbox", name="What you would have said")).to_be_in_viewport(ratio=0.9)
    assert window.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(window.get_by_role("button", name=re.compile("^Skip"))).to_be_in_viewport()


def test_signing_out_gives_back_what_was_held(site: Site, window: Page) -> None:
    fresh_queue(site.sessions, JudgementKind.TURN)
    open_desk(window, site)
    task_in_hand(window)
    settle(window)
    held = select(func.count()).where(RatingAssignment.state == AssignmentState.RESERVED)
    with site.sessions.begin() as session:
        assert session.scalars(held).one() == 2
    window.get_by_role("button", name="Sign out").click()
    expect(window.get_by_text("You are signed out.")).to_be_visible()
    with site.sessions.begin() as session:
        assert session.scalars(held).one() == 0
