"""One retrain: its chain of steps, its training as it goes, the gate's verdict, and what people may still decide about it."""

from collections.abc import Sequence
from html import escape
from uuid import UUID

import streamlit as st

from db.errors import ParleyError
from db.models import Retrain, RetrainStepRow
from db.repositories import retrains
from db.vocabulary import RetrainState
from training.jobs import requests
from webapp import database, workers
from webapp.auth.identity import Identity
from webapp.components.retrain_views import asked_words, gain_chart, passed, retrain_words, state_chip, steps_html, verdict_html
from webapp.components.run_words import duration
from webapp.components.words import moment
from webapp.pages.run_view import show_run
from webapp.shell import places
from webapp.shell.notes import note, told
from webapp.shell.signed_in import reader_zone, signed_in

_EVERY = "5s"


def show() -> None:
    """Draw the page."""
    person = signed_in(*places.RETRAIN.roles)
    retrain_id = _asked_for()
    if retrain_id is None:
        st.info("Choose a retrain from the list.", icon=":material/info:")
        places.link(places.TRAINING, "All training")
        return
    retrain, _ = _read(retrain_id)
    st.html(f'<div class="p-title"><h1>Retrain: {escape(retrain_words(retrain))}</h1></div>')
    with st.container(horizontal=True, vertical_alignment="center"):
        places.link(places.TRAINING, "All training", icon=":material/arrow_back:")
        _decide(retrain, person)
    going_on = not retrain.state.is_end
    follow = st.fragment(_follow, run_every=_EVERY if going_on else None)
    follow(retrain_id, state=retrain.state)
    with st.expander("What was asked for"):
        st.json(retrain.plan, expanded=1)
        st.caption(f"Retrain `{retrain.id}` · files in `{retrain.folder}`" + (f" · log `{retrain.log_path}`" if retrain.log_path else ""))


def _follow(retrain_id: UUID, *, state: RetrainState) -> None:
    person = signed_in(*places.RETRAIN.roles)
    zone = reader_zone()
    retrain, steps = _read(retrain_id)
    asked = f'<span class="p-sub">{escape(asked_words(retrain, zone))}</span>'
    took = duration(retrain.started_at, retrain.ended_at)
    ending = ' <span class="p-chip p-warn">is being cancelled</span>' if retrain.cancel_asked_at and not retrain.state.is_end else ""
    st.html(f'<div class="p-title">{state_chip(retrain.state)}{ending}{asked}<span class="p-sub">{took}</span></div>')
    if retrain.error:
        st.error(retrain.error, icon=":material/error:")
    left, right = st.columns([1, 1], gap="large")
    with left:
        st.html(steps_html(steps))
    with right:
        _show_verdict(retrain)
        if retrain.state is RetrainState.REJECTED:
            _offer_override(retrain, person)
    if retrain.training_run is not None:
        st.subheader("Training of the policy")
        show_run(retrain.training_run, zone)
        places.link(places.RUN, "Open the training run", query={"id": str(retrain.training_run.id)}, icon=":material/show_chart:")
    if retrain.state is not state:
        st.rerun()


def _show_verdict(retrain: Retrain) -> None:
    if retrain.verdict is None:
        st.caption("The gate has not judged it yet: it measures the new version against the live one, then decides.")
        return
    word = '<span class="p-chip p-good">passed</span>' if passed(retrain.verdict) else '<span class="p-chip p-bad">rejected</span>'
    st.html(f'<div class="p-title"><h3>The gate</h3>{word}<span class="p-sub">simulated hotels and raters</span></div>')
    chart = gain_chart(retrain.verdict)
    if chart is not None:
        st.altair_chart(chart, width="stretch", alt="Gain in stars over the live version, with its 95 % interval")
    st.html(verdict_html(retrain.verdict))
    if retrain.override_reason and retrain.override_at is not None:
        who = retrain.overrider.name if retrain.overrider is not None else "Parley"
        st.warning(
            f"{who} let it go on all the same, {moment(retrain.override_at, zone=reader_zone())}: “{retrain.override_reason}”",
            icon=":material/gavel:",
        )


# -- what people decide -----------------------------------------------------------------------------------------------------------------


def _decide(retrain: Retrain, person: Identity) -> None:
    if retrain.state in (RetrainState.QUEUED, RetrainState.RUNNING):
        st.button(
            "Cancel it",
            icon=":material/cancel:",
            disabled=retrain.cancel_asked_at is not None,
            on_click=_cancel,
            args=(retrain.id, person),
            help="What has been trained so far is kept; the version that is live stays live.",
        )
    elif retrain.state in (RetrainState.FAILED, RetrainState.CANCELLED):
        st.button(
            "Begin again",
            icon=":material/replay:",
            on_click=_begin_again,
            args=(retrain.id, person),
            help="It goes on after the last step that is whole, with a fresh budget.",
        )
    elif retrain.state in (RetrainState.CANARY, RetrainState.LIVE, RetrainState.ROLLED_BACK):
        places.link(places.VERSIONS, "Go to its version", query={"id": str(retrain.candidate_id)})


def _offer_override(retrain: Retrain, person: Identity) -> None:
    with st.expander("Let it go on all the same"), st.form(f"override:{retrain.id}", border=False, enter_to_submit=False):
        st.caption("The version is published although the gate refused it. Your reason is written into the audit trail.")
        reason = st.text_area("Reason", max_chars=requests.MOST_REASON_CHARS, height=80, key=f"override:{retrain.id}:reason")
        pressed = st.form_submit_button("Override the gate", icon=":material/gavel:")
    if not pressed:
        return
    try:
        with database.sessions().begin() as session:
            requests.override_gate(session, retrain.id, actor=person.user_id, reason=reason or "")
    except ParleyError as error:
        st.error(str(error), icon=":material/error:")
        return
    workers.wake([retrain.id])
    note("It goes on: the version will be published.")
    st.rerun()


def _cancel(retrain_id: UUID, person: Identity) -> None:
    with told():
        with database.sessions().begin() as session:
            requests.cancel(session, retrain_id, actor=person.user_id)
        note("It ends as soon as its step lets it.")


def _begin_again(retrain_id: UUID, person: Identity) -> None:
    with told():
        with database.sessions().begin() as session:
            requests.begin_again(session, retrain_id, actor=person.user_id)
        workers.wake([retrain_id])
        note("It waits for a worker again.")


def _read(retrain_id: UUID) -> tuple[Retrain, Sequence[RetrainStepRow]]:
    with database.sessions().begin() as session:
        return retrains.get_with_people(session, retrain_id), retrains.steps(session, retrain_id)


def _asked_for() -> UUID | None:
    try:
        return UUID(st.query_params.get("id", ""))
    except ValueError:
        return None
