"""Schedules on their page: changed, paused, removed; what cannot be meant is told."""

from datetime import time
from uuid import UUID

import pytest
from page_app import OpenPage, words
from streamlit.testing.v1 import AppTest

from db.engine import SessionFactory
from db.repositories import audit_events, retrain_schedules
from db.vocabulary import Role
from training.jobs.plan import RetrainPlan
from training.jobs.schedules import add_schedule
from webapp.pages import schedule as page_of_schedules


@pytest.fixture
def nightly(web_database: SessionFactory) -> UUID:
    with web_database.begin() as session:
        return add_schedule(
            session, "Every night", RetrainPlan(), cron="0 3 * * *", min_ratings=100, quiet_from=time(8), quiet_to=time(18)
        ).id


@pytest.fixture
def chosen(nightly: UUID, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The page with the schedule selected: a row of a table cannot be ticked without a browser."""
    monkeypatch.setattr(page_of_schedules, "_table", lambda schedules, zone: schedules[0] if schedules else None)
    return open_page("schedule")


def press(page: AppTest, label: str) -> None:
    next(button for button in page.button if button.label == label).click().run()


def test_that_without_a_schedule_it_says_what_one_is_for(open_page: OpenPage) -> None:
    assert "No schedule yet" in words(open_page("schedule"))


def test_that_schedules_are_listed_with_what_begins_them(web_database: SessionFactory, nightly: UUID, open_page: OpenPage) -> None:
    shown = open_page("schedule").dataframe[0].value
    assert list(shown["When"]) == ["0 3 * * * or 100 new ratings"]
    assert list(shown["Quiet"]) == ["08:00–18:00"]
    assert "03:00" in shown["Next hour"][0]
    assert list(shown["Last"]) == ["never"]


def test_that_one_is_changed_with_its_plan(web_database: SessionFactory, nightly: UUID, chosen: AppTest) -> None:
    key = f"schedule:{nightly}"
    chosen.text_input(key=f"{key}:cron").input("30 4 * * mon-fri")
    chosen.number_input(key=f"{key}:cases").set_value(1)
    chosen.selectbox(key=f"{key}:zone").select("Asia/Shanghai")
    chosen.number_input(key=f"{key}:minutes").set_value(45.0)
    press(chosen, "Save")
    with web_database() as session:
        row = retrain_schedules.get(session, nightly)
        assert (row.cron, row.min_bad_cases, row.timezone, row.plan["budget"]["minutes"]) == ("30 4 * * mon-fri", 1, "Asia/Shanghai", 45)
        assert [event.action for event in audit_events.list_of_subject(session, "retrain_schedule", nightly)][
            -1
        ] == "retrain_schedule.change"


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [("cron", "every night", "has 2 fields"), ("cron", "99 3 * * *", "cannot be read"), ("name", " ", "a name of 1 to 80 characters")],
)
def test_that_what_cannot_be_meant_is_told(
    web_database: SessionFactory, nightly: UUID, chosen: AppTest, field: str, typed: str, told: str
) -> None:
    chosen.text_input(key=f"schedule:{nightly}:{field}").input(typed)
    press(chosen, "Save")
    assert [told in error.value for error in chosen.error] == [True]
    with web_database() as session:
        assert retrain_schedules.get(session, nightly).cron == "0 3 * * *"


def test_that_one_is_paused_and_removed(web_database: SessionFactory, nightly: UUID, chosen: AppTest) -> None:
    press(chosen, "Pause")
    with web_database() as session:
        assert not retrain_schedules.get(session, nightly).enabled
    press(chosen, "Go on")
    press(chosen, "Remove")
    assert "No schedule yet" in words(chosen)


def test_that_it_is_for_operations(open_page: OpenPage) -> None:
    assert [title.value for title in open_page("schedule", role=Role.ANNOTATOR).title] == ["This page is not for your role"]
