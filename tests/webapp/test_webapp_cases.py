"""Bad cases in a real browser: made of a rated reply, tried out before they are saved, read, worded anew, retired."""

from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from rated_site import PUSHY, our_turns, rate, talk
from sqlalchemy import select
from web_site import Site, StartSite, assert_no_traceback, settle, sign_in, take_screenshot, tick_row

from db.models import AuditEvent, BadCase, BadCaseVersion
from db.vocabulary import IssueTag, Role
from training.badcases import stored, verdict

pytestmark = pytest.mark.browser
KIND = "Thank you for the clear answer. Might 108.64 net work for the Deluxe Double in these weeks?"


@pytest.fixture(scope="module")
def site(start_site: StartSite) -> Site:
    return start_site()


def choose(window: Page, label: str, option: str) -> None:
    """Add one entry of a list of several."""
    box = window.get_by_role("combobox", name=label)
    box.click()
    box.fill(option)
    window.get_by_role("option", name=option).first.click()
    window.keyboard.press("Escape")
    settle(window)


def write(window: Page, label: str, text: str) -> None:
    window.get_by_label(label).fill(text)
    window.keyboard.press("Control+Enter")
    settle(window)


def the_case(site: Site) -> BadCase | None:
    with site.sessions() as session:
        return session.scalars(select(BadCase).order_by(BadCase.created_at.desc())).first()


def versions(site: Site, case_id: UUID) -> list[BadCaseVersion]:
    with site.sessions() as session:
        return list(session.scalars(select(BadCaseVersion).where(BadCaseVersion.bad_case_id == case_id).order_by(BadCaseVersion.number)))


def test_a_rated_reply_becomes_a_bad_case_that_is_read_changed_and_retired(site: Site, window: Page) -> None:
    threat = our_turns(site, talk(site))[1]
    assert threat.text == PUSHY
    rating = rate(site, threat, stars=1, comment="It threatens instead of asking.", rewrite=KIND, fault=IssueTag.PRESSURE)
    sign_in(window, site, Role.OPS, path="/bad-cases")
    expect(window.get_by_text("No bad cases yet")).to_be_visible()
    window.get_by_text("Make a new one", exact=True).click()
    settle(window)
    window.wait_for_timeout(500)  # the table is drawn after the script has ended
    take_screenshot(window, "bad cases rated replies")
    tick_row(window, 0)
    expect(window.get_by_text("A new bad case")).to_be_visible()
    settle(window)
    # what the annotator said is there already
    expect(window.get_by_label("What is wrong")).to_have_value("It threatens instead of asking.")
    expect(window.get_by_text("nothing would count as bad yet")).to_be_visible()
    choose(window, "A better reply must", "thank")
    expect(window.get_by_text("The reply as it was said fails, as it should.")).to_be_visible()
    choose(window, "It must not", "use at least one of these words")
    expect(window.get_by_text("needs to know which")).to_be_visible()
    expect(window.get_by_role("button", name="Make the bad case")).to_be_disabled()
    words = window.get_by_role("combobox", name="Use at least one of these words")
    words.fill("today")
    words.press("Enter")
    words.press("Escape")
    settle(window)
    expect(window.get_by_text("A clean fix.")).to_be_visible()
    take_screenshot(window, "bad case being made")
    window.get_by_role("button", name="Make the bad case").click()
    expect(window.get_by_text("A case needs a title")).to_be_visible()
    assert the_case(site) is None
    write(window, "Title", "Threatens with dropping the hotel")
    window.get_by_role("button", name="Make the bad case").click()
    expect(window.get_by_role("heading", name="Threatens with dropping the hotel").first).to_be_visible()
    settle(window)
    assert_no_traceback(window)
    made = the_case(site)
    assert made is not None
    assert (made.turn_id, made.rating_id) == (threat.id, rating)
    (first,) = versions(site, made.id)
    assert (first.fault, first.must, first.must_not) == (IssueTag.PRESSURE, ["thanks"], ['mentions: ["today"]'])
    with site.sessions() as session:
        (case,) = stored.cases(session)
        assert not verdict(case, case.bad).fixed

    write(window, "Title", "Threatens")
    window.get_by_role("button", name="Save as a new version").click()
    expect(window.get_by_role("heading", name="Threatens", exact=True).first).to_be_visible()
    settle(window)
    window.get_by_text("Versions (2)").click()
    expect(window.get_by_text("Version 1 · Pat Ops")).to_be_visible()
    take_screenshot(window, "bad case")
    assert [version.title for version in versions(site, made.id)] == ["Threatens with dropping the hotel", "Threatens"]

    window.get_by_role("button", name="Retire").click()
    expect(window.get_by_text("The case is retired.")).to_be_visible()
    settle(window)
    with site.sessions() as session:
        assert stored.cases(session) == ()
    window.get_by_role("button", name="Bring back").click()
    expect(window.get_by_text("The case is in force again.")).to_be_visible()
    settle(window)
    with site.sessions() as session:
        assert len(stored.cases(session)) == 1
        acts = session.scalars(select(AuditEvent.action).where(AuditEvent.subject_id == made.id).order_by(AuditEvent.id)).all()
    assert list(acts) == ["bad_case.make", "bad_case.edit", "bad_case.retire", "bad_case.restore"]


def test_an_annotator_reads_a_case_and_changes_nothing(site: Site, window: Page) -> None:
    made = the_case(site)
    assert made is not None
    sign_in(window, site, Role.ANNOTATOR, path="/bad-cases")
    expect(window.get_by_text("1–1 of 1 cases")).to_be_visible()
    assert window.get_by_text("Make a new one").count() == 0
    take_screenshot(window, "bad cases")
    tick_row(window, 0)
    expect(window.get_by_text("The reply in question")).to_be_visible()
    expect(window.get_by_text(PUSHY)).to_be_visible()  # markup stays words
    settle(window)
    for name in ("Save as a new version", "Retire", "Make the bad case"):
        assert window.get_by_role("button", name=name).count() == 0
    assert window.get_by_text("What people said of it").count() == 0
    assert_no_traceback(window)


def test_a_case_that_is_not_there_and_a_turn_that_cannot_be_one_say_so(site: Site, window: Page) -> None:
    sign_in(window, site, Role.OPS, path="/bad-case?id=0195a7c0-0000-7000-8000-000000000000")
    expect(window.get_by_text("there is no bad case")).to_be_visible()
    window.goto(f"{site.url}/bad-case?turn=0195a7c0-0000-7000-8000-000000000000")
    expect(window.get_by_text("There is no turn of ours")).to_be_visible()
    window.goto(f"{site.url}/bad-case?id=nonsense")
    expect(window.get_by_text("Choose a case from the list")).to_be_visible()
    assert_no_traceback(window)


def test_a_negotiator_is_told_whose_page_it_is(site: Site, window: Page) -> None:
    sign_in(window, site, Role.BD, path="/bad-cases")
    expect(window.get_by_text("This page is not for your role")).to_be_visible()


def test_the_list_can_be_used_in_a_narrow_dark_window(site: Site, window: Page) -> None:
    made = the_case(site)
    assert made is not None
    window.set_viewport_size({"width": 400, "height": 780})
    window.emulate_media(color_scheme="dark")
    sign_in(window, site, Role.OPS, path=f"/bad-case?id={made.id}")
    expect(window.get_by_text("The reply in question")).to_be_visible()
    settle(window)
    take_screenshot(window, "bad case narrow dark")
    assert window.evaluate("document.documentElement.scrollWidth") <= 400
