"""Where everybody starts: on to the page where their work is, or a word to whoever has none yet."""

import streamlit as st

from db.vocabulary import Role
from webapp.components.words import ROLE_WORDS
from webapp.shell import places
from webapp.shell.signed_in import signed_in


def show() -> None:
    """Go on to the tickets, or say what the person's roles open and what to ask for."""
    person = signed_in()
    if person.may(*places.TICKETS.roles):
        places.go(places.TICKETS, **st.query_params.to_dict())
    if Role.ANNOTATOR in person.roles:
        places.go(places.RATE)
    roles = ", ".join(ROLE_WORDS[role] for role in sorted(person.roles))
    st.title(f"Welcome, {person.name}")
    if roles:
        st.info(
            f"You are signed in with the role **{roles}**. Negotiations are open to negotiators (BD): "
            "ask your administrator for that role if you should see tickets and conversations.",
            icon=":material/info:",
        )
    else:
        st.info("You have no role yet. Ask your administrator to give you one; reload this page afterwards.", icon=":material/info:")
