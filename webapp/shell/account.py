"""The corner of every page: who is signed in, a new password, and the way out."""

import streamlit as st

from db.errors import ParleyError
from webapp import database
from webapp.auth import people
from webapp.auth.identity import Identity
from webapp.components.people import who_html
from webapp.shell.signed_in import leave, signed_in


def show_account(person: Identity) -> None:
    """Draw it in the sidebar."""
    with st.sidebar:
        st.html(who_html(person.name, person.email, person.roles))
        with st.container(gap=None):
            change = st.button("Password", icon=":material/key:", type="tertiary")
            st.button("Sign out", icon=":material/logout:", type="tertiary", on_click=leave)
    if change:
        _change_password()


@st.dialog("New password")
def _change_password() -> None:
    person = signed_in()
    with st.form("new-password", border=False):
        st.caption("Ten characters or more; a few unrelated words are good. You sign in again with it afterwards, on every device.")
        present = st.text_input("Present password", type="password", autocomplete="current-password")
        wanted = st.text_input("New password", type="password", autocomplete="new-password")
        repeated = st.text_input("New password again", type="password", autocomplete="new-password")
        pressed = st.form_submit_button("Change it", type="primary", width="stretch")
    if not pressed:
        return
    if wanted != repeated:
        st.warning("The two new passwords differ: type the same one twice.", icon=":material/info:")
        return
    try:
        with database.sessions().begin() as session:
            people.change_own_password(session, present=present or "", wanted=wanted or "", actor=person)
    except ParleyError as error:
        st.error(str(error), icon=":material/error:")
        return
    leave()
    st.rerun()
