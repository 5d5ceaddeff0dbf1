"""What a person can do with a conversation right now: decide on a draft, bring in the hotel's words, speak for us, or let it play.

Every action carries a key made before it is known whether somebody clicks, from what the page shows (the draft's id, the number of turns),
so that a double click, a rerun or a second window does it once.
"""

from collections.abc import Callable, Iterator
from hashlib import sha256
from secrets import token_hex
from uuid import UUID

import streamlit as st

from agent.service.events import TurnEvent
from agent.service.views import ConversationView, DraftView
from db.vocabulary import Counterpart, Mode, Speaker, Stage
from webapp import backend
from webapp.auth.identity import Identity
from webapp.components.stages import stage_chip
from webapp.components.verdicts import highlight, verdict_list
from webapp.desk import Job
from webapp.pages.actions import take_over
from webapp.shell import places

_END_WORDS = {
    Stage.AGREED: "Agreed. The prices on the right are recorded.",
    Stage.DECLINED: "Closed without an agreement.",
    Stage.EXPIRED: "Closed: the hotel did not answer in time.",
    Stage.HANDED_OVER: "Handed over to a colleague.",
}


def carry_on(view: ConversationView) -> Job | None:
    """The job of this conversation, begun if the conversation waits for one: an opening, an answer that was cut short, a play."""
    desk = backend.desk()
    job = desk.job(view.id)
    if job is not None and (not job.progress.is_over or job.progress.error):
        return job
    if view.is_end or view.taken_over_by is not None:
        return job
    if _plays(view) and not desk.paused(view.id):
        return desk.play(view.id)
    autopilot_waits = view.mode is Mode.AUTOPILOT and view.pending is not None
    return desk.resume(view.id) if view.awaits_draft or autopilot_waits else job


def show_while_busy(view: ConversationView) -> None:
    """Under the talk while the desk works."""
    if _plays(view):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Stop", icon=":material/pause:", shortcut="S", on_click=backend.desk().pause, args=(view.id,))
            st.caption("Playing by itself. Stop lets the present reply finish.", width="content")
    else:
        st.caption("You can leave this page: the work goes on, and the draft waits here.")


def show(view: ConversationView, job: Job | None, *, person: Identity) -> None:
    """Under the talk while nothing is being worked on."""
    if job is not None and job.progress.error and not job.progress.refused:
        _show_failure(view, job)
    if view.is_end:
        _show_end(view)
    elif view.taken_over_by is not None:
        _show_own_words(view, person)
        _show_hotel(view, person)
    elif view.pending is not None and view.mode is Mode.COPILOT:
        _show_decision(view, view.pending, job, person)
    elif _plays(view):
        with st.container(horizontal=True, gap="small"):
            st.button("Play on", icon=":material/play_arrow:", type="primary", shortcut="P", on_click=_play, args=(view.id,))
            _take_over_button(view, person)
    elif view.turns and view.turns[-1].speaker is Speaker.BD:
        _show_hotel(view, person)


def _plays(view: ConversationView) -> bool:
    plays = view.mode is Mode.AUTOPILOT and view.counterpart is Counterpart.SIMULATED
    return plays and not view.is_end and view.taken_over_by is None


def _show_failure(view: ConversationView, job: Job) -> None:
    st.error(job.progress.error, icon=":material/error:")
    st.button("Go on", icon=":material/refresh:", on_click=backend.desk().dismiss, args=(view.id,), key="dismiss")


def _show_end(view: ConversationView) -> None:
    with st.container(border=True):
        st.html(f"{stage_chip(view.stage)} {_END_WORDS.get(view.stage, '')}")
        with st.container(horizontal=True):
            places.link(places.TICKETS, "Next ticket")
            places.link(places.CONVERSATIONS, "All conversations")


# -- a draft that waits -------------------------------------------------------------------------------------------------------------------


def _show_decision(view: ConversationView, draft: DraftView, job: Job | None, person: Identity) -> None:
    editing = f"editing:{draft.id}"
    if st.session_state.get(editing) or (job is not None and job.progress.refused):
        _show_edit(view, draft, job, person, editing)
        return
    negotiations = backend.negotiations()
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Send",
            type="primary",
            icon=":material/send:",
            shortcut="Mod+Enter",
            key=f"approve:{draft.id}",
            on_click=_work,
            args=(view, f"approve:{draft.id}", lambda key: negotiations.approve(draft.id, key=key, actor=person.user_id)),
        )
        st.button("Edit", icon=":material/edit:", shortcut="E", key=f"edit:{draft.id}", on_click=_set, args=(editing, True))
        st.button(
            "Write another",
            icon=":material/refresh:",
            shortcut="W",
            key=f"again:{draft.id}",
            on_click=_work,
            args=(view, f"again:{draft.id}", lambda key: negotiations.regenerate(draft.id, key=key, actor=person.user_id)),
        )
        _take_over_button(view, person)


def _show_edit(view: ConversationView, draft: DraftView, job: Job | None, person: Identity, editing: str) -> None:
    refused = job.progress.refused if job is not None else ()
    written = st.session_state.get(f"written:{draft.id}", draft.text)
    if refused:
        st.warning(
            "The checks found something in your words. Change them, or send them as they are under your name.", icon=":material/rule:"
        )
        st.html(f'<div class="p-refused"><div class="p-text">{highlight(written, refused)}</div>{verdict_list(refused, written)}</div>')
    with st.form(f"edit-form:{draft.id}", border=False):
        words = st.text_area("Your wording", value=written, height=170, key=f"words:{draft.id}:{len(refused)}", help="Ctrl+Enter sends")
        with st.container(horizontal=True, gap="small"):
            send = st.form_submit_button("Send edited", type="primary", icon=":material/send:")
            anyway = refused and st.form_submit_button("Send anyway", icon=":material/warning:")
            back = st.form_submit_button("Back to the draft", icon=":material/undo:")
    words = words or ""
    if back:
        _set(editing, False)
        backend.desk().dismiss(view.id)
        st.session_state.pop(f"written:{draft.id}", None)
        st.rerun()
    if send or anyway:
        st.session_state[editing] = True
        st.session_state[f"written:{draft.id}"] = words
        _submit_edit(view, draft, words, person, despite_guard=bool(anyway))
        st.rerun()


def _submit_edit(view: ConversationView, draft: DraftView, words: str, person: Identity, *, despite_guard: bool) -> None:
    negotiations = backend.negotiations()
    desk = backend.desk()
    desk.dismiss(view.id)
    if words == draft.text:
        _work(view, f"approve:{draft.id}", lambda key: negotiations.approve(draft.id, key=key, actor=person.user_id))
        return
    # The same words are the same edit; other words after a refusal are another.
    digest = sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    _work(
        view,
        f"edit:{draft.id}:{digest}:{despite_guard}",
        lambda key: negotiations.edit(draft.id, words, key=key, actor=person.user_id, despite_guard=despite_guard),
    )


# -- the hotel's words, and our own -------------------------------------------------------------------------------------------------------


def _show_hotel(view: ConversationView, person: Identity) -> None:
    turns = len(view.turns)
    if view.counterpart is Counterpart.SIMULATED:
        answered = view.turns and view.turns[-1].speaker is Speaker.HOTEL
        if not answered:
            st.button(
                "Let the hotel answer",
                type="primary",
                icon=":material/reply:",
                shortcut="N",
                on_click=_hear,
                args=(view, f"hear:{view.id}:{turns}", person),
            )
        return
    key = st.session_state.setdefault(f"key:{view.id}:{turns}", token_hex(8))
    with st.form(f"hotel:{turns}", border=False):
        words = st.text_area(
            "What did the hotel say?",
            value=_kept(view),
            height=110,
            key=f"hotel-words:{view.id}:{turns}",
            placeholder="Paste its message here, as it was written …",
            help="Ctrl+Enter adds it",
        )
        with st.container(horizontal=True, gap="small"):
            add = st.form_submit_button(
                "Add and draft a reply" if view.taken_over_by is None else "Add", type="primary", icon=":material/add_comment:"
            )
            silent = st.form_submit_button("No answer", icon=":material/notifications_off:", help="The hotel has not answered: nudge it")
    words = words or ""
    if add and not words.strip():
        st.warning(
            "There is nothing to add yet: paste the hotel's words, or press **No answer** if it stayed silent.", icon=":material/info:"
        )
    elif add or silent:
        said = words if add else ""
        _keep(view, words)
        _work(view, f"receive:{key}", lambda key: backend.negotiations().receive(view.id, said, key=key, actor=person.user_id))
        st.rerun()


def _show_own_words(view: ConversationView, person: Identity) -> None:
    turns = len(view.turns)
    key = st.session_state.setdefault(f"say:{view.id}:{turns}", token_hex(8))
    st.caption("A person speaks for us here: nothing is drafted or sent by the agent any more.")
    with st.form(f"say:{turns}", border=False):
        words = st.text_area(
            "Your message to the hotel", value=_kept(view), height=110, key=f"own-words:{view.id}:{turns}", help="Ctrl+Enter sends"
        )
        sent = st.form_submit_button("Send", type="primary", icon=":material/send:")
    if sent and not (words or "").strip():
        st.warning("Write your message first.", icon=":material/info:")
    elif sent:
        said = words or ""
        _keep(view, said)
        _work(view, f"say:{key}", lambda key: backend.negotiations().say(view.id, said, actor=person.user_id, key=key))
        st.rerun()


def _take_over_button(view: ConversationView, person: Identity) -> None:
    st.button(
        "Take over",
        icon=":material/front_hand:",
        shortcut="T",
        key=f"take:{view.id}",
        help="From here on you write to the hotel yourself",
        on_click=take_over,
        args=(view, person),
    )


def _play(conversation_id: UUID) -> None:
    backend.desk().play(conversation_id)


def _hear(view: ConversationView, key: str, person: Identity) -> None:
    backend.desk().hear(view.id, key=key, actor=person.user_id)


def _work(view: ConversationView, key: str, act: Callable[[str], Iterator[TurnEvent]]) -> None:
    backend.desk().start(view.id, lambda: act(key), key=key)


def _keep(view: ConversationView, words: str) -> None:
    # Streamlit forgets a box while it is not on the page; if the words are refused, they must still be there.
    st.session_state[f"kept:{view.id}"] = (len(view.turns), words)


def _kept(view: ConversationView) -> str:
    turns, words = st.session_state.get(f"kept:{view.id}", (0, ""))
    return words if turns == len(view.turns) else ""


def _set(name: str, value: bool) -> None:
    st.session_state[name] = value
