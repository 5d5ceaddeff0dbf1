"""The sign-in and the roles, in a real browser against a whole web process."""

import pytest
from playwright.sync_api import Browser, Page, expect
from web_site import PASSWORD, Site, StartSite, assert_no_traceback, settle, sign_in, take_screenshot

from db.vocabulary import Role

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(start_site: StartSite) -> Site:
    return start_site(PARLEY_LOGIN_FAILURES_PER_ACCOUNT="3")


def test_a_visitor_signs_in_and_comes_to_the_page_that_was_asked_for(site: Site, window: Page) -> None:
    window.goto(f"{site.url}/conversations")
    expect(window).to_have_title("Sign in · Parley")
    take_screenshot(window, "sign in")
    window.fill("#email", "bd@parley.test")
    window.fill("#password", PASSWORD)
    window.keyboard.press("Enter")
    settle(window)
    expect(window.get_by_role("heading", name="Conversations", exact=True)).to_be_visible()
    expect(window.get_by_text("No conversations yet")).to_be_visible()
    assert_no_traceback(window)


def test_a_wrong_password_keeps_the_e_mail_and_says_what_to_do(site: Site, window: Page) -> None:
    window.goto(site.url)
    window.fill("#email", "ops@parley.test")
    window.fill("#password", "not the password")
    window.click("button[type=submit]")
    expect(window.get_by_role("alert")).to_contain_text("do not go together")
    expect(window.locator("#email")).to_have_value("ops@parley.test")
    expect(window.locator("#password")).to_have_value("")
    expect(window.locator("#password")).to_be_focused()
    take_screenshot(window, "wrong password")


def test_too_many_wrong_passwords_are_held_back(site: Site, window: Page) -> None:
    window.goto(site.url)
    for _ in range(4):
        window.fill("#email", "annotator@parley.test")
        window.fill("#password", "not the password")
        window.click("button[type=submit]")
    expect(window.get_by_role("alert")).to_contain_text("Too many wrong passwords for this account. Wait up to 15 minutes")
    take_screenshot(window, "held back")


def test_a_page_that_a_role_has_no_access_to_says_so(site: Site, window: Page) -> None:
    sign_in(window, site, Role.OPS, path="/tickets")
    expect(window.get_by_role("heading", name="This page is not for your role")).to_be_visible()
    expect(window.get_by_text("It needs the role Negotiator (BD)")).to_be_visible()
    take_screenshot(window, "role without access")
    expect(window.get_by_role("link", name="Tickets")).to_have_count(0)
    window.goto(site.url)
    settle(window)
    expect(window.get_by_text("Welcome, Pat Ops")).to_be_visible()


def test_signing_out_closes_every_door(site: Site, window: Page) -> None:
    sign_in(window, site)
    second = window.context.new_page()
    second.goto(f"{site.url}/tickets")
    settle(second)
    window.get_by_role("button", name="Sign out").click()
    expect(window.get_by_text("You are signed out.")).to_be_visible()
    take_screenshot(window, "signed out")
    window.goto(f"{site.url}/tickets")
    expect(window).to_have_title("Sign in · Parley")
    second.get_by_role("link", name="Conversations").click()
    expect(second).to_have_title("Sign in · Parley")


def test_an_administrator_adds_somebody_who_can_sign_in(site: Site, window: Page, chromium: Browser) -> None:
    sign_in(window, site, Role.ADMIN, path="/people")
    window.get_by_role("textbox", name="Name").fill("Nia New")
    window.get_by_role("textbox", name="E-mail").fill("nonsense")
    window.get_by_role("button", name="Add").click()
    expect(window.get_by_text("is not an e-mail address")).to_be_visible()
    window.get_by_role("textbox", name="E-mail").fill("nia@parley.test")
    window.get_by_role("button", name="Add").click()
    expect(window.get_by_text("It is shown only now")).to_be_visible()
    settle(window)
    password = window.get_by_test_id("stCode").inner_text().strip()
    take_screenshot(window, "people")
    other = chromium.new_context().new_page()
    other.goto(site.url)
    other.fill("#email", "nia@parley.test")
    other.fill("#password", password)
    other.click("button[type=submit]")
    settle(other)
    expect(other.get_by_text("Nia New")).to_be_visible()
    other.context.close()
