"""Many tickets from a spreadsheet: look first (nothing is written), see every bad cell, then import what is good."""

from dataclasses import asdict
from hashlib import sha256

import pandas as pd
import streamlit as st

from agent.service.intake import Intake, import_tickets, parse_csv, template_csv
from db.errors import ParleyError
from webapp import database
from webapp.auth.identity import Identity
from webapp.components.words import money, stay
from webapp.shell import places
from webapp.shell.notes import note
from webapp.shell.signed_in import signed_in

_SHOWN = 500


def show() -> None:
    """Draw the page."""
    person = signed_in(*places.IMPORT.roles)
    st.html('<div class="p-title"><h1>Import tickets</h1><p class="p-sub">Nothing is written before you have seen what it holds.</p></div>')
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Download the template", template_csv(), "parley-tickets.csv", "text/csv", icon=":material/download:", on_click="ignore"
        )
        st.caption(
            "Fill it in with any spreadsheet and save it as “CSV UTF-8”. Prices are net, unless the column says otherwise.", width="content"
        )
    file = st.file_uploader("Your CSV file", type=["csv", "txt"], max_upload_size=10, key=f"file:{st.session_state.get('imports', 0)}")
    if file is None:
        return
    data = file.getvalue()
    try:
        intake = parse_csv(data)
    except ParleyError as error:
        st.error(str(error), icon=":material/error:")
        return
    _show_errors(intake)
    _show_rows(intake, data, person)


def _show_errors(intake: Intake) -> None:
    if not intake.errors:
        st.success(f"Every row is good: {len(intake.rows)}.", icon=":material/check_circle:")
        return
    bad, good = len({error.row for error in intake.errors}), len(intake.rows)
    st.warning(
        f"{bad} {'row has' if bad == 1 else 'rows have'} mistakes and would be left out; {good} {'is' if good == 1 else 'are'} good. "
        "Mend them in your file and choose it again, or import the good ones now.",
        icon=":material/rule:",
    )
    frame = pd.DataFrame([asdict(error) for error in intake.errors[:_SHOWN]])
    frame.columns = ["Row", "Column", "It says", "What is wrong"]
    st.dataframe(
        frame, hide_index=True, height=min(37 + 35 * len(frame), 330), column_config={"Row": st.column_config.NumberColumn(width=60)}
    )
    if len(intake.errors) > _SHOWN:
        st.caption(f"The first {_SHOWN} of {len(intake.errors):,} mistakes are shown.")


def _show_rows(intake: Intake, data: bytes, person: Identity) -> None:
    if not intake.rows:
        return
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Reference": row.reference,
                    "Hotel": f"{row.hotel}, {row.city}",
                    "Room": row.room_type,
                    "Stay": stay(row.check_in, row.check_out),
                    "We pay": money(row.current_net, row.currency),
                    "Target": money(row.target, row.currency),
                    "Never above": money(row.ceiling, row.currency),
                }
                for row in intake.rows[:_SHOWN]
            ]
        ),
        hide_index=True,
        height=min(37 + 35 * len(intake.rows), 330),
    )
    digest = sha256(data).hexdigest()[:16]
    rows = "1 ticket" if len(intake.rows) == 1 else f"{len(intake.rows):,} tickets"
    if not st.button(f"Import {rows}", type="primary", icon=":material/upload:", key=f"import:{digest}"):
        return
    with st.spinner("Importing …"), database.sessions().begin() as session:
        added, known = import_tickets(session, intake.rows, actor=person.user_id)
    already = f" {len(known)} were there already and stay as they are." if known else ""
    note(f"{added} {'ticket' if added == 1 else 'tickets'} added.{already}")
    st.session_state["imports"] = st.session_state.get("imports", 0) + 1
    places.go(places.TICKETS)
