"""Queues and known answers in a real browser: defined, filled, watched, changed and closed by operations."""

from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Page, expect
from rated_site import our_turns, person, rate, talk
from sqlalchemy import select
from web_site import Site, StartSite, assert_no_traceback, settle, sign_in, take_screenshot, tick_row

from db.models import AuditEvent, GoldAnswer, RatingQueue
from db.vocabulary import IssueTag, JudgementKind, QueuePolicy, Role
from training.ratings import queues
from training.ratings.desk import RatingDesk
from training.ratings.queues import QueueSettings
from training.ratings.views import Judgement

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(start_site: StartSite) -> Site:
    started: Site = start_site()
    talk(started)
    return started


def a_queue(site: Site, name: str, **changed: object) -> UUID:
    values: dict[str, object] = {"kind": JudgementKind.TURN, "policy": QueuePolicy.NEWEST, "raters_per_item": 2}
    settings = QueueSettings(name=name, **(values | changed))  # pyright: ignore[reportArgumentType]
    return queues.define(site.sessions, settings, actor=person(site, Role.OPS)).id


def judge_all(site: Site, role: Role, stars: int, queue_id: UUID) -> int:
    """Judge whatever the queue has for this person, always the same; how many."""
    desk = RatingDesk(site.sessions)
    judged = 0
    while tasks := desk.next(person(site, role), n=1, queue_id=queue_id):
        desk.save(person(site, role), tasks[0].assignment_id, Judgement(stars=stars, seconds=12.0), key=str(uuid4()))
        judged += 1
    return judged


def open_queue(window: Page, site: Site, queue_id: UUID) -> None:
    sign_in(window, site, Role.OPS, path=f"/queue?id={queue_id}")


def test_a_queue_is_defined_and_hands_out(site: Site, window: Page) -> None:
    sign_in(window, site, Role.OPS, path="/queues")
    window.get_by_role("button", name="New queue").click()
    dialog = window.get_by_role("dialog")
    expect(dialog.get_by_label("Name")).to_be_visible()
    settle(window)
    take_screenshot(window, "new queue")
    dialog.get_by_role("button", name="Define the queue").click()
    expect(dialog.get_by_text("A queue needs a name")).to_be_visible()
    dialog.get_by_label("Name").fill("Newest <b>replies</b>")
    dialog.get_by_role("spinbutton", name="Known answers, %").fill("12.5")
    dialog.get_by_role("button", name="Define the queue").click()
    expect(window.get_by_text("hands out from now on")).to_be_visible()
    settle(window)
    with site.sessions() as session:
        row = session.scalars(select(RatingQueue).where(RatingQueue.name == "Newest <b>replies</b>")).one()
        acts = session.scalars(select(AuditEvent.action).where(AuditEvent.subject_id == row.id)).all()
    assert (row.kind, row.raters_per_item, row.gold_share, row.reservation_s) == (JudgementKind.TURN, 2, Decimal("0.125"), 900)
    assert list(acts) == ["rating_queue.define"]
    assert RatingDesk(site.sessions).next(person(site, Role.ANNOTATOR), queue_id=row.id)
    window.wait_for_timeout(500)
    take_screenshot(window, "queues")
    tick_row(window, 0)
    expect(window.get_by_role("heading", name="Newest <b>replies</b>")).to_be_visible()
    assert_no_traceback(window)


def test_progress_raters_and_disputes_are_seen(site: Site, window: Page) -> None:
    queue_id = a_queue(site, "Disputed", adjudicate_over=1)
    assert judge_all(site, Role.ANNOTATOR, 5, queue_id) == 2
    assert judge_all(site, Role.ADMIN, 1, queue_id) == 2
    open_queue(window, site, queue_id)
    expect(window.get_by_test_id("stMetric").filter(has_text="In dispute")).to_contain_text("2")
    expect(window.get_by_test_id("stMetric").filter(has_text="Judgements")).to_contain_text("4")
    expect(window.get_by_text("Decide them on the rating page")).to_be_visible()
    window.wait_for_timeout(800)
    take_screenshot(window, "queue")
    assert_no_traceback(window)


def test_a_queue_is_changed_closed_and_opened_again(site: Site, window: Page) -> None:
    queue_id = a_queue(site, "Random ones", policy=QueuePolicy.RANDOM, language="zh", reservation_s=45, gold_share=Decimal("0.075"))
    open_queue(window, site, queue_id)
    expect(window.get_by_text("Nothing is in this queue yet")).to_be_visible()
    expect(window.get_by_text("7.5 % known answers")).to_be_visible()
    window.get_by_label("Raters an item").fill("3")
    window.get_by_label("Name").fill("Three a reply")
    window.get_by_role("button", name="Save settings").click()
    expect(window.get_by_role("heading", name="Three a reply")).to_be_visible()
    settle(window)
    with site.sessions() as session:
        changed = queues.queue_of(session, queue_id).settings
    assert (changed.name, changed.raters_per_item, changed.policy, changed.language) == ("Three a reply", 3, QueuePolicy.RANDOM, "zh")
    assert (changed.reservation_s, changed.gold_share) == (45, Decimal("0.075"))  # what was not touched stays, to the second
    window.get_by_role("button", name="Fill up now").click()
    expect(window.get_by_text("nothing more fits its settings")).to_be_visible()
    window.get_by_role("button", name="Close the queue").click()
    expect(window.get_by_text("The queue hands out nothing more")).to_be_visible()
    settle(window)
    expect(window.get_by_role("button", name="Fill up now")).to_be_disabled()
    window.get_by_role("button", name="Open again").click()
    expect(window.get_by_text("The queue hands out again")).to_be_visible()
    settle(window)
    with site.sessions() as session:
        acts = session.scalars(select(AuditEvent.action).where(AuditEvent.subject_id == queue_id).order_by(AuditEvent.id)).all()
    assert list(acts) == ["rating_queue.define", "rating_queue.change", "rating_queue.close", "rating_queue.reopen"]


def test_a_name_that_is_taken_is_refused(site: Site, window: Page) -> None:
    a_queue(site, "The first")
    open_queue(window, site, a_queue(site, "The second"))
    window.get_by_label("Name").fill("The first")
    window.get_by_role("button", name="Save settings").click()
    expect(window.get_by_text("There is a queue named 'The first' already")).to_be_visible()
    assert_no_traceback(window)


def test_a_known_answer_is_added_and_retired(site: Site, window: Page) -> None:
    conversation = talk(site, "DEMO-102")
    rate(site, our_turns(site, conversation)[1], stars=2, comment="A threat.", fault=IssueTag.PRESSURE)
    sign_in(window, site, Role.OPS, path="/known-answers")
    expect(window.get_by_text("No known answers yet")).to_be_visible()
    window.get_by_text("Add one", exact=True).click()
    settle(window)
    window.get_by_role("textbox", name="Search").fill("drop your hotel")
    window.keyboard.press("Enter")
    settle(window)
    tick_row(window, 0)
    expect(window.get_by_text("The reply in question")).to_be_visible()
    window.get_by_label("Why: shown to the person after the save").fill("It threatens: never more than two stars.")
    window.wait_for_timeout(500)
    take_screenshot(window, "known answer being added")
    window.get_by_role("button", name="Add the known answer").click()
    expect(window.get_by_text("mixed into the queues")).to_be_visible()
    settle(window)
    with site.sessions() as session:
        answer = session.scalars(select(GoldAnswer)).one()
    assert (answer.stars_from, answer.stars_to, answer.tags) == (2, 2, [IssueTag.PRESSURE])
    window.get_by_text("Known answers", exact=True).last.click()
    settle(window)
    tick_row(window, 0)
    expect(window.get_by_test_id("stText").filter(has_text="never more than two stars")).to_be_visible()
    take_screenshot(window, "known answers")
    window.get_by_role("button", name="Retire", exact=True).click()
    expect(window.get_by_text("handed out no more")).to_be_visible()
    settle(window)
    expect(window.get_by_text("No known answers yet")).to_be_visible()
    with site.sessions() as session:
        assert session.scalars(select(GoldAnswer)).one().retired_at is not None
    assert_no_traceback(window)


@pytest.mark.parametrize("path", ["/queues", "/queue", "/known-answers"])
def test_an_annotator_is_told_whose_pages_these_are(site: Site, window: Page, path: str) -> None:
    sign_in(window, site, Role.ANNOTATOR, path=path)
    expect(window.get_by_text("This page is not for your role")).to_be_visible()


def test_a_queue_that_is_not_there_says_so(site: Site, window: Page) -> None:
    sign_in(window, site, Role.OPS, path="/queue?id=0195a7c0-0000-7000-8000-000000000000")
    expect(window.get_by_text("there is no queue")).to_be_visible()
    window.goto(f"{site.url}/queue?id=nonsense")
    expect(window.get_by_text("Choose a queue from the list.")).to_be_visible()
    assert_no_traceback(window)
