"""What a person sees when something goes wrong: a sentence with the mend, never a traceback.

Streamlit calls ``show_error`` for every exception that leaves a page, a callback or a fragment. What Parley raises on purpose is shown as
it is; anything else gets a reference that finds it in the log.
"""

from secrets import token_hex

import streamlit as st
import structlog

from db.errors import ParleyError

_LOG = structlog.get_logger("parley.web")


def show_error(error: Exception) -> bool:
    """Show an error on the page; True tells Streamlit not to show its own."""
    if isinstance(error, ParleyError):
        _LOG.info("a page could not be shown", reason=str(error))
        st.error(str(error), icon=":material/error:")
        return True
    reference = token_hex(4)
    _LOG.error("a page broke", reference=reference, exc_info=error)
    st.error(
        "Something went wrong on our side. Nothing that was sent is lost: reload the page to go on. "
        f"If it happens again, give your administrator this reference: **{reference}**.",
        icon=":material/error:",
    )
    return True
