"""A training run on a page: how far it is, its curves and what it says by now. Part of the pages on a run and on a retrain."""

from collections.abc import Sequence
from datetime import tzinfo

import streamlit as st

from db.models import TrainingRun
from db.repositories import training_runs
from db.vocabulary import RunState
from webapp import database
from webapp.components.run_words import duration, samples_html
from webapp.components.training_charts import Figures, Panel, panels
from webapp.components.words import moment
from webapp.run_files import read_said_pairs, read_samples, report_path

MOST_POINTS = 300
"""Steps that a curve is drawn of; a longer run is thinned."""
_COLUMNS = 3


def show_run(run: TrainingRun, zone: tzinfo) -> None:
    """Draw progress, curves and samples of a run."""
    _progress(run, zone)
    figures = read_figures(run)
    if not figures:
        st.caption("No step is over yet: the curves appear with the first one.")
    else:
        st.caption("By training step.")
    first, others = panels(figures)
    _grid(first, key=f"{run.id}:first")
    if others:
        with st.expander(f"More curves ({len(others)})"):
            _grid(others, key=f"{run.id}:more")
    show_samples(run)


def read_figures(run: TrainingRun) -> Figures:
    """The figures by step, thinned where the run is long."""
    every = max(1, max(run.step, run.steps) // MOST_POINTS)
    with database.sessions().begin() as session:
        return {row.step: row.values for row in training_runs.thinned_metrics(session, run.id, every=every)}


def show_samples(run: TrainingRun) -> None:
    """What it said before and says now, and its report."""
    samples = read_samples(run.folder)
    said = None if samples else read_said_pairs(run.folder)
    if said is not None:
        first, newest, pairs = said
        with st.expander(f"What it says by now, at step {newest}", expanded=True):
            st.html(samples_html(pairs, before=f"Step {first}", after=f"Step {newest}"))
    if samples:
        with st.expander(f"What it says, before and after ({len(samples)})", expanded=True):
            st.html(samples_html(samples))
    if report_path(run.folder) is not None:
        st.link_button("The whole report", f"/report/{run.id}", icon=":material/description:")
    else:
        st.caption(f"Its files are not on this machine ({run.folder}), so samples and report cannot be shown here.")


def _progress(run: TrainingRun, zone: tzinfo) -> None:
    share = min(run.step / run.steps, 1.0) if run.steps else 0.0
    if run.state is RunState.RUNNING:
        st.progress(share, text=f"Step {run.step} of {run.steps or '?'}, {duration(run.started_at, None)} so far")
    elif run.started_at is not None:
        st.caption(
            f"Step {run.step} of {run.steps or '?'} · began {moment(run.started_at, zone=zone)}"
            + (f" · took {duration(run.started_at, run.ended_at)}" if run.ended_at is not None else "")
        )
    if run.error:
        st.error(run.error, icon=":material/error:")


def _grid(shown: Sequence[Panel], *, key: str) -> None:
    for start in range(0, len(shown), _COLUMNS):
        for column, panel in zip(st.columns(_COLUMNS, gap="medium"), shown[start : start + _COLUMNS], strict=False):
            with column:
                st.markdown(f"###### {panel.title}")
                st.altair_chart(panel.chart, width="stretch", alt=panel.title, key=f"{key}:{panel.title}")
