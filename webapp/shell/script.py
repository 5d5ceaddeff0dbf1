"""What Streamlit runs for every visitor: find out who it is, offer the pages of their roles, run the one they are on."""

import streamlit as st

from webapp.pages import conversations, home, negotiation, new_ticket, people, ticket_import, tickets
from webapp.shell import places
from webapp.shell.account import show_account
from webapp.shell.notes import show_notes
from webapp.shell.signed_in import signed_in
from webapp.shell.theme import MARK, STYLE

_PAGES = (
    (places.TICKETS, tickets.show),
    (places.CONVERSATIONS, conversations.show),
    (places.NEW_TICKET, new_ticket.show),
    (places.IMPORT, ticket_import.show),
    (places.NEGOTIATION, negotiation.show),
    (places.PEOPLE, people.show),
    (places.HOME, home.show),
)


def main() -> None:
    """One run."""
    st.set_page_config(page_title="Parley", page_icon=str(MARK), layout="wide", initial_sidebar_state=210)
    st.html(STYLE)
    st.logo(str(MARK), size="large")
    person = signed_in()
    pages = {place.path: places.page(place, run, person=person) for place, run in _PAGES}
    places.register(pages)
    chosen = st.navigation(list(pages.values()))
    show_account(person)
    show_notes()
    chosen.run()


main()
