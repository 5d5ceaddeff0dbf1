"""Words that a person brings in: what the hotel said, its silence, and our own message after a take-over.

The key of a message is made when its box is drawn, one for each place in the transcript: sending twice adds it once.
"""

from secrets import token_hex

import streamlit as st

from agent.service.views import ConversationView
from db.vocabulary import Counterpart, Speaker
from webapp import backend
from webapp.auth.identity import Identity
from webapp.desk import Work

_NOTHING = "nothing_written"


def show_hotel(view: ConversationView, person: Identity) -> None:
    """Where the hotel's words come from: a box to paste them, or a button that lets the practice hotel answer."""
    if view.counterpart is Counterpart.SIMULATED:
        if view.turns and view.turns[-1].speaker is Speaker.BD:
            st.button(
                "Let the hotel answer",
                type="primary",
                icon=":material/reply:",
                shortcut="N",
                on_click=_hear,
                args=(view, person),
            )
        return
    box = f"hotel-words:{view.id}:{len(view.turns)}"
    drafts = view.taken_over_by is None
    with st.form(box, border=False):
        st.text_area(
            "What did the hotel say?",
            value=_kept(box),
            height=100,
            key=f"{box}:text",
            placeholder="Paste its message here, as it was written …",
            help="Ctrl+Enter adds it",
        )
        with st.container(horizontal=True, gap="small"):
            st.form_submit_button(
                "Add and draft a reply" if drafts else "Add",
                type="primary",
                icon=":material/add_comment:",
                on_click=_receive,
                args=(view, box, _key(box), person),
            )
            st.form_submit_button(
                "No answer",
                icon=":material/notifications_off:",
                help="The hotel has stayed silent",
                on_click=_receive_silence,
                args=(view, _key(box), person),
            )
    if st.session_state.pop(_NOTHING, None) == box:
        st.warning(
            "There is nothing to add yet: paste the hotel's words, or press **No answer** if it stayed silent.", icon=":material/info:"
        )


def show_own_words(view: ConversationView, person: Identity) -> None:
    """A box for our own message, after a take-over."""
    box = f"own-words:{view.id}:{len(view.turns)}"
    with st.form(box, border=False):
        st.text_area(
            "Your message to the hotel",
            value=_kept(box),
            height=100,
            key=f"{box}:text",
            help="Ctrl+Enter sends. A person speaks for us here: the agent drafts and sends nothing any more.",
        )
        st.form_submit_button("Send", type="primary", icon=":material/send:", on_click=_say, args=(view, box, _key(box), person))
    if st.session_state.pop(_NOTHING, None) == box:
        st.warning("Write your message first.", icon=":material/info:")


def _receive(view: ConversationView, box: str, key: str, person: Identity) -> None:
    words = _written(box)
    if words is not None:
        _begin(view, lambda: backend.negotiations().receive(view.id, words, key=key, actor=person.user_id), key)


def _receive_silence(view: ConversationView, key: str, person: Identity) -> None:
    _begin(view, lambda: backend.negotiations().receive(view.id, "", key=key, actor=person.user_id), key)


def _say(view: ConversationView, box: str, key: str, person: Identity) -> None:
    words = _written(box)
    if words is not None:
        _begin(view, lambda: backend.negotiations().say(view.id, words, actor=person.user_id, key=key), key)


def _hear(view: ConversationView, person: Identity) -> None:
    backend.desk().hear(view.id, key=f"hear:{view.id}:{len(view.turns)}", actor=person.user_id)


def _begin(view: ConversationView, work: Work, key: str) -> None:
    desk = backend.desk()
    desk.dismiss(view.id)
    desk.start(view.id, work, key=key)


def _written(box: str) -> str | None:
    words: str = st.session_state.get(f"{box}:text") or ""
    if not words.strip():
        st.session_state[_NOTHING] = box
        return None
    # Streamlit forgets a box while it is not on the page; if the words are refused, they must still be there.
    st.session_state[f"{box}:kept"] = words
    return words


def _kept(box: str) -> str:
    return str(st.session_state.get(f"{box}:kept", ""))


def _key(box: str) -> str:
    key: str = st.session_state.setdefault(f"{box}:key", token_hex(12))
    return key
