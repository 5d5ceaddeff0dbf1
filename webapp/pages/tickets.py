"""The list of tickets, and the start of a negotiation on the ones that are chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import pandas as pd
import streamlit as st

from agent.domain import selling_from_net
from db.models import Conversation, Ticket
from db.repositories import conversations, hotels, tickets
from db.repositories.tickets import TicketFilter, TicketOrder
from db.vocabulary import TicketStatus
from webapp import database
from webapp.components.empty import empty_html
from webapp.components.facts import gap_percent
from webapp.components.pager import show_place
from webapp.components.words import STATUS_WORDS, money, stay
from webapp.pages.opening import show_opening
from webapp.shell import places
from webapp.shell.signed_in import signed_in

PAGE_SIZE = 25
_ORDER_WORDS = {TicketOrder.NEWEST: "Newest first", TicketOrder.CHECK_IN: "By arrival", TicketOrder.HOTEL: "By hotel"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """One page of the list."""

    rows: Sequence[Ticket]
    total: int
    latest: dict[UUID, Conversation]
    """By ticket: its newest conversation."""


def show() -> None:
    """Draw the page."""
    person = signed_in(*places.TICKETS.roles)
    st.html('<div class="p-title"><h1>Tickets</h1><p class="p-sub">Choose rooms of one hotel, then start to negotiate.</p></div>')
    wanted, order = _filters()
    place = (wanted, order)
    if st.session_state.get("tickets_place") != place:
        st.session_state["tickets_place"] = place
        st.session_state["tickets_page"] = 0
    page: int = st.session_state.get("tickets_page", 0)
    found = _find(wanted, order, page)
    if not found.rows:
        _show_nothing(wanted)
        return
    left, right = st.columns([3.3, 1], gap="medium")
    with left:
        chosen = _table(found, key=f"tickets:{hash(place)}:{page}")
        show_place("tickets_page", "tickets", page=page, size=PAGE_SIZE, shown=len(found.rows), total=found.total)
    with right:
        show_opening(chosen, found.latest, person=person)


def _filters() -> tuple[TicketFilter, TicketOrder]:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        text = st.text_input(
            "Search", placeholder="Hotel, city, room or reference", icon=":material/search:", key="q", bind="query-params", width=250
        )
        hotel_names, cities = _choices()
        status = st.selectbox(
            "Status",
            [None, *TicketStatus],
            index=1,
            format_func=lambda word: STATUS_WORDS[word] if word else "Any status",
            key="ticket_status",
            width=125,
        )
        hotel_id = st.selectbox(
            "Hotel",
            [*hotel_names],
            index=None,
            placeholder="Any hotel",
            format_func=lambda key: hotel_names.get(key, "?"),
            width=190,
            key="ticket_hotel",
        )
        city = st.selectbox("City", cities, index=None, placeholder="Any city", key="ticket_city", width=140)
        order = st.selectbox("Order", [*TicketOrder], format_func=_ORDER_WORDS.__getitem__, key="ticket_order", width=140)
    wanted = TicketFilter(text=text or "", statuses=(status,) if status else (), hotel_id=hotel_id, city=city)
    return wanted, order or TicketOrder.NEWEST


@st.cache_data(ttl=30, show_spinner=False)
def _choices() -> tuple[dict[UUID, str], list[str]]:
    with database.sessions().begin() as session:
        names = {hotel.id: f"{hotel.name}, {hotel.city}" for hotel in hotels.search(session, limit=2_000)}
        return names, list(hotels.list_cities(session))


def _find(wanted: TicketFilter, order: TicketOrder, page: int) -> _Found:
    with database.sessions().begin() as session:
        rows = tickets.search(session, wanted, order=order, limit=PAGE_SIZE, offset=page * PAGE_SIZE)
        short = page == 0 and len(rows) < PAGE_SIZE
        return _Found(
            rows=rows,
            total=len(rows) if short else tickets.count(session, wanted),
            latest=conversations.latest_by_ticket(session, [ticket.id for ticket in rows]),
        )


def _table(found: _Found, *, key: str) -> list[Ticket]:
    frame = pd.DataFrame([_row(ticket, found.latest.get(ticket.id)) for ticket in found.rows])
    column = st.column_config.TextColumn
    selection = st.dataframe(
        frame,
        key=key,
        hide_index=True,
        height=min(36 + 38 * len(found.rows), 690),
        row_height=38,
        on_select="rerun",
        selection_mode="multi-row",
        column_config={
            "Reference": column(width=74),
            "Hotel": column(width=160),
            "Room": column(width=118),
            "Stay": column(width=156),
            "We pay": column(alignment="right", width=80, help="Today's net price"),
            "Gap": column(alignment="right", width=60, help="How far our selling price is above the cheapest one seen elsewhere"),
            "Status": column(width=88),
        },
        alt="Tickets; select rows to negotiate them",
    )
    # Rows of an older list may still be marked for a moment.
    return [found.rows[index] for index in selection["selection"]["rows"] if index < len(found.rows)]


def _row(ticket: Ticket, conversation: Conversation | None) -> dict[str, str]:
    gap = gap_percent(selling_from_net(ticket.current_net, ticket.commission), ticket.competitor_price)
    status = STATUS_WORDS[ticket.status]
    if ticket.status is TicketStatus.OPEN and conversation is not None and conversation.closed_at is None:
        status = "In talks"
    if ticket.agreed_net is not None:
        status = f"{status} {money(ticket.agreed_net, '').strip()}"
    return {
        "Reference": ticket.reference,
        "Hotel": f"{ticket.hotel.name}, {ticket.hotel.city}",
        "Room": ticket.room_type,
        "Stay": stay(ticket.check_in, ticket.check_out),
        "We pay": money(ticket.current_net, ticket.currency),
        "Gap": "" if gap is None else f"{gap:+} %",
        "Status": status,
    }


def _show_nothing(wanted: TicketFilter) -> None:
    if wanted == TicketFilter(statuses=wanted.statuses):
        word = STATUS_WORDS[wanted.statuses[0]].lower() + " " if wanted.statuses else ""
        st.html(empty_html(f"No {word}tickets", "Add a ticket by hand, import a list from a spreadsheet, or choose another status above."))
        with st.container(horizontal=True, horizontal_alignment="center"):
            places.link(places.NEW_TICKET, "New ticket")
            places.link(places.IMPORT, "Import tickets")
    else:
        st.html(empty_html("Nothing fits these filters", "Use fewer words, or clear a filter with the ✕ in its box."))
