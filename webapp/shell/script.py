"""What Streamlit runs for every visitor: find out who it is, offer the pages of their roles, run the one they are on."""

import streamlit as st

from webapp.shell import places
from webapp.shell.account import show_account
from webapp.shell.notes import show_notes
from webapp.shell.sections import SECTIONS
from webapp.shell.signed_in import signed_in
from webapp.shell.theme import MARK, STYLE


def main() -> None:
    """One run."""
    st.set_page_config(page_title="Parley", page_icon=str(MARK), layout="wide", initial_sidebar_state=210)
    st.html(STYLE)
    st.logo(str(MARK), size="large")
    person = signed_in()
    sections = {heading: [(place, places.page(place, draw, person=person)) for place, draw in pages] for heading, pages in SECTIONS.items()}
    places.register({place.path: page for pages in sections.values() for place, page in pages})
    chosen = st.navigation({heading: [page for _, page in pages] for heading, pages in sections.items()}, expanded=True)
    show_account(person)
    show_notes()
    chosen.run()


main()
