"""Bad cases: the list of what went wrong and must not happen again, and the rated replies from which new ones are made."""

from collections.abc import Sequence
from enum import StrEnum

import pandas as pd
import streamlit as st

from db.models import BadCase, BadCaseVersion, Hotel
from db.repositories import bad_cases
from db.repositories.bad_cases import CaseFilter, Purpose
from db.vocabulary import IssueTag, Role, Severity
from webapp import database
from webapp.components.empty import empty_html
from webapp.components.pager import show_place
from webapp.components.rating_words import FAULT_WORDS, SEVERITY_WORDS
from webapp.components.words import moment
from webapp.pages.rated_turns import choose_rated_turn
from webapp.shell import places
from webapp.shell.signed_in import reader_zone, signed_in

PAGE_SIZE = 25
_RETIRED_WORDS: dict[str, bool | None] = {"In force": False, "Retired": True, "All": None}


class View(StrEnum):
    """What is listed."""

    CASES = "Cases"
    RATED = "Make a new one"


def show() -> None:
    """Draw the page."""
    person = signed_in(*places.BAD_CASES.roles)
    st.html(
        '<div class="p-title"><h1>Bad cases</h1>'
        '<p class="p-sub">Replies that went wrong. Every version of the agent is asked to answer them again.</p></div>'
    )
    view: str | None = View.CASES
    if person.may(Role.OPS):
        view = st.segmented_control("View", [*View], default=View.CASES, required=True, key="cases_view", label_visibility="collapsed")
    if view == View.RATED:
        st.caption("Select a rated reply to make a bad case of it.")
        chosen = choose_rated_turn(Purpose.CASE)
        if chosen is not None:
            places.go(places.BAD_CASE, turn=str(chosen.turn_id), rating=str(chosen.rating_id))
        return
    _list()


def _list() -> None:
    wanted = _filters()
    if st.session_state.get("cases_place") != wanted:
        st.session_state["cases_place"] = wanted
        st.session_state["cases_page"] = 0
    page: int = st.session_state.get("cases_page", 0)
    with database.sessions().begin() as session:
        rows = bad_cases.search(session, wanted, limit=PAGE_SIZE, offset=page * PAGE_SIZE)
        total = len(rows) if page == 0 and len(rows) < PAGE_SIZE else bad_cases.count(session, wanted)
    if not rows:
        if wanted == CaseFilter():
            st.html(empty_html("No bad cases yet", "Operations make them out of replies that were rated low: choose “Make a new one”."))
        else:
            st.html(empty_html("Nothing fits these filters", "Use fewer words, or clear a filter."))
        return
    chosen = _table(rows, key=f"cases:{hash(wanted)}:{page}")
    if chosen is not None:
        places.go(places.BAD_CASE, id=str(chosen.id))
    show_place("cases_page", "cases", page=page, size=PAGE_SIZE, shown=len(rows), total=total)


def _filters() -> CaseFilter:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        text = st.text_input("Search", placeholder="Title, what is wrong, or hotel", icon=":material/search:", key="cases_q", width=270)
        fault = st.selectbox(
            "Fault", [None, *IssueTag], format_func=lambda word: FAULT_WORDS[word] if word else "Any fault", key="cases_fault", width=220
        )
        severity = st.selectbox(
            "Severity",
            [None, *Severity],
            format_func=lambda word: SEVERITY_WORDS[word] if word else "Any severity",
            key="cases_severity",
            width=150,
        )
        retired = st.segmented_control("State", [*_RETIRED_WORDS], default="In force", required=True, key="cases_retired")
    return CaseFilter(text=text or "", fault=fault, severity=severity, retired=_RETIRED_WORDS[retired or "In force"])


def _table(rows: Sequence[tuple[BadCase, BadCaseVersion, Hotel]], *, key: str) -> BadCase | None:
    zone = reader_zone()
    frame = pd.DataFrame(
        [
            {
                "Title": version.title + (" (retired)" if version.retired else ""),
                "Fault": FAULT_WORDS[version.fault],
                "Severity": SEVERITY_WORDS[version.severity],
                "Checks": len(version.must) + len(version.must_not),
                "Hotel": f"{hotel.name}, {hotel.city}",
                "Version": version.number,
                "Changed": moment(version.created_at, zone=zone),
            }
            for _, version, hotel in rows
        ]
    )
    selection = st.dataframe(
        frame,
        key=key,
        hide_index=True,
        row_height=38,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "Title": st.column_config.TextColumn(width="large"),
            "Checks": st.column_config.NumberColumn(width=70, help="Things that a fix must do or must not do"),
            "Version": st.column_config.NumberColumn(width=70),
        },
        alt="Bad cases; select one to open it",
    )
    chosen = [rows[index][0] for index in selection["selection"]["rows"] if index < len(rows)]
    return chosen[0] if chosen else None
