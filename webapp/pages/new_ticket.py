"""A new ticket by hand. What is wrong is said beside the form, field by field, and nothing that was typed is lost."""

from datetime import date, timedelta
from typing import Any

import streamlit as st
from pydantic import ValidationError
from streamlit.delta_generator import DeltaGenerator

from agent.service.intake import TicketForm, create_ticket
from db.errors import ParleyError
from db.vocabulary import ConcessionTactic
from webapp import database
from webapp.auth.identity import Identity
from webapp.shell import places
from webapp.shell.notes import note
from webapp.shell.signed_in import signed_in

_FIELD_WORDS = {
    "reference": "Reference",
    "hotel": "Hotel",
    "city": "City",
    "country": "Country",
    "room_type": "Room type",
    "check_in": "First night",
    "check_out": "Last morning",
    "currency": "Currency",
    "current_net": "Net price today",
    "commission": "Our commission",
    "target": "Target",
    "ceiling": "Never above",
    "opening_ask": "First ask",
    "competitor_price": "Cheapest price elsewhere",
    "competitor_source": "Where it was seen",
    "competitor_seen_on": "Seen on",
    "rooms": "Rooms",
    "max_rounds": "Most rounds",
    "evidence": "What we may quote",
}
_TACTIC_WORDS = {
    ConcessionTactic.BOULWARE: "Hold firm, give late",
    ConcessionTactic.LINEAR: "Give evenly",
    ConcessionTactic.CONCEDER: "Give early",
}
_YES_NO: dict[str, bool | None] = {"Not said": None, "Yes": True, "No": False}


def show() -> None:
    """Draw the page."""
    person = signed_in(*places.NEW_TICKET.roles)
    st.html('<div class="p-title"><h1>New ticket</h1><p class="p-sub">One room of one hotel whose price should come down.</p></div>')
    with st.form("new-ticket", border=False, enter_to_submit=False):
        fields = _public_fields() | _price_fields()
        problems = st.empty()
        pressed = st.form_submit_button("Create ticket", type="primary", icon=":material/add:")
    if pressed:
        _submit(fields, person, problems)


def _public_fields() -> dict[str, Any]:
    fields: dict[str, Any] = {}
    with st.container(border=True):
        st.subheader("Hotel and stay")
        first, second, third = st.columns(3)
        fields["hotel"] = first.text_input("Hotel *", key="nt_hotel", placeholder="Hotel Aurora")
        fields["city"] = second.text_input("City *", key="nt_city", placeholder="Lisbon")
        fields["country"] = third.text_input("Country *", key="nt_country", placeholder="Portugal")
        first, second, third, fourth = st.columns([2, 1, 1, 1])
        fields["room_type"] = first.text_input("Room type *", key="nt_room", placeholder="Deluxe Double")
        arrival = date.today() + timedelta(days=30)
        fields["check_in"] = second.date_input("First night *", value=arrival, key="nt_in", format="YYYY-MM-DD")
        fields["check_out"] = third.date_input("Last morning *", value=arrival + timedelta(days=28), key="nt_out", format="YYYY-MM-DD")
        fields["rooms"] = fourth.number_input("Rooms", min_value=1, max_value=1000, value=1, key="nt_rooms")
        first, second, third = st.columns([2, 1, 1])
        fields["reference"] = first.text_input(
            "Reference *", key="nt_ref", placeholder="PC-2041", help="The number that your team knows it by"
        )
        fields["breakfast"] = _YES_NO[second.selectbox("Breakfast included", [*_YES_NO], key="nt_breakfast") or "Not said"]
        fields["tax_included"] = _YES_NO[third.selectbox("Tax included", [*_YES_NO], key="nt_tax") or "Not said"]
    return fields


def _price_fields() -> dict[str, Any]:
    fields: dict[str, Any] = {}
    left, right = st.columns(2)
    with left, st.container(border=True):
        st.subheader("What everybody may know")
        first, second, third = st.columns([1, 1.3, 1.2])
        fields["currency"] = (first.text_input("Currency *", value="EUR", max_chars=3, key="nt_currency") or "").upper()
        fields["current_net"] = second.text_input("Net price today *", key="nt_net", placeholder="128.00")
        fields["commission"] = third.text_input("Our commission *", value="15%", key="nt_commission")
        first, second, third = st.columns([1.1, 1.2, 1])
        fields["competitor_price"] = first.text_input(
            "Cheapest elsewhere", key="nt_comp", placeholder="139.00", help="The selling price seen"
        )
        fields["competitor_source"] = second.text_input("Where it was seen", key="nt_source", placeholder="Name of the site")
        fields["competitor_seen_on"] = third.date_input("Seen on", value=None, key="nt_seen", format="YYYY-MM-DD")
        lines = st.text_area("What we may quote, one true sentence a line", key="nt_evidence", height=90)
        fields["evidence"] = tuple(line.strip() for line in (lines or "").splitlines() if line.strip())
    with right, st.container(border=True):
        st.subheader("Our limits · the hotel never sees them")
        first, second, third = st.columns(3)
        fields["opening_ask"] = first.text_input(
            "First ask", key="nt_opening", placeholder="3 % below target", help="Net. The first price we ask for"
        )
        fields["target"] = second.text_input(
            "Target *", key="nt_target", placeholder="112.00", help="Net. At or below it we accept at once"
        )
        fields["ceiling"] = third.text_input(
            "Never above *", key="nt_ceiling", placeholder="119.00", help="Net. The highest price that still counts"
        )
        first, second = st.columns([2, 1])
        fields["tactic"] = first.selectbox("How we give way", [*_TACTIC_WORDS], format_func=_TACTIC_WORDS.__getitem__, key="nt_tactic")
        fields["max_rounds"] = second.number_input("Most rounds", min_value=1, max_value=20, value=6, key="nt_rounds")
        st.caption("We begin with the first ask and give way towards “never above” over the rounds.")
    return fields


def _submit(fields: dict[str, Any], person: Identity, problems: DeltaGenerator) -> None:
    try:
        form = TicketForm.model_validate(fields)
    except ValidationError as error:
        problems.error("\n".join(["**Please mend this first:**", *(f"- {line}" for line in problem_lines(error))]), icon=":material/error:")
        return
    try:
        with database.sessions().begin() as session:
            create_ticket(session, form, actor=person.user_id)
    except ParleyError as error:
        problems.error(str(error), icon=":material/error:")
        return
    for name in [name for name in st.session_state if str(name).startswith("nt_")]:
        del st.session_state[name]
    note(f"{form.reference} is in the list. Choose it to negotiate.")
    places.go(places.TICKETS)


def problem_lines(error: ValidationError) -> list[str]:
    """What is wrong, a line a field, in the form's own words."""
    lines: list[str] = []
    for detail in error.errors(include_url=False):
        field = str(detail["loc"][0]) if detail["loc"] else ""
        value = str(detail["input"]).strip() if field and detail["input"] is not None else ""
        said = detail["msg"].removeprefix("Value error, ")
        message = "is needed" if field and not value else said
        lines.append(
            f"**{_FIELD_WORDS.get(field, field)}**: {message}" + (f" (it says “{value[:40]}”)" if value else "")
            if field
            else _spelled(said)
        )
    return lines


def _spelled(message: str) -> str:
    for name, words in _FIELD_WORDS.items():
        message = message.replace(name, f"“{words}”")
    return message[:1].upper() + message[1:]
