"""When retrains begin by themselves: the schedules with their next hour, a new one, and changes to one.

What may be meant by an hour, a time zone or a span of quiet hours is ``training.jobs.schedules``' to say.
"""

from collections.abc import Callable, Sequence
from datetime import time, tzinfo
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from db.errors import ParleyError
from db.models import RetrainSchedule
from db.repositories import retrain_schedules
from training.jobs.plan import RetrainPlan, parse_plan
from training.jobs.schedules import add_schedule, change_schedule, remove_schedule
from webapp import database
from webapp.auth.identity import Identity
from webapp.components.empty import empty_html
from webapp.components.retrain_views import plan_words
from webapp.components.words import moment
from webapp.pages.retrain_form import plan_fields, planned
from webapp.shell import places
from webapp.shell.notes import note, told
from webapp.shell.signed_in import reader_zone, signed_in

_USUAL_CRON = "0 3 * * *"


def show() -> None:
    """Draw the page."""
    person = signed_in(*places.SCHEDULE.roles)
    st.html(
        '<div class="p-title"><h1>Schedule</h1><p class="p-sub">Retrains that begin by themselves: at an hour, after enough new ratings, '
        "or after a new bad case. Select one to change it.</p></div>"
    )
    with database.sessions().begin() as session:
        schedules = retrain_schedules.list_all(session)
    if st.button("New schedule", icon=":material/add:", type="primary"):
        _add()
    if not schedules:
        st.html(empty_html("No schedule yet", "Add one: every night, say, or after each hundred new ratings."))
        return
    chosen = _table(schedules, reader_zone())
    if chosen is None:
        st.caption("Select a schedule to change, pause or remove it.")
        return
    with st.container(border=True):
        _change(chosen, person)


def _table(schedules: Sequence[RetrainSchedule], zone: tzinfo) -> RetrainSchedule | None:
    frame = pd.DataFrame([_row(schedule, zone) for schedule in schedules])
    selection = st.dataframe(
        frame,
        key="schedules",
        hide_index=True,
        row_height=38,
        on_select="rerun",
        selection_mode="single-row",
        column_config={"When": st.column_config.TextColumn(width="medium")},
        alt="Schedules; select one to change it",
    )
    chosen = [schedules[index] for index in selection["selection"]["rows"] if index < len(schedules)]
    return chosen[0] if chosen else None


def _row(schedule: RetrainSchedule, zone: tzinfo) -> dict[str, object]:
    due = moment(schedule.next_due_at, zone=zone) if schedule.next_due_at is not None and schedule.enabled else "—"
    return {
        "Schedule": schedule.name,
        "When": when_words(schedule),
        "Next hour": due,
        "Quiet": f"{schedule.quiet_from:%H:%M}–{schedule.quiet_to:%H:%M}" if schedule.quiet_from and schedule.quiet_to else "",
        "Zone": schedule.timezone,
        "Trains": plan_words(schedule.plan),
        "Last": moment(schedule.last_fired_at, zone=zone) if schedule.last_fired_at is not None else "never",
        "": "" if schedule.enabled else "paused",
    }


def when_words(schedule: RetrainSchedule) -> str:
    """What begins it, in a few words."""
    parts = [schedule.cron] if schedule.cron else []
    parts += [f"{schedule.min_ratings:,} new ratings"] if schedule.min_ratings else []
    parts += (
        ["a new bad case" if schedule.min_bad_cases == 1 else f"{schedule.min_bad_cases:,} bad cases"] if schedule.min_bad_cases else []
    )
    return " or ".join(parts)


# -- a new one --------------------------------------------------------------------------------------------------------------------------


@st.dialog("New schedule", width="large")
def _add() -> None:
    person = signed_in(*places.SCHEDULE.roles)
    plan = RetrainPlan()
    with st.form("new-schedule", border=False, enter_to_submit=False):
        columns = _fields(None, key="new-schedule")
        asked = plan_fields(plan, key="new-schedule")
        pressed = st.form_submit_button("Add the schedule", type="primary", icon=":material/add:")
    if not pressed:
        return

    def add(session: Session) -> None:
        add_schedule(session, columns.pop("name"), planned(plan, asked), actor=person.user_id, **columns)

    if _saved(add):
        note("The schedule is in force.")
        st.rerun()


# -- changing one -----------------------------------------------------------------------------------------------------------------------


def _change(schedule: RetrainSchedule, person: Identity) -> None:
    key = f"schedule:{schedule.id}"
    try:
        plan = parse_plan(schedule.plan)
    except ParleyError as error:
        st.warning(f"Its plan cannot be used any more: {error} What you save here takes its place.", icon=":material/info:")
        plan = RetrainPlan()
    with st.form(key, border=False, enter_to_submit=False):
        left, right = st.columns(2, gap="large")
        with left:
            columns = _fields(schedule, key=key)
        with right:
            asked = plan_fields(plan, key=key)
        pressed = st.form_submit_button("Save", type="primary", icon=":material/save:")

    def save(session: Session) -> None:
        change_schedule(session, schedule.id, actor=person.user_id, plan=planned(plan, asked), **columns)

    if pressed and _saved(save):
        note("The schedule is changed.")
        st.rerun()
    with st.container(horizontal=True):
        label, icon = ("Pause", ":material/pause:") if schedule.enabled else ("Go on", ":material/play_arrow:")
        st.button(label, icon=icon, on_click=_set_enabled, args=(schedule.id, not schedule.enabled, person), key=f"{key}:pause")
        st.button("Remove", icon=":material/delete:", on_click=_remove, args=(schedule.id, person), key=f"{key}:remove")


def _fields(schedule: RetrainSchedule | None, *, key: str) -> dict[str, Any]:
    name = st.text_input("Name", value=schedule.name if schedule else "", max_chars=80, placeholder="Every night", key=f"{key}:name")
    zones = sorted(available_timezones())
    zone = schedule.timezone if schedule else str(st.context.timezone or "UTC")
    zones = zones if zone in zones else [zone, *zones]
    first, second = st.columns(2)
    cron = first.text_input(
        "Hour (cron)",
        value=(schedule.cron or "") if schedule else _USUAL_CRON,
        placeholder="none",
        key=f"{key}:cron",
        help="Minute, hour, day of the month, month, day of the week: 0 3 * * mon-fri is 3:00 on working days. Empty: at no hour.",
    )
    timezone = second.selectbox("Time zone", zones, index=zones.index(zone), key=f"{key}:zone")
    ratings = first.number_input(
        "After so many new ratings",
        min_value=1,
        value=schedule.min_ratings if schedule else None,
        placeholder="never",
        key=f"{key}:ratings",
    )
    cases = second.number_input(
        "After so many bad cases", min_value=1, value=schedule.min_bad_cases if schedule else None, placeholder="never", key=f"{key}:cases"
    )
    quiet_from = first.time_input("Quiet from", value=schedule.quiet_from if schedule else None, key=f"{key}:quiet-from")
    quiet_to = second.time_input("to", value=schedule.quiet_to if schedule else None, key=f"{key}:quiet-to")
    return {
        "name": name or "",
        "cron": " ".join((cron or "").split()) or None,
        "min_ratings": None if ratings is None else int(ratings),
        "min_bad_cases": None if cases is None else int(cases),
        "quiet_from": quiet_from if isinstance(quiet_from, time) else None,
        "quiet_to": quiet_to if isinstance(quiet_to, time) else None,
        "timezone": timezone,
    }


def _saved(write: Callable[[Session], None]) -> bool:
    """Write in one transaction; a refusal is told here, and what was typed stays."""
    try:
        with database.sessions().begin() as session:
            write(session)
    except ParleyError as error:
        st.error(str(error)[:1].upper() + str(error)[1:], icon=":material/error:")
        return False
    return True


def _set_enabled(schedule_id: UUID, enabled: bool, person: Identity) -> None:
    with told():
        with database.sessions().begin() as session:
            change_schedule(session, schedule_id, actor=person.user_id, enabled=enabled)
        note("The schedule is in force again." if enabled else "The schedule is paused.")


def _remove(schedule_id: UUID, person: Identity) -> None:
    with told():
        with database.sessions().begin() as session:
            remove_schedule(session, schedule_id, actor=person.user_id)
        note("The schedule is removed. What it has begun goes on.")
