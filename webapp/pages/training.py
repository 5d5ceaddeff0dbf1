"""Everything that was and is trained: retrains and single training runs, newest first, with how far each has come; and a new retrain."""

from collections.abc import Sequence
from datetime import tzinfo
from enum import StrEnum

import pandas as pd
import streamlit as st

from db.errors import ParleyError
from db.models import Retrain, TrainingRun
from db.repositories import retrains, training_runs
from db.vocabulary import RetrainState, RunState
from training.jobs import requests
from training.jobs.plan import RetrainPlan
from webapp import database, workers
from webapp.components.empty import empty_html
from webapp.components.retrain_views import STATE_WORDS, STEP_WORDS, TRIGGER_WORDS, done_share, retrain_words
from webapp.components.run_words import duration, objective_words
from webapp.components.words import moment
from webapp.pages.retrain_form import plan_fields, planned
from webapp.shell import places
from webapp.shell.notes import note
from webapp.shell.signed_in import reader_zone, signed_in

MOST = 50
"""Lines in a list."""
_OFTEN, _SELDOM = "5s", "30s"
"""How often a list looks again: where something is at work, and where nothing is."""
_OPEN = (RetrainState.QUEUED, RetrainState.RUNNING, RetrainState.CANARY)


class View(StrEnum):
    """What is listed."""

    RETRAINS = "Retrains"
    RUNS = "Training runs"


def show() -> None:
    """Draw the page."""
    signed_in(*places.TRAINING.roles)
    st.html('<div class="p-title"><h1>Training</h1><p class="p-sub">From ratings to better weights. Select a line to follow it.</p></div>')
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if st.button("Retrain now", icon=":material/play_arrow:", type="primary"):
            _ask()
        view = st.segmented_control(
            "View", [*View], default=View.RETRAINS, required=True, key="training_view", label_visibility="collapsed"
        )
    with database.sessions().begin() as session:
        at_work = bool(retrains.list_newest(session, states=_OPEN, limit=1))
    draw = st.fragment(_runs if view == View.RUNS else _retrains, run_every=_OFTEN if at_work else _SELDOM)
    draw()


@st.dialog("Retrain now", width="large")
def _ask() -> None:
    person = signed_in(*places.TRAINING.roles)
    st.caption(
        "Snapshot, reward model, policy, gate: each step is shown as it goes. What passes the gate answers a share of new conversations."
    )
    plan = RetrainPlan()
    with st.form("retrain-now", border=False, enter_to_submit=False):
        fields = plan_fields(plan, key="retrain-now")
        pressed = st.form_submit_button("Begin", type="primary", icon=":material/play_arrow:")
    if not pressed:
        return
    try:
        with database.sessions().begin() as session:
            retrain_id = requests.request_retrain(session, planned(plan, fields), requested_by=person.user_id).id
    except ParleyError as error:
        st.error(str(error), icon=":material/error:")
        return
    workers.wake([retrain_id])
    note("The retrain is asked for. A worker takes it within a minute, or once the one before it has ended.")
    places.go(places.RETRAIN, id=str(retrain_id))


# -- retrains ---------------------------------------------------------------------------------------------------------------------------


def _retrains() -> None:
    signed_in(*places.TRAINING.roles)
    with database.sessions().begin() as session:
        found = retrains.list_newest(session, limit=MOST)
    if not found:
        st.html(empty_html("Nothing was retrained yet", "Begin with “Retrain now”, or let a schedule do so when enough has been rated."))
        return
    chosen = _retrain_table(found, reader_zone())
    if chosen is not None:
        places.go(places.RETRAIN, id=str(chosen.id))


def _retrain_table(found: Sequence[Retrain], zone: tzinfo) -> Retrain | None:
    frame = pd.DataFrame(
        [
            {
                "Retrain": retrain_words(one),
                "State": STATE_WORDS[one.state],
                "Done": done_share(one),
                "Step": STEP_WORDS[one.step] if one.step is not None else "",
                "Version": one.candidate.name if one.candidate is not None else "",
                "Asked for": moment(one.created_at, zone=zone),
                "By": one.requester.name if one.requester is not None else TRIGGER_WORDS[one.trigger],
                "Took": duration(one.started_at, one.ended_at),
            }
            for one in found
        ]
    )
    selection = st.dataframe(
        frame,
        key="retrains",
        hide_index=True,
        row_height=38,
        height=520 if len(found) > 12 else "auto",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "Retrain": st.column_config.TextColumn(width="medium"),
            "Done": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1, width="small"),
        },
        alt="Retrains, newest first; select one to open it",
    )
    chosen = [found[index] for index in selection["selection"]["rows"] if index < len(found)]
    return chosen[0] if chosen else None


# -- runs -------------------------------------------------------------------------------------------------------------------------------


def _runs() -> None:
    signed_in(*places.TRAINING.roles)
    with database.sessions().begin() as session:
        runs = training_runs.list_newest(session, limit=MOST)
    if not runs:
        st.html(empty_html("Nothing was trained yet", "Begin with “Retrain now”, or with `parley train` on the command line."))
        return
    chosen = _run_table(runs, reader_zone())
    if chosen is not None:
        places.go(places.RUN, id=str(chosen.id))


def _run_table(runs: Sequence[TrainingRun], zone: tzinfo) -> TrainingRun | None:
    frame = pd.DataFrame(
        [
            {
                "Objective": objective_words(run.objective),
                "State": str(run.state),
                "Done": 1.0 if run.state is RunState.DONE else run.step / run.steps if run.steps else 0.0,
                "Begun": moment(run.started_at or run.created_at, zone=zone),
                "Took": duration(run.started_at, run.ended_at),
                "Reward spec": run.spec_version,
                "Seed": run.seed,
            }
            for run in runs
        ]
    )
    selection = st.dataframe(
        frame,
        key="training_runs",
        hide_index=True,
        row_height=38,
        height=520 if len(runs) > 12 else "auto",
        on_select="rerun",
        selection_mode="single-row",
        column_config={"Done": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1, width="small")},
        alt="Training runs, newest first; select one to open it",
    )
    chosen = [runs[index] for index in selection["selection"]["rows"] if index < len(runs)]
    return chosen[0] if chosen else None
