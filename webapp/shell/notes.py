"""Short messages that outlive one rerun: what an action did, or why it could not be done."""

from collections.abc import Generator
from contextlib import contextmanager

import streamlit as st

from db.errors import ParleyError

_NOTES = "notes"


def note(text: str, *, icon: str = ":material/check_circle:") -> None:
    """Show a passing message on the next run."""
    st.session_state.setdefault(_NOTES, []).append(("toast", text, icon))


@contextmanager
def told() -> Generator[None]:
    """Inside a callback: a refusal becomes a message on the page, which stays usable."""
    try:
        yield
    except ParleyError as error:
        st.session_state.setdefault(_NOTES, []).append(("error", str(error), ":material/error:"))


def show_notes() -> None:
    """Show what was noted since the last run."""
    for kind, text, icon in st.session_state.pop(_NOTES, []):
        if kind == "toast":
            st.toast(text, icon=icon)
        else:
            st.error(text, icon=icon)
