"""Under the talk: what can be done with the conversation now. The parts stand in ``deciding`` and ``speaking``; here is which one it is."""

from uuid import UUID

import streamlit as st

from agent.service.views import ConversationView
from db.vocabulary import Counterpart, Mode, Speaker, Stage
from webapp import backend
from webapp.auth.identity import Identity
from webapp.components.stages import stage_chip
from webapp.desk import Job
from webapp.pages import deciding, speaking
from webapp.shell import places

_END_WORDS = {
    Stage.AGREED: "The agreed prices stand on the right.",
    Stage.DECLINED: "Closed without an agreement.",
    Stage.EXPIRED: "Closed: the hotel did not answer in time.",
    Stage.HANDED_OVER: "A colleague goes on with this hotel.",
}


def carry_on(view: ConversationView) -> Job | None:
    """The job of this conversation, begun if the conversation waits for one: an opening, an answer that was cut short, a play."""
    desk = backend.desk()
    job = desk.job(view.id)
    if job is not None and (not job.progress.is_over or job.progress.error):
        return job
    if view.is_end or view.taken_over_by is not None:
        return job
    # Once for each place in the talk: work that changed nothing is not begun again by the page, only by a person or a reload.
    place = (len(view.turns), view.pending.id if view.pending else None)
    if st.session_state.get(_carried(view.id)) == place:
        return job
    by_itself = plays(view) and not desk.paused(view.id)
    autopilot_waits = view.mode is Mode.AUTOPILOT and view.pending is not None
    if not (by_itself or view.awaits_draft or autopilot_waits):
        return job
    st.session_state[_carried(view.id)] = place
    return desk.play(view.id) if by_itself else desk.resume(view.id)


def plays(view: ConversationView) -> bool:
    """Whether the agent and a simulated hotel talk by themselves here."""
    by_itself = view.mode is Mode.AUTOPILOT and view.counterpart is Counterpart.SIMULATED
    return by_itself and not view.is_end and view.taken_over_by is None


def show_while_busy(view: ConversationView) -> None:
    """While the desk works."""
    if plays(view):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Stop", icon=":material/pause:", shortcut="S", on_click=backend.desk().pause, args=(view.id,))
            st.caption("Playing by itself. Stop lets the present reply finish.", width="content")
    else:
        st.caption("You can leave this page: the work goes on, and the draft waits here.")


def show(view: ConversationView, job: Job | None, *, person: Identity) -> None:
    """While nothing is being worked on."""
    failed = job is not None and bool(job.progress.error)
    if job is not None and failed and not job.progress.refused:
        st.error(job.progress.error, icon=":material/error:")
    if view.is_end:
        _show_end(view)
    elif view.taken_over_by is not None:
        speaking.show_own_words(view, person)
        speaking.show_hotel(view, person)
    elif view.pending is not None and view.mode is Mode.COPILOT:
        if view.stage is Stage.ESCALATED:
            st.info("This needs a person: take the conversation over after this reply, or now.", icon=":material/front_hand:")
        deciding.show(view, view.pending, job, person)
    elif plays(view):
        _show_play(view, person)
    elif view.turns and view.turns[-1].speaker is Speaker.BD:
        speaking.show_hotel(view, person)
    else:
        st.button("Try again", icon=":material/refresh:", type="primary", on_click=_try_again, args=(view.id,))


def _show_play(view: ConversationView, person: Identity) -> None:
    with st.container(horizontal=True, gap="small"):
        st.button("Play on", icon=":material/play_arrow:", type="primary", shortcut="P", on_click=_play, args=(view.id,))
        deciding.show_take_over(view, person)


def _show_end(view: ConversationView) -> None:
    with st.container(border=True):
        st.html(f"{stage_chip(view.stage)} {_END_WORDS.get(view.stage, '')}")
        with st.container(horizontal=True):
            places.link(places.TICKETS, "Next ticket")
            places.link(places.CONVERSATIONS, "All conversations")


def _play(conversation_id: UUID) -> None:
    backend.desk().play(conversation_id)


def _try_again(conversation_id: UUID) -> None:
    st.session_state.pop(_carried(conversation_id), None)
    backend.desk().dismiss(conversation_id)


def _carried(conversation_id: UUID) -> str:
    return f"carried:{conversation_id}"
