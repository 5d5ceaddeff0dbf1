"""Accounts, for administrators: who there is, who may do what, new people and new passwords. Passwords are shown once."""

from collections.abc import Callable
from uuid import UUID

import pandas as pd
import streamlit as st

from db.errors import ParleyError
from db.models import User
from db.repositories import users
from db.vocabulary import Role
from webapp import database
from webapp.auth import people
from webapp.auth.identity import Identity
from webapp.auth.people import Credentials
from webapp.components.words import ROLE_WORDS
from webapp.shell import places
from webapp.shell.notes import note, told
from webapp.shell.signed_in import signed_in

_TOLD = "credentials"


def show() -> None:
    """Draw the page."""
    person = signed_in(*places.PEOPLE.roles)
    st.html('<div class="p-title"><h1>People</h1><p class="p-sub">Who may come in, and what for.</p></div>')
    _show_credentials()
    with database.sessions().begin() as session:
        everybody = users.list_all(session)
    left, right = st.columns([1.7, 1], gap="medium")
    with left:
        chosen = _table(list(everybody))
    with right:
        if chosen is None:
            _new_person(person)
        else:
            _change(chosen, person)


def _table(everybody: list[User]) -> User | None:
    frame = pd.DataFrame(
        [
            {
                "Name": user.name,
                "E-mail": user.email,
                "Roles": ", ".join(ROLE_WORDS[role] for role in sorted(user.roles)) or "none",
                "": "locked" if user.disabled_at else "",
            }
            for user in everybody
        ]
    )
    selection = st.dataframe(
        frame,
        hide_index=True,
        key="people",
        on_select="rerun",
        selection_mode="single-row",
        row_height=38,
        alt="People; select one to change",
    )
    chosen = [everybody[index] for index in selection["selection"]["rows"] if index < len(everybody)]
    if not chosen:
        st.caption("Select somebody to change roles, set a new password, or lock the account.")
    return chosen[0] if chosen else None


def _new_person(person: Identity) -> None:
    number: int = st.session_state.get("np_number", 0)  # a fresh form after each person
    with st.form(f"new-person:{number}"):
        st.subheader("Add somebody")
        name = st.text_input("Name", key=f"np_name:{number}")
        email = st.text_input("E-mail", key=f"np_email:{number}")
        roles = st.multiselect("Roles", [*Role], default=[Role.BD], format_func=ROLE_WORDS.__getitem__, key=f"np_roles:{number}")
        pressed = st.form_submit_button("Add", type="primary", icon=":material/person_add:")
    if not pressed:
        return
    try:
        with database.sessions().begin() as session:
            made = people.create_person(session, email=email or "", name=name or "", roles=roles, actor=person)
    except ParleyError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.session_state[_TOLD] = made
    st.session_state["np_number"] = number + 1
    st.rerun()


def _change(user: User, person: Identity) -> None:
    with st.form(f"change:{user.id}"):
        st.subheader(user.name)
        st.caption(user.email)
        roles = st.multiselect("Roles", [*Role], default=sorted(user.roles), format_func=ROLE_WORDS.__getitem__, key=f"roles:{user.id}")
        if st.form_submit_button("Save roles", type="primary"):
            with database.sessions().begin() as session:
                people.set_roles(session, user.id, roles, actor=person)
            note(f"{user.name} has the new roles.")
            st.rerun()
    with st.container(horizontal=True):
        st.button("New password", icon=":material/key:", on_click=_act, args=(_reset, user.id, person))
        locked = user.disabled_at is not None
        word, icon = ("Unlock", ":material/lock_open:") if locked else ("Lock out", ":material/lock:")
        st.button(word, icon=icon, on_click=_act, args=(_unlock if locked else _lock, user.id, person))


def _act(act: Callable[[UUID, Identity], None], user_id: UUID, person: Identity) -> None:
    with told():
        act(user_id, person)


def _reset(user_id: UUID, person: Identity) -> None:
    with database.sessions().begin() as session:
        st.session_state[_TOLD] = people.reset_password(session, user_id, actor=person)


def _lock(user_id: UUID, person: Identity) -> None:
    with database.sessions().begin() as session:
        people.set_locked(session, user_id, locked=True, actor=person)


def _unlock(user_id: UUID, person: Identity) -> None:
    with database.sessions().begin() as session:
        people.set_locked(session, user_id, locked=False, actor=person)


def _show_credentials() -> None:
    told: Credentials | None = st.session_state.get(_TOLD)
    if told is None:
        return
    with st.container(border=True):
        st.markdown(f"Give this password to `{told.email}`. It is shown only now.")
        st.code(told.password, language=None)
        st.button("I have passed it on", on_click=lambda: st.session_state.pop(_TOLD, None))
