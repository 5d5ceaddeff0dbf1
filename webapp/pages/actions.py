"""What can be done with a conversation at any time: take it over, close it by hand, save its transcript."""

from collections.abc import Callable
from decimal import Decimal

import streamlit as st

from agent.domain import plain
from agent.service.transcript import to_json_text, to_markdown
from agent.service.views import ConversationView
from db.errors import ParleyError
from db.vocabulary import TicketStatus
from webapp import backend
from webapp.auth.identity import Identity
from webapp.components.words import STATUS_WORDS
from webapp.shell import places
from webapp.shell.notes import note, told
from webapp.shell.signed_in import signed_in

_OUTCOMES = (TicketStatus.DECLINED, TicketStatus.AGREED, TicketStatus.HANDED_OVER, TicketStatus.EXPIRED)
_OUTCOME_HELP = {
    TicketStatus.DECLINED: "The hotel said no.",
    TicketStatus.AGREED: "Agreed outside this chat: say at which prices.",
    TicketStatus.HANDED_OVER: "A colleague goes on elsewhere.",
    TicketStatus.EXPIRED: "No answer, or too late.",
}


def show_menu(view: ConversationView, *, person: Identity) -> None:
    """The menu at the top of a conversation."""
    with st.popover("More", icon=":material/more_horiz:"):
        name = "".join(letter if letter.isalnum() else "-" for letter in view.hotel_name.lower())[:60]
        _download("Transcript as Markdown", f"{name}.md", "text/markdown", lambda: to_markdown(view))
        _download("Transcript as JSON", f"{name}.json", "application/json", lambda: to_json_text(view))
        if view.is_end:
            return
        st.space("xsmall")
        if view.taken_over_by is None:
            st.button(
                "Take over", icon=":material/front_hand:", width="stretch", key="menu-take-over", on_click=take_over, args=(view, person)
            )
        if st.button("Close …", icon=":material/block:", width="stretch", key="menu-close"):
            _close(view)


def take_over(view: ConversationView, person: Identity) -> None:
    """Let the person speak for us from here on: a button's callback."""
    desk = backend.desk()
    desk.pause(view.id)
    with told():
        backend.negotiations().take_over(view.id, actor=person.user_id, key=f"take:{view.id}")
        note("You speak for us now.", icon=":material/front_hand:")


@st.dialog("Close this conversation")
def _close(view: ConversationView) -> None:
    person = signed_in(*places.NEGOTIATION.roles)
    outcome = st.radio(
        "How did it end?", _OUTCOMES, format_func=STATUS_WORDS.__getitem__, captions=[_OUTCOME_HELP[one] for one in _OUTCOMES]
    )
    agreed: dict[int, Decimal] = {}
    still_open = [ticket for ticket in view.tickets if ticket.status is TicketStatus.OPEN]
    if outcome is TicketStatus.AGREED:
        for ticket in still_open:
            start = ticket.last_offer or ticket.last_ask
            words = st.text_input(
                f"{ticket.facts.room_type}: net price in {ticket.facts.currency}",
                value=plain(start) if start else "",
                key=f"close:{ticket.label}",
            )
            price = _price(words)
            if price is not None:
                agreed[ticket.label] = price
    if st.button("Close it", type="primary", width="stretch"):
        missing = outcome is TicketStatus.AGREED and len(agreed) < len(still_open)
        if missing:
            st.warning("Give each room a net price, as a number like 119.50.", icon=":material/info:")
            return
        try:
            backend.negotiations().close(
                view.id, outcome=outcome, actor=person.user_id, key=f"close:{view.id}:{outcome}", agreed=agreed or None
            )
        except ParleyError as error:
            st.error(str(error), icon=":material/error:")
            return
        backend.desk().pause(view.id)
        note("Closed.")
        st.rerun()


def _price(words: str | None) -> Decimal | None:
    text = (words or "").strip().replace(",", "")
    if not text.replace(".", "", 1).isdigit() or not text.isascii() or len(text) > 14:
        return None
    value = Decimal(text)
    return value if value > 0 and value == round(value, 3) else None


def _download(label: str, name: str, mime: str, make: Callable[[], str]) -> None:
    st.download_button(
        label, data=make, file_name=name, mime=mime, icon=":material/download:", on_click="ignore", width="stretch", key=name
    )
