"""The person in front of a page. Every page and every fragment asks here first; who is not signed in sees nothing else."""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from db.vocabulary import Role
from webapp.annotate.ratings import give_back
from webapp.auth.cookies import SESSION_COOKIE
from webapp.auth.identity import Identity, identify
from webapp.auth.sign_in import sign_out
from webapp.components.words import ROLE_WORDS

_LEFT = "signed_out"
_TO_SIGN_IN = """<script>window.location.replace("/login?next=" + encodeURIComponent(location.pathname + location.search));</script>"""
_GOODBYE = """<script>window.location.replace("/login?out");</script>"""


def signed_in(*roles: Role) -> Identity:
    """The signed-in person, who has one of ``roles`` where any are given. Ends the run where there is none."""
    person = identify(st.context.cookies.get(SESSION_COOKIE))
    if person is None:
        st.html(_GOODBYE if _LEFT in st.session_state else _TO_SIGN_IN, unsafe_allow_javascript=True)
        st.warning("Your sign-in has ended. Sign in again to go on; nothing is lost.", icon=":material/lock:")
        st.link_button("Sign in", "/login", type="primary")
        st.stop()
    if roles and not person.may(*roles):
        refuse(person, *roles)
        st.stop()
    return person


def leave() -> None:
    """Sign out, giving back what the person holds to judge: a button's callback."""
    cookie = st.context.cookies.get(SESSION_COOKIE)
    person = identify(cookie)
    if person is not None:
        give_back(person.user_id)
    sign_out(cookie)
    st.session_state[_LEFT] = True


def refuse(person: Identity, *roles: Role) -> None:
    """Say that a page is not for this person, who it is for, and whom to ask."""
    needed = " or ".join(ROLE_WORDS[role] for role in roles)
    yours = ", ".join(ROLE_WORDS[role] for role in sorted(person.roles)) or "none yet"
    st.title("This page is not for your role")
    st.info(
        f"It needs the role **{needed}**. You are signed in as `{person.email}` with: **{yours}**. "
        "An administrator can change your roles under *People*.",
        icon=":material/lock:",
    )


def reader_zone() -> tzinfo:
    """The time zone of the person's browser; UTC where it does not say."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
