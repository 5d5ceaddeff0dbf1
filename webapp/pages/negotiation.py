"""One negotiation: the talk, the draft that waits, what may be done next, and the tickets it is about.

The conversation's id stands in the address, so a reload or a shared link comes back to the same place. While the desk works on it, the
page follows the job's events; everything it shows besides comes from one ``view``.
"""

from html import escape
from uuid import UUID

import streamlit as st

from agent.service.views import ConversationView
from db.repositories import tickets
from webapp import backend, database
from webapp.auth.identity import Identity
from webapp.components.empty import empty_html
from webapp.components.facts import Limits, progress_html
from webapp.components.stages import allowed_html, stage_path
from webapp.components.words import COUNTERPART_WORDS, MODE_WORDS
from webapp.pages import actions, composer
from webapp.pages.talk import show_talk
from webapp.shell import places
from webapp.shell.signed_in import signed_in


def show() -> None:
    """Draw the page."""
    person = signed_in(*places.NEGOTIATION.roles)
    conversation_id = _wanted()
    if conversation_id is None:
        st.html(empty_html("No conversation chosen", "Open one from the list, or start one on a ticket."))
        with st.container(horizontal=True, horizontal_alignment="center"):
            places.link(places.CONVERSATIONS, "Conversations")
            places.link(places.TICKETS, "Tickets")
        return
    # Asked before the conversation is read: work that ends in between has changed what was read, and is followed to its end instead.
    seen = backend.desk().finished(conversation_id)
    view = backend.negotiations().view(conversation_id)
    job = composer.carry_on(view)
    _header(view, person)
    left, right = st.columns([1.75, 1], gap="medium")
    with right:
        _tickets(view)
    with left:
        show_talk(view, job, seen=seen, person=person)


def _wanted() -> UUID | None:
    text = st.query_params.get("id", "")
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        st.error(f"“{text[:60]}” in the address is not the id of a conversation. Open it from the list.", icon=":material/error:")
        return None


def _header(view: ConversationView, person: Identity) -> None:
    top, more = st.columns([4, 1], vertical_alignment="center")
    with top:
        st.html(_title_html(view))
    with more, st.container(horizontal=True, horizontal_alignment="right"):
        actions.show_menu(view, person=person)


def _title_html(view: ConversationView) -> str:
    kind = f"{escape(view.city)} · {MODE_WORDS[view.mode]} · {COUNTERPART_WORDS[view.counterpart]}"
    return f'<div class="p-title"><h1>{escape(view.hotel_name)}</h1><p class="p-sub">{kind}</p></div>{stage_path(view.stage)}'


@st.fragment
def _tickets(view: ConversationView) -> None:
    """The right side. A fragment, so that looking at the limits does not disturb the talk."""
    signed_in(*places.NEGOTIATION.roles)
    if not view.is_end:
        move = view.pending.allowed if view.pending else ()
        st.html(f'<p class="p-sub">{escape(view.brief)}</p>' + allowed_html(move, several=len(view.tickets) > 1))
    shown = st.toggle(
        "Show our limits", key=f"limits:{view.id}", help="Our own prices for you alone; they never reach the hotel or the model"
    )
    limits = _limits(view) if shown else {}
    several = len(view.tickets) > 1
    st.html("".join(progress_html(ticket, limits=limits.get(ticket.ticket_id), several=several) for ticket in view.tickets))


def _limits(view: ConversationView) -> dict[UUID, Limits]:
    with database.sessions().begin() as session:
        rows = [tickets.get_with_hotel(session, ticket.ticket_id) for ticket in view.tickets]
    return {row.id: Limits(opening_ask=row.opening_ask, target=row.target, ceiling=row.ceiling) for row in rows}
