"""One training run: where it comes from, how it goes, and what came of it. It follows the run as long as it goes on."""

from html import escape
from uuid import UUID

import streamlit as st

from db.models import TrainingRun
from db.repositories import training_runs
from db.vocabulary import RunState
from webapp import database
from webapp.components.run_words import objective_words, run_chip
from webapp.pages.run_view import show_run
from webapp.shell import places
from webapp.shell.signed_in import reader_zone, signed_in

_EVERY = "5s"
_GOING_ON = (RunState.QUEUED, RunState.RUNNING)


def show() -> None:
    """Draw the page."""
    signed_in(*places.RUN.roles)
    run_id = _asked_for()
    if run_id is None:
        st.info("Choose a training run from the list.", icon=":material/info:")
        places.link(places.TRAINING, "All training")
        return
    run = _run(run_id)
    st.html(f'<div class="p-title"><h1>{escape(objective_words(run.objective))}</h1></div>')
    places.link(places.TRAINING, "All training", icon=":material/arrow_back:")
    follow = st.fragment(_follow, run_every=_EVERY if run.state in _GOING_ON else None)
    follow(run_id, going_on=run.state in _GOING_ON)
    _origin(run)


def _follow(run_id: UUID, *, going_on: bool) -> None:
    signed_in(*places.RUN.roles)
    run = _run(run_id)
    st.html(f"<div>{run_chip(run.state)}</div>")
    show_run(run, reader_zone())
    if going_on and run.state not in _GOING_ON:
        st.rerun()


def _run(run_id: UUID) -> TrainingRun:
    with database.sessions().begin() as session:
        return training_runs.get(session, run_id)


def _origin(run: TrainingRun) -> None:
    with st.expander("Where it comes from"):
        left, right = st.columns(2)
        left.markdown(
            f"Run `{run.id}`\n\nSnapshot `{run.snapshot_sha256[:16]}`\n\nReward spec version {run.spec_version}\n\n"
            f"Seed {run.seed}\n\nCode `{(run.git_revision or 'not from a repository')[:16]}`"
        )
        if run.adapter_sha256:
            left.markdown(f"Weights `{run.adapter_sha256[:16]}`")
        right.json(run.config.get("settings") or {}, expanded=False)


def _asked_for() -> UUID | None:
    try:
        return UUID(st.query_params.get("id", ""))
    except ValueError:
        return None
