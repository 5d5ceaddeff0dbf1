"""A draft that waits for a person: send it, change it, have another written, or take over.

Every action carries a key made from what the page showed (the draft's id, the words), so that a double click, a rerun or a second window
does it once.
"""

from hashlib import sha256

import streamlit as st

from agent.service.views import ConversationView, DraftView
from webapp import backend
from webapp.auth.identity import Identity
from webapp.components.verdicts import highlight, verdict_list
from webapp.desk import Job
from webapp.pages.actions import take_over


def is_editing(draft: DraftView, job: Job | None) -> bool:
    """Whether the person is changing this draft, or was refused a change of it."""
    return bool(st.session_state.get(f"editing:{draft.id}")) or (job is not None and bool(job.progress.refused))


def show(view: ConversationView, draft: DraftView, job: Job | None, person: Identity) -> None:
    """The buttons, or the box to change the draft in."""
    if is_editing(draft, job):
        _show_edit(view, draft, job, person)
        return
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Send",
            type="primary",
            icon=":material/send:",
            shortcut="Mod+Enter",
            key=f"approve:{draft.id}",
            on_click=_approve,
            args=(view, draft, person),
        )
        st.button("Edit", icon=":material/edit:", shortcut="E", key=f"edit:{draft.id}", on_click=_edit, args=(draft,))
        st.button(
            "Write another",
            icon=":material/refresh:",
            shortcut="W",
            key=f"again:{draft.id}",
            on_click=_regenerate,
            args=(view, draft, person),
        )
        show_take_over(view, person)


def show_take_over(view: ConversationView, person: Identity) -> None:
    """The button that lets the person speak from here on."""
    st.button(
        "Take over",
        icon=":material/front_hand:",
        shortcut="T",
        key=f"take:{view.id}",
        help="From here on you write to the hotel yourself",
        on_click=take_over,
        args=(view, person),
    )


def _show_edit(view: ConversationView, draft: DraftView, job: Job | None, person: Identity) -> None:
    refused = job.progress.refused if job is not None else ()
    written: str = st.session_state.get(f"written:{draft.id}", draft.text)
    if refused:
        st.warning(
            "The checks found something in your words. Change them, or send them as they are, under your name.", icon=":material/rule:"
        )
        st.html(f'<div class="p-text">{highlight(written, refused)}</div>{verdict_list(refused, written)}')
    box = f"words:{draft.id}:{len(refused)}"
    with st.form(f"edit-form:{draft.id}", border=False):
        st.text_area("Your wording", value=written, height=150, key=box, help="Ctrl+Enter sends")
        with st.container(horizontal=True, gap="small"):
            st.form_submit_button(
                "Send edited", type="primary", icon=":material/send:", on_click=_submit, args=(view, draft, box, person, False)
            )
            if refused:
                st.form_submit_button("Send anyway", icon=":material/warning:", on_click=_submit, args=(view, draft, box, person, True))
            st.form_submit_button("Back to the draft", icon=":material/undo:", on_click=_give_up, args=(view, draft))


def _approve(view: ConversationView, draft: DraftView, person: Identity) -> None:
    key = f"approve:{draft.id}"
    backend.desk().start(view.id, lambda: backend.negotiations().approve(draft.id, key=key, actor=person.user_id), key=key)


def _regenerate(view: ConversationView, draft: DraftView, person: Identity) -> None:
    key = f"again:{draft.id}"
    backend.desk().start(view.id, lambda: backend.negotiations().regenerate(draft.id, key=key, actor=person.user_id), key=key)


def _submit(view: ConversationView, draft: DraftView, box: str, person: Identity, despite_guard: bool) -> None:
    words: str = st.session_state.get(box) or ""
    st.session_state[f"editing:{draft.id}"] = True
    st.session_state[f"written:{draft.id}"] = words
    backend.desk().dismiss(view.id)
    if words == draft.text:
        _approve(view, draft, person)
        return
    # The same words are the same edit; other words after a refusal are another.
    digest = sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    key = f"edit:{draft.id}:{digest}"
    backend.desk().start(
        view.id,
        lambda: backend.negotiations().edit(draft.id, words, key=key, actor=person.user_id, despite_guard=despite_guard),
        key=key,
    )


def _edit(draft: DraftView) -> None:
    st.session_state[f"editing:{draft.id}"] = True


def _give_up(view: ConversationView, draft: DraftView) -> None:
    backend.desk().dismiss(view.id)
    for name in (f"editing:{draft.id}", f"written:{draft.id}"):
        st.session_state.pop(name, None)
