"""Beside the list: what was chosen, and how to start negotiating it."""

from collections.abc import Mapping, Sequence
from secrets import token_hex
from uuid import UUID

import streamlit as st

from db.errors import ParleyError
from db.models import Conversation, Ticket
from db.vocabulary import Counterpart, Mode, TicketStatus
from webapp import backend
from webapp.auth.identity import Identity
from webapp.components.empty import empty_html
from webapp.components.facts import chosen_html
from webapp.components.words import COUNTERPART_WORDS, MODE_WORDS
from webapp.shell import places

_LANGUAGES = {"en": "English", "zh": "中文"}


def show_opening(chosen: Sequence[Ticket], latest: Mapping[UUID, Conversation], *, person: Identity) -> None:
    """Draw the panel."""
    if not chosen:
        st.html(
            empty_html("Nothing chosen yet", "Tick one room, or several rooms of the same hotel, to negotiate them in one conversation.")
        )
        return
    running = {conversation.id: conversation for ticket in chosen if (conversation := latest.get(ticket.id)) is not None}
    for conversation in running.values():
        state = "Go on with the conversation" if conversation.closed_at is None else "Read the last conversation"
        places.link(places.NEGOTIATION, state, query={"id": str(conversation.id)})
    problem = _problem(chosen, latest)
    if problem:
        st.info(problem, icon=":material/info:")
    else:
        _start_form(chosen, person)
    st.html("".join(chosen_html(ticket) for ticket in chosen))


def _problem(chosen: Sequence[Ticket], latest: Mapping[UUID, Conversation]) -> str:
    names = sorted({ticket.hotel.name for ticket in chosen})
    if len({ticket.hotel_id for ticket in chosen}) > 1:
        return f"These rooms belong to {len(names)} hotels ({', '.join(names)}). Choose rooms of one hotel: a conversation has one hotel."
    closed = [ticket.reference for ticket in chosen if ticket.status is not TicketStatus.OPEN]
    if closed:
        return f"{', '.join(closed)} {'is' if len(closed) == 1 else 'are'} closed. Choose open tickets to negotiate."
    talking = [t.reference for t in chosen if (last := latest.get(t.id)) is not None and last.closed_at is None]
    if talking:
        return f"{', '.join(talking)} {'is' if len(talking) == 1 else 'are'} being negotiated already: go on there, or close it first."
    return ""


def _start_form(chosen: Sequence[Ticket], person: Identity) -> None:
    with st.form("start", border=True):
        counterpart = st.segmented_control(
            "Who answers",
            [*Counterpart],
            default=Counterpart.HUMAN,
            required=True,
            format_func=COUNTERPART_WORDS.__getitem__,
            help="Real hotel: you paste what it wrote. Practice hotel: a simulated one answers, for training and demos.",
        )
        mode = st.segmented_control(
            "Who sends",
            [*Mode],
            default=Mode.COPILOT,
            required=True,
            format_func=MODE_WORDS.__getitem__,
            help="Copilot: you approve every reply. Autopilot: replies go out by themselves once the checks have passed.",
        )
        language = st.segmented_control("Language", [*_LANGUAGES], default="en", required=True, format_func=_LANGUAGES.__getitem__)
        rooms = "this room" if len(chosen) == 1 else f"these {len(chosen)} rooms"
        pressed = st.form_submit_button(f"Negotiate {rooms}", type="primary", icon=":material/forum:", width="stretch")
    # Made before the click is known, so that a second click carries the same key.
    ids = sorted(ticket.id for ticket in chosen)
    key = st.session_state.setdefault(f"open:{'+'.join(map(str, ids))}", token_hex(8))
    if not pressed:
        return
    try:
        conversation_id = backend.negotiations().open(
            ticket_ids=[ticket.id for ticket in chosen],
            mode=mode,
            counterpart=counterpart,
            actor=person.user_id,
            key=f"web:{person.user_id}:{key}",
            language=language,
        )
    except ParleyError as error:
        st.error(str(error), icon=":material/error:")
        return
    del st.session_state[f"open:{'+'.join(map(str, ids))}"]
    places.go(places.NEGOTIATION, id=str(conversation_id))
