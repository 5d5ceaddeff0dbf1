"""From the rating page to a new bad case and back: for whoever may make one, and without losing what was begun."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from rated_site import PUSHY, our_turns, rate, talk
from rating_work import fresh_queue, ratings_in
from web_site import Site, StartSite, settle, sign_in, take_screenshot

from db.vocabulary import JudgementKind, Role

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(start_site: StartSite) -> Site:
    site = start_site()
    rate(site, our_turns(site, talk(site))[1], stars=1, comment="A colleague has judged it.")
    return site


def until_the_threat_is_in_hand(window: Page) -> None:
    for _ in range(5):
        shown = window.locator(".reply .text")
        expect(shown).to_be_visible()
        if PUSHY in shown.inner_text():
            return
        task = window.locator(".columns").get_attribute("data-task")
        window.keyboard.press("3")
        window.keyboard.press("Control+Enter")
        expect(window.locator(f'.columns[data-task="{task}"]')).to_have_count(0)
    pytest.fail("the queue did not bring the reply")


def test_operations_make_a_bad_case_of_the_reply_in_hand_and_go_on_judging_it(site: Site, window: Page, visitor: BrowserContext) -> None:
    queue = fresh_queue(site.sessions, JudgementKind.TURN)
    sign_in(window, site, Role.OPS, path="/rate")
    until_the_threat_is_in_hand(window)
    for key in "2zc":
        window.keyboard.press(key)
    window.keyboard.type("Threatens")
    window.keyboard.press("Escape")
    window.keyboard.press("?")
    expect(window.get_by_text("Make it a bad case, in a new window")).to_be_visible()
    window.keyboard.press("?")
    with visitor.expect_page() as opened:
        window.keyboard.press("x")
    case = opened.value
    case.wait_for_load_state()
    settle(case)
    expect(case.get_by_role("heading", name="A new bad case")).to_be_visible()
    expect(case.get_by_text(PUSHY).first).to_be_visible()
    expect(case.get_by_text("A colleague has judged it.")).to_have_count(0)  # the person is still to judge by themselves
    take_screenshot(case, "bad case from the rating page")
    case.close()
    expect(window.get_by_role("radio", name="2 of 5")).to_be_checked()
    expect(window.get_by_role("button", name="Squeezes, minor")).to_be_visible()
    window.reload()
    expect(window.get_by_role("radio", name="2 of 5")).to_be_checked()
    expect(window.get_by_role("textbox", name="Comment")).to_have_value("Threatens")
    expect(window.get_by_role("button", name=re.compile("Bad case$"))).to_be_visible()
    window.keyboard.press("Control+Enter")
    expect(window.locator(".state")).to_have_text("✓ Saved")
    assert [row.comment for row in ratings_in(site.sessions, queue) if row.comment] == ["Threatens"]


def test_annotators_are_not_offered_what_they_may_not_do(site: Site, window: Page, visitor: BrowserContext) -> None:
    fresh_queue(site.sessions, JudgementKind.TURN)
    sign_in(window, site, Role.ANNOTATOR, path="/rate")
    expect(window.locator(".reply .text")).to_be_visible()
    expect(window.get_by_role("button", name=re.compile("Bad case$"))).to_have_count(0)
    window.keyboard.press("x")
    window.keyboard.press("?")
    expect(window.get_by_role("dialog", name="Keys")).to_be_visible()
    expect(window.get_by_text("Make it a bad case")).to_have_count(0)
    assert len(visitor.pages) == 1
