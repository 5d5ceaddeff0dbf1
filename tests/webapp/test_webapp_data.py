"""The page for data in a real browser: what it gives out, what it takes, and what it refuses."""

import json
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select
from web_site import Site, StartSite, assert_no_traceback, settle, sign_in, take_screenshot

from db.models import AuditEvent, ImportedExample
from db.vocabulary import Role

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(start_site: StartSite) -> Site:
    return start_site()


def example(number: int, *, good: str = "Good") -> str:
    row = {"prompt": f"Question {number}: could you do 420 net?", "chosen": good, "rejected": "No.", "source": "comparison"}
    return json.dumps(row) + "\n"


def test_a_file_is_looked_at_first_then_imported_then_taken_out(window: Page, site: Site, tmp_path: Path) -> None:
    sign_in(window, site, Role.OPS, path="/data")
    file = tmp_path / "examples.jsonl"
    file.write_text("".join(example(number) for number in range(12)) + example(99, good=" ") + example(3))
    window.locator('input[type="file"]').set_input_files(file)
    settle(window)
    expect(window.get_by_text("12 rows are good: 12 new, 0 there already. 2 rows have mistakes")).to_be_visible()
    with site.sessions() as session:
        assert session.scalars(select(func.count(ImportedExample.id))).one() == 0
    take_screenshot(window, "data import with mistakes")
    window.get_by_role("button", name="Import 12").click()
    settle(window)
    with site.sessions() as session:
        assert session.scalars(select(func.count(ImportedExample.id))).one() == 12
    window.get_by_role("button", name="Prepare the files").click()
    expect(window.get_by_text("Personal data is masked.")).to_be_visible()
    settle(window)
    take_screenshot(window, "data ready to download")
    with window.expect_download() as download:
        window.get_by_role("button", name="Download (").click()
    archive = tmp_path / "out.zip"
    download.value.save_as(archive)
    with zipfile.ZipFile(archive) as packed:
        assert sorted(packed.namelist()) == [
            "dialogue.jsonl",
            "manifest.json",
            "preference.jsonl",
            "prompt_completion.jsonl",
            "unpaired_preference.jsonl",
        ]
        assert len(packed.read("preference.jsonl").splitlines()) == 12
    with site.sessions() as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.action.like("data.%")).order_by(AuditEvent.created_at)).all()
    assert [event.action for event in events] == ["data.import", "data.export"]
    assert all(event.actor_id is not None for event in events)
    assert_no_traceback(window)


def test_personal_data_is_offered_to_administrators_only(window: Page, site: Site) -> None:
    sign_in(window, site, Role.OPS, path="/data")
    expect(window.get_by_role("button", name="Prepare the files")).to_be_visible()
    assert window.get_by_text("With personal data of hotels' people").count() == 0
    window.context.clear_cookies()
    sign_in(window, site, Role.ADMIN, path="/data")
    window.get_by_text("With personal data of hotels' people").click()
    settle(window)
    expect(window.get_by_text("will stand in the files")).to_be_visible()
    window.set_viewport_size({"width": 1024, "height": 700})
    settle(window)
    take_screenshot(window, "data with personal data in a small window")


def test_others_are_told_who_it_is_for(window: Page, site: Site) -> None:
    sign_in(window, site, Role.ANNOTATOR, path="/data")
    expect(window.get_by_text("This page is not for your role")).to_be_visible()


def test_a_file_that_holds_no_examples_is_a_sentence(window: Page, site: Site, tmp_path: Path) -> None:
    sign_in(window, site, Role.OPS, path="/data")
    file = tmp_path / "holiday.csv"
    file.write_text("place,weather\nLisbon,sunny\n")
    window.locator('input[type="file"]').set_input_files(file)
    expect(window.get_by_text("has the columns place, weather")).to_be_visible()
    settle(window)
    assert_no_traceback(window)
