"""What was judged is never lost: a reload, a lost answer, no network, a second window, an ended sign-in; and what can be taken back."""

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from rating_work import add_talks, current_ratings, fresh_queue, id_of, ratings_in
from sqlalchemy import delete
from web_site import PASSWORD, Site, StartSite, settle, sign_in

from db.models import UserSession
from db.vocabulary import JudgementKind, Role, Severity

pytestmark = pytest.mark.browser
SAVE = "**/annotate/api/save"


@pytest.fixture(scope="module")
def site(start_site: StartSite) -> Site:
    site = start_site()
    add_talks(site.sessions, 8)
    return site


def open_desk(window: Page, site: Site) -> str:
    window.on("dialog", lambda dialog: dialog.accept())
    sign_in(window, site, Role.ANNOTATOR, path="/rate")
    return task_in_hand(window)


def task_in_hand(window: Page) -> str:
    expect(window.locator(".columns[data-task]")).to_be_visible()
    return window.locator(".columns").get_attribute("data-task") or ""


def judge(window: Page, stars: int) -> None:
    before = task_in_hand(window)
    window.keyboard.press(str(stars))
    window.keyboard.press("Control+Enter")
    expect(window.locator(f'.columns[data-task="{before}"]')).to_have_count(0)


def saved(window: Page) -> None:
    expect(window.locator(".state")).to_have_text("✓ Saved")


def test_a_draft_survives_a_reload(site: Site, window: Page) -> None:
    queue = fresh_queue(site.sessions, JudgementKind.TURN)
    task = open_desk(window, site)
    for key in "3ppr":
        window.keyboard.press(key)
    window.keyboard.type(" And one thing more.")
    window.reload()
    settle(window)
    assert task_in_hand(window) == task
    expect(window.get_by_role("radio", name="3 of 5")).to_be_checked()
    expect(window.get_by_role("button", name="Promises too much, major")).to_be_visible()
    window.keyboard.press("Control+Enter")
    saved(window)
    [row] = ratings_in(site.sessions, queue)
    assert (row.stars, row.tags[0].severity) == (3, Severity.MAJOR)
    assert row.rewrite is not None
    assert row.rewrite.endswith("And one thing more.")


def test_without_network_the_work_goes_on_and_nothing_is_lost_or_counted_twice(site: Site, window: Page, visitor: BrowserContext) -> None:
    queue = fresh_queue(site.sessions, JudgementKind.TURN)
    open_desk(window, site)
    visitor.set_offline(True)
    judge(window, 4)  # the next one was there already
    window.keyboard.press("2")
    window.keyboard.press("Control+Enter")
    expect(window.locator(".state")).to_contain_text("Not saved yet – trying again")
    expect(window.get_by_text("The server cannot be reached. Trying again by itself.")).to_be_visible()
    assert ratings_in(site.sessions, queue) == []
    window.keyboard.press("u")
    expect(window.get_by_text("it cannot be taken back yet")).to_be_visible()
    visitor.set_offline(False)
    saved(window)
    assert [row.stars for row in ratings_in(site.sessions, queue)] == [4, 2]
    task_in_hand(window)


def test_a_save_whose_answer_was_lost_counts_once(site: Site, window: Page) -> None:
    queue = fresh_queue(site.sessions, JudgementKind.TURN)
    open_desk(window, site)
    lost: list[int] = []

    def lose_the_answer(route: Route) -> None:
        lost.append(route.fetch().status)  # the server has committed
        route.abort() if len(lost) < 3 else route.continue_()

    window.route(SAVE, lose_the_answer)
    judge(window, 5)
    saved(window)
    assert len(lost) >= 3
    assert [row.stars for row in ratings_in(site.sessions, queue)] == [5]


def test_what_was_not_saved_when_the_window_closed_is_sent_by_the_next_one(site: Site, window: Page, visitor: BrowserContext) -> None:
    queue = fresh_queue(site.sessions, JudgementKind.TURN)
    open_desk(window, site)
    window.route(SAVE, lambda route: route.abort())
    judge(window, 1)
    expect(window.locator(".state")).to_contain_text("Not saved yet")
    window.close(run_before_unload=False)
    assert ratings_in(site.sessions, queue) == []
    second = visitor.new_page()
    second.goto(f"{site.url}/rate")
    saved(second)
    assert [row.stars for row in ratings_in(site.sessions, queue)] == [1]


def test_two_windows_of_one_person_judge_an_item_once(site: Site, window: Page, visitor: BrowserContext) -> None:
    queue = fresh_queue(site.sessions, JudgementKind.TURN)
    first = open_desk(window, site)
    second = visitor.new_page()
    second.goto(f"{site.url}/rate")
    assert task_in_hand(second) == first
    judge(window, 4)
    saved(window)
    judge(second, 2)
    expect(second.locator(".message")).not_to_be_empty()
    assert [row.stars for row in current_ratings(site.sessions, queue)] == [4]


def test_an_ended_sign_in_keeps_the_judgement_until_the_person_is_back(site: Site, window: Page) -> None:
    queue = fresh_queue(site.sessions, JudgementKind.TURN)
    open_desk(window, site)
    with site.sessions.begin() as session:
        session.execute(delete(UserSession).where(UserSession.user_id == id_of(site.sessions, Role.ANNOTATOR)))
    window.route(SAVE, lambda route: route.fulfill(status=401, json={"error": "Your sign-in has ended.", "code": "Refused"}))
    judge(window, 3)
    expect(window.locator(".state")).to_contain_text("Not saved yet – your sign-in has ended")
    window.wait_for_timeout(11_000)  # a process remembers a sign-in for ten seconds
    window.goto(f"{site.url}/rate")
    window.fill("#email", "annotator@parley.test")
    window.fill("#password", PASSWORD)
    window.unroute(SAVE)
    window.click("button[type=submit]")
    saved(window)
    assert [row.stars for row in ratings_in(site.sessions, queue)] == [3]


def test_undo_takes_the_last_save_back_with_everything_in_it(site: Site, window: Page) -> None:
    queue = fresh_queue(site.sessions, JudgementKind.TURN)
    open_desk(window, site)
    reply = window.locator(".reply .text").inner_text()
    window.keyboard.press("g")
    judge(window, 2)
    judge(window, 5)
    saved(window)
    window.keyboard.press("u")
    expect(window.get_by_text("Taken back. Change it and save again.")).to_be_visible()
    expect(window.get_by_role("radio", name="5 of 5")).to_be_checked()
    window.keyboard.press("u")
    expect(window.get_by_role("radio", name="2 of 5")).to_be_checked()
    assert window.locator(".reply .text").inner_text() == reply
    expect(window.get_by_role("button", name="Guesses, minor")).to_be_visible()
    assert current_ratings(site.sessions, queue) == []
    judge(window, 3)
    judge(window, 4)
    saved(window)
    assert sorted(row.stars or 0 for row in current_ratings(site.sessions, queue)) == [3, 4]
    assert len(ratings_in(site.sessions, queue)) == 6  # two saves, two withdrawals, two saves: nothing is overwritten


def test_looking_back_changes_an_earlier_judgement_as_a_new_version(site: Site, window: Page) -> None:
    queue = fresh_queue(site.sessions, JudgementKind.TURN)
    open_desk(window, site)
    judge(window, 2)
    judge(window, 5)
    saved(window)
    now = task_in_hand(window)
    window.keyboard.press(",")
    window.keyboard.press(",")
    expect(window.get_by_text("You judged this before (2 back).")).to_be_visible()
    expect(window.get_by_role("radio", name="2 of 5")).to_be_checked()
    window.keyboard.press("1")
    window.keyboard.press("Control+Enter")
    expect(window.locator(f'.columns[data-task="{now}"]')).to_be_visible()
    saved(window)
    assert [row.stars for row in current_ratings(site.sessions, queue)] == [5, 1]
    window.keyboard.press(",")
    window.keyboard.press(".")
    assert task_in_hand(window) == now


def test_the_page_built_anew_around_the_desk_disturbs_nothing(site: Site, window: Page) -> None:
    queue = fresh_queue(site.sessions, JudgementKind.TURN)
    task = open_desk(window, site)
    for key in "4c":
        window.keyboard.press(key)
    window.keyboard.type("Warm")
    # What Streamlit does to a component after a connection was lost: another place, the same script.
    window.evaluate(
        """async () => {
          const old = [...document.querySelectorAll("*")].find((each) => each.shadowRoot?.querySelector(".desk"));
          const script = performance.getEntriesByType("resource").find((each) => each.name.endsWith("/desk.js")).name;
          const person = Object.keys(localStorage).find((name) => name.startsWith("parley.rate.")).split(".")[2];
          const { open } = await import(script);
          const place = document.createElement("div");
          old.replaceWith(place);
          place.attachShadow({ mode: "open" });
          open(place.shadowRoot, { person });
        }"""
    )
    window.keyboard.type(" and true")
    assert task_in_hand(window) == task
    expect(window.get_by_role("textbox", name="Comment")).to_have_value("Warm and true")
    window.keyboard.press("Control+Enter")
    saved(window)
    assert [(row.stars, row.comment) for row in ratings_in(site.sessions, queue)] == [(4, "Warm and true")]
