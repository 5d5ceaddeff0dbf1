"""The list of conversations: mine or everybody's, by where they stand."""

from collections.abc import Sequence
from enum import StrEnum

import pandas as pd
import streamlit as st

from db.models import Conversation
from db.repositories import conversations
from db.repositories.conversations import ConversationFilter
from db.vocabulary import Counterpart, Stage, TicketStatus
from webapp import database
from webapp.auth.identity import Identity
from webapp.components.empty import empty_html
from webapp.components.pager import show_place
from webapp.components.words import COUNTERPART_WORDS, MODE_WORDS, STAGE_WORDS, moment, money
from webapp.shell import places
from webapp.shell.signed_in import reader_zone, signed_in

PAGE_SIZE = 25


class Whose(StrEnum):
    """Which people's conversations are listed."""

    MINE = "Mine"
    ALL = "Everybody's"


def show() -> None:
    """Draw the page."""
    person = signed_in(*places.CONVERSATIONS.roles)
    st.html('<div class="p-title"><h1>Conversations</h1><p class="p-sub">Select a row to open it.</p></div>')
    wanted = _filters(person)
    if st.session_state.get("talks_place") != wanted:
        st.session_state["talks_place"] = wanted
        st.session_state["talks_page"] = 0
    page: int = st.session_state.get("talks_page", 0)
    with database.sessions().begin() as session:
        rows = conversations.search(session, wanted, limit=PAGE_SIZE, offset=page * PAGE_SIZE)
        total = len(rows) if page == 0 and len(rows) < PAGE_SIZE else conversations.count(session, wanted)
    if not rows:
        _show_nothing(wanted)
        return
    chosen = _table(rows, key=f"talks:{hash(wanted)}:{page}")
    if chosen is not None:
        places.go(places.NEGOTIATION, id=str(chosen.id))
    show_place("talks_page", "conversations", page=page, size=PAGE_SIZE, shown=len(rows), total=total)


def _filters(person: Identity) -> ConversationFilter:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        text = st.text_input("Search", placeholder="Hotel or city", icon=":material/search:", key="talks_q", width=260)
        whose = st.segmented_control("Whose", [*Whose], default=Whose.MINE, required=True, key="talks_whose")
        stage = st.selectbox(
            "Stage", [None, *Stage], format_func=lambda word: STAGE_WORDS[word] if word else "Any stage", key="talks_stage", width=180
        )
        counterpart = st.selectbox(
            "Who answers",
            [None, *Counterpart],
            format_func=lambda word: COUNTERPART_WORDS[word] if word else "Anyone",
            key="talks_who",
            width=170,
        )
    return ConversationFilter(
        text=text or "",
        user_id=person.user_id if whose is Whose.MINE else None,
        stages=(stage,) if stage else (),
        counterpart=counterpart,
    )


def _table(rows: Sequence[Conversation], *, key: str) -> Conversation | None:
    column = st.column_config.TextColumn
    selection = st.dataframe(
        pd.DataFrame([_row(conversation) for conversation in rows]),
        key=key,
        hide_index=True,
        height=min(36 + 38 * len(rows), 690),
        row_height=38,
        on_select="rerun",
        selection_mode="single-row",
        column_config={"Turns": column(alignment="right", width=70), "Hotel": column(width=215), "Rooms": column(width=220)},
        alt="Conversations; select a row to open it",
    )
    chosen = [rows[index] for index in selection["selection"]["rows"] if index < len(rows)]
    return chosen[0] if chosen else None


def _row(conversation: Conversation) -> dict[str, str]:
    held = [link.ticket for link in conversation.tickets]
    agreed = [money(ticket.agreed_net, ticket.currency) for ticket in held if ticket.status is TicketStatus.AGREED]
    return {
        "Hotel": f"{conversation.hotel.name}, {conversation.hotel.city}",
        "Rooms": ", ".join(ticket.room_type for ticket in held),
        "Stage": STAGE_WORDS[conversation.stage],
        "Turns": str(conversation.turn_count),
        "Agreed net": ", ".join(agreed),
        "Mode": MODE_WORDS[conversation.mode],
        "Who answers": COUNTERPART_WORDS[conversation.counterpart],
        "Last word": moment(conversation.updated_at, zone=reader_zone()),
    }


def _show_nothing(wanted: ConversationFilter) -> None:
    if wanted == ConversationFilter(user_id=wanted.user_id):
        advice = "Choose an open ticket and start to negotiate: it appears here at once."
        st.html(empty_html("No conversations yet", advice))
        with st.container(horizontal=True, horizontal_alignment="center"):
            places.link(places.TICKETS, "Tickets")
    else:
        st.html(empty_html("Nothing fits these filters", "Use fewer words, or choose “Any stage” and “Anyone”."))
