"""The loop as operations walk it in a real browser: retrain, watch, canary, promote, roll back, schedule, and a rule from an incident."""

import json
import re
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from rated_site import our_turns, person, rate, talk
from sqlalchemy import select, update
from test_webapp_comparison import talks
from test_webapp_versions import a_version, active
from training_rows import FIGURES, REFUSED, VERDICT, add_retrain, add_run
from web_site import Site, StartSite, assert_no_traceback, settle, sign_in, take_screenshot, tick_row

from db.models import Retrain, RetrainSchedule, TrainingRun
from db.repositories import audit_events, deployments
from db.vocabulary import DeploymentRole, IssueTag, RetrainState, RetrainStep, Role, RunState
from tests.training.rewards.reward_turns import ask, turn
from training.objectives.said import write_said
from training.release.answers import ANSWERS
from training.rewards import approval

pytestmark = pytest.mark.browser
LONG = "The disk of gpu-worker-17.training.internal.example.com is full: 1,204 MiB are needed, 311 are free. " * 2


@pytest.fixture(scope="module")
def site(start_site: StartSite) -> Site:
    site: Site = start_site(PARLEY_MODEL_URL="http://127.0.0.1:9/v1")
    return site


@pytest.fixture(scope="module")
def versions(site: Site, tmp_path_factory: pytest.TempPathFactory) -> dict[str, UUID]:
    """A live version with two children, the newest of which has passed the gate; none has an adapter that a server must hold."""
    with site.sessions.begin() as session:
        first = a_version(session, "policy-v7")
        second = a_version(session, "policy-v8", parent=first)
        third = a_version(session, "policy-v9", parent=first)
        deployments.deploy(session, first, DeploymentRole.LIVE)
    folder = tmp_path_factory.mktemp("retrain")
    add_retrain(site.sessions, folder, state=RetrainState.LIVE, step=RetrainStep.LIVE, candidate=third, verdict=VERDICT)
    gate = folder / RetrainStep.EVALUATE
    gate.mkdir()
    said = {"candidate": {"text": "Thank you. Please take the time you need; may I write again on Thursday?", "fixed": True}}
    said |= {"live": {"text": "So 428 it is, then. I will note that as agreed.", "fixed": False}}
    cases = [("silence_as_consent", ""), ("pressure", "We could do 460, not less.")]
    (gate / ANSWERS).write_text(json.dumps([{"case": fault, "fault": fault, "heard": heard} | said for fault, heard in cases]))
    return {"v7": first, "v8": second, "v9": third}


def tall(window: Page, height: int = 1300) -> None:
    """A window in which most of a page can be seen."""
    window.set_viewport_size({"width": 1280, "height": height})
    window.wait_for_timeout(1500)


def test_a_retrain_is_asked_for_and_cancelled(site: Site, window: Page) -> None:
    sign_in(window, site, Role.OPS, path="/training")
    expect(window.get_by_text("Nothing was retrained yet")).to_be_visible()
    take_screenshot(window, "training empty")
    window.get_by_role("button", name="Retrain now").click()
    dialog = window.get_by_role("dialog")
    dialog.get_by_label("At most minutes").fill("20")
    settle(window)
    take_screenshot(window, "retrain now")
    dialog.get_by_role("button", name="Begin").click()
    expect(window.get_by_role("heading", name="Retrain: REPO, judged here")).to_be_visible()
    expect(window.get_by_text("Waits", exact=True)).to_be_visible()
    settle(window)
    with site.sessions() as session:
        asked = session.scalars(select(Retrain)).one()
    assert (asked.state, asked.requested_by, asked.plan["budget"]["minutes"]) == (RetrainState.QUEUED, person(site, Role.OPS), 20)
    window.get_by_role("button", name="Cancel it").click()
    expect(window.get_by_text("Cancelled", exact=True)).to_be_visible()
    assert_no_traceback(window)


def test_a_retrain_is_watched_while_it_goes_on(site: Site, window: Page, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run = add_run(site.sessions, folder, state=RunState.RUNNING, step=30, figures=FIGURES)
    write_said(folder, 0, [turn()], [[ask("So 428 net it is, noted. <b>Thanks</b>.")]])
    write_said(folder, 30, [turn()], [[ask()]])
    (folder / "report.html").write_text("<!doctype html><title>repo, running</title><h1>repo</h1><script>document.title='ran'</script>")
    ops = person(site, Role.OPS)
    retrain = add_retrain(
        site.sessions, tmp_path / "r", state=RetrainState.RUNNING, step=RetrainStep.POLICY, run=run, requested_by=ops, line="watched"
    )
    sign_in(window, site, Role.OPS, path="/audit")
    window.goto(f"{site.url}/retrain?id={retrain}")  # it looks again every few seconds, and so may never settle
    expect(window.get_by_text("At work", exact=True)).to_be_visible()
    expect(window.get_by_text("Step 30 of 100,")).to_be_visible()
    expect(window.get_by_text("So 428 net it is")).to_be_visible()
    expect(window.get_by_text("Explained variance of the critic")).to_be_visible()
    tall(window, 1750)
    take_screenshot(window, "retrain at work")
    with site.sessions.begin() as session:
        session.execute(update(TrainingRun).where(TrainingRun.id == run).values(step=31))
    expect(window.get_by_text("Step 31 of 100")).to_be_visible()
    report = window.context.request.get(f"{site.url}/report/{run}")
    assert report.status == 200
    assert "default-src 'none'" in report.headers["content-security-policy"]
    window.goto(f"{site.url}/report/{run}")
    assert window.title() == "repo, running"
    window.goto(f"{site.url}/training")
    table = window.get_by_test_id("stDataFrame").first
    expect(table).to_be_visible()
    window.wait_for_timeout(1500)
    take_screenshot(window, "training")
    box = table.bounding_box()
    assert box is not None
    window.mouse.click(box["x"] + 17, box["y"] + 57)
    expect(window.get_by_role("heading", name="Retrain: REPO")).to_be_visible()
    assert_no_traceback(window)


def test_a_rejected_one_tells_every_criterion_and_a_failed_one_its_reason(site: Site, window: Page, tmp_path: Path) -> None:
    rejected = add_retrain(site.sessions, tmp_path / "a", state=RetrainState.REJECTED, step=RetrainStep.GATE, verdict=REFUSED)
    failed = add_retrain(site.sessions, tmp_path / "b", state=RetrainState.FAILED, step=RetrainStep.REWARD_MODEL, error=LONG)
    sign_in(window, site, Role.OPS, path=f"/retrain?id={rejected}")
    expect(window.get_by_text("Rejected by the gate")).to_be_visible()
    expect(window.get_by_text("-0.08 stars <b>worse</b>")).to_be_visible()
    window.get_by_text("Let it go on all the same").click()
    settle(window)
    take_screenshot(window, "retrain rejected")
    window.goto(f"{site.url}/retrain?id={failed}")
    expect(window.get_by_text("is full: 1,204 MiB").first).to_be_visible()
    settle(window)
    take_screenshot(window, "retrain failed")
    assert_no_traceback(window)


def test_a_version_is_tried_promoted_and_rolled_back(site: Site, versions: dict[str, UUID], window: Page) -> None:
    sign_in(window, site, Role.OPS, path=f"/versions?id={versions['v9']}")
    expect(window.locator("svg .node").first).to_be_visible()
    expect(window.get_by_text("may I write again on Thursday", exact=False).first).to_be_visible()
    window.get_by_role("button", name="Try it as a canary").click()
    expect(window.get_by_text("10% of new conversations")).to_be_visible()
    settle(window)
    tall(window, 1800)
    take_screenshot(window, "versions")
    slider = window.get_by_role("slider", name="Per cent of new conversations")
    slider.focus()
    for _ in range(5):
        window.keyboard.press("ArrowRight")
    window.get_by_role("button", name="Set the share").click()
    expect(window.get_by_text("15% of new conversations")).to_be_visible()
    settle(window)
    window.get_by_role("button", name="Promote").click()
    expect(window.get_by_text("policy-v9 is live.")).to_be_visible()
    settle(window)
    assert active(site.sessions) == {"policy-v9": (DeploymentRole.LIVE, 1.0)}
    window.get_by_role("button", name="Roll back").first.click()
    window.get_by_label("Reason").fill("It promises too much.")
    window.get_by_role("button", name="Roll back policy-v9").click()
    expect(window.get_by_text("policy-v9 is rolled back; policy-v7 answers.")).to_be_visible()
    settle(window)
    assert active(site.sessions) == {"policy-v7": (DeploymentRole.LIVE, 1.0)}
    assert_no_traceback(window)


def test_a_schedule_is_added_and_edited(site: Site, window: Page) -> None:
    sign_in(window, site, Role.OPS, path="/schedule")
    expect(window.get_by_text("No schedule yet")).to_be_visible()
    window.get_by_role("button", name="New schedule").click()
    dialog = window.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Hour (cron)").fill("every night")
    dialog.get_by_label("Name").fill("Every night")
    settle(window)
    take_screenshot(window, "new schedule")
    dialog.get_by_role("button", name="Add the schedule").click()
    expect(dialog.get_by_text("a schedule is written in five fields")).to_be_visible()
    dialog.get_by_role("textbox", name="Hour (cron)").fill("0 3 * * mon-fri")
    dialog.get_by_role("button", name="Add the schedule").click()
    expect(window.get_by_text("The schedule is in force")).to_be_visible()
    settle(window)
    tick_row(window, 0)
    window.get_by_label("After so many new ratings").fill("100")
    window.get_by_role("button", name="Save", exact=True).click()
    expect(window.get_by_text("The schedule is changed")).to_be_visible()
    settle(window)
    tall(window, 1000)
    take_screenshot(window, "schedule")
    with site.sessions() as session:
        row = session.scalars(select(RetrainSchedule)).one()
    assert (row.cron, row.min_ratings, row.timezone) == ("0 3 * * mon-fri", 100, "Europe/Lisbon")
    assert row.next_due_at is not None
    assert_no_traceback(window)


def test_an_incident_becomes_a_rule_that_somebody_else_puts_in_force(site: Site, window: Page) -> None:
    bad = our_turns(site, talk(site, "DEMO-101"))[1]
    rate(site, bad, stars=1, comment="A threat.", fault=IssueTag.PRESSURE)
    sign_in(window, site, Role.OPS, path="/reward-spec")
    settle(window)
    tall(window, 1000)
    take_screenshot(window, "reward spec")
    window.get_by_role("link", name="Rule from an incident").click()
    expect(window.get_by_text("Select the reply that went wrong")).to_be_visible()
    settle(window)
    tick_row(window, 0)
    expect(window.get_by_text("The reply in question")).to_be_visible()
    words = window.get_by_role("combobox", name=re.compile("Words that gave it away"))
    words.fill("drop your hotel")
    words.press("Enter")
    expect(window.get_by_text("It finds the reply")).to_be_visible()
    window.keyboard.press("Escape")  # as long as the list hangs open, the rest of the page is hidden from roles
    settle(window)
    window.get_by_role("button", name="Try it on them").click()
    expect(window.get_by_text("would be hit")).to_be_visible()
    window.get_by_label("Why it is to change").fill("A hotel was threatened on Tuesday.")
    settle(window)
    tall(window, 1250)
    take_screenshot(window, "rule from an incident")
    window.get_by_role("button", name="Propose it").click()
    expect(window.get_by_text("Version 2 is proposed")).to_be_visible()
    settle(window)
    window.context.clear_cookies()
    sign_in(window, site, Role.ADMIN, path="/reward-spec")
    window.get_by_text("History", exact=True).click()
    expect(window.get_by_text("patterns.pressure_2")).to_be_visible()
    settle(window)
    take_screenshot(window, "reward spec versions")
    window.get_by_role("button", name="Put version 2 in force").click()
    expect(window.get_by_text("version 2 in force")).to_be_visible()
    settle(window)
    with site.sessions() as session:
        assert [rule.name for rule in approval.in_force(session).patterns] == ["pressure_2"]
    window.get_by_text("Change it", exact=True).click()
    expect(window.get_by_text("Nothing yet: change a weight")).to_be_visible()
    settle(window)
    tall(window, 1250)
    take_screenshot(window, "reward spec change")
    assert_no_traceback(window)


def test_a_canary_is_held_against_the_live_version(site: Site, versions: dict[str, UUID], window: Page) -> None:
    with site.sessions.begin() as session:
        deployments.deploy(session, versions["v7"], DeploymentRole.LIVE)
        deployments.deploy(session, versions["v8"], DeploymentRole.CANARY, share=Decimal("0.3"))
    talks(site.sessions, versions["v7"], number=60, answered=33)
    talks(site.sessions, versions["v8"], number=40, answered=36)
    sign_in(window, site, Role.OPS, path="/a-b")
    expect(window.get_by_text("30% of new conversations, 40 so far")).to_be_visible()
    expect(window.get_by_text("better", exact=True).first).to_be_visible()
    expect(window.get_by_text("What the watch sees")).to_be_visible()
    settle(window)
    tall(window, 1150)
    take_screenshot(window, "a-b")
    assert_no_traceback(window)
    with site.sessions.begin() as session:
        deployments.end_active(session, DeploymentRole.CANARY)


def test_health_and_the_audit_trail_are_to_be_read(site: Site, versions: dict[str, UUID], window: Page) -> None:
    sign_in(window, site, Role.OPS, path="/health")
    expect(window.get_by_text("Does not answer: replies wait")).to_be_visible()
    settle(window)
    take_screenshot(window, "health")
    with site.sessions.begin() as session:
        audit_events.record(
            session,
            actor_id=person(site, Role.OPS),
            action="deployment.share",
            subject_type="policy_version",
            subject_id=versions["v9"],
            before={"share": "0.1"},
            after={"share": "0.25", "why": LONG, "plan": {"objective": "repo", "line": "main"}},
        )
    window.goto(f"{site.url}/audit")
    settle(window)
    tick_row(window, 0)
    expect(window.get_by_role("columnheader", name="Before")).to_be_visible()
    tall(window, 1000)
    take_screenshot(window, "audit trail")
    window.set_viewport_size({"width": 760, "height": 900})
    window.wait_for_timeout(800)
    take_screenshot(window, "audit trail small")
    assert_no_traceback(window)
