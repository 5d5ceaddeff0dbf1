"""The rating desk: one component that fills the page and talks to ``webapp.annotate.routes`` by itself.

Streamlit only mounts it. No key and no save runs the script again, which is what makes the next item appear at once.
"""

import streamlit as st
from streamlit.components.v2 import component

from db.vocabulary import Role
from webapp.annotate import assets
from webapp.annotate.guard import CALLER
from webapp.annotate.requests import LONGEST_COMMENT, LONGEST_REASON, LONGEST_REWRITE
from webapp.annotate.words import page_words
from webapp.shell import places
from webapp.shell.signed_in import signed_in

# The modules' address comes with the data; a module inside a blob has no address of its own to start from.
_MOUNT = """
export default async function mount(component) {
  const { open } = await import(window.location.origin + component.data.modules + "/desk.js");
  return open(component.parentElement, component.data);
}
"""
# The desk fills the window: Streamlit's margins are made for reports.
_ROOM = """<style>
[data-testid="stMainBlockContainer"] { padding: .7rem 1.1rem 0 !important; max-width: none !important; }
[data-testid="stMainBlockContainer"] > div { gap: 0 !important; }
[data-testid="stMain"] { overflow: hidden; }
[data-testid="stApp"]:has([data-testid="stSidebar"][aria-expanded="false"]) { --desk-start: 5.4rem; }
[data-testid="stHeader"] { pointer-events: none; }
[data-testid="stHeader"] button { pointer-events: auto; }
</style>"""

_DESK = component("parley_rating_desk", html="<div class='root'></div>", css=assets.style(), js=_MOUNT)


def show() -> None:
    """Draw the page."""
    person = signed_in(*places.RATE.roles)
    st.html(_ROOM)
    _DESK(
        key="desk",
        data={
            "modules": assets.address(),
            "person": str(person.user_id),
            "caller": CALLER,
            "decides": person.may(Role.OPS),
            "words": page_words(),
            "longest": {"comment": LONGEST_COMMENT, "rewrite": LONGEST_REWRITE, "reason": LONGEST_REASON},
        },
    )
