"""The audit trail: who did what to what, when, with what it was before and after. It can only be read."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from uuid import UUID

import pandas as pd
import streamlit as st

from db.models import AuditEvent, Json, User
from db.repositories import audit_events, users
from db.repositories.audit_events import TrailFilter
from webapp import database
from webapp.components.changes import differences_html
from webapp.components.empty import empty_html
from webapp.components.pager import show_pager
from webapp.components.words import moment
from webapp.shell import places
from webapp.shell.signed_in import reader_zone, signed_in

PAGE_SIZE = 50
_SYSTEM = "system"
_MOST_SHOWN = 120
"""Characters of a change in the list."""


def show() -> None:
    """Draw the page."""
    signed_in(*places.AUDIT.roles)
    st.html(
        '<div class="p-title"><h1>Audit trail</h1>'
        '<p class="p-sub">Who changed what, and when. Select a line to see it before and after.</p></div>'
    )
    zone = reader_zone()
    wanted = _filters(zone)
    if wanted is None:
        return
    if st.session_state.get("audit_place") != wanted:
        st.session_state["audit_place"] = wanted
        st.session_state["audit_page"] = 0
    page: int = st.session_state.get("audit_page", 0)
    with database.sessions().begin() as session:
        found = list(audit_events.search(session, wanted, limit=PAGE_SIZE + 1, offset=page * PAGE_SIZE))
    if not found:
        if wanted == TrailFilter():
            st.html(empty_html("Nothing has been done yet", "Every change that a person or the system makes is written down here."))
        else:
            st.html(empty_html("Nothing fits these filters", "Take a longer time, or clear a filter."))
        return
    events = found[:PAGE_SIZE]
    chosen = _table(events, zone, key=f"audit:{hash(wanted)}:{page}")
    show_pager("audit_page", f"Page {page + 1}", page=page, more=len(found) > PAGE_SIZE)
    if chosen is not None:
        _show(chosen, zone)


def _filters(zone: tzinfo) -> TrailFilter | None:
    with database.sessions().begin() as session:
        everybody = users.list_all(session)
        actions = audit_events.list_actions(session)
        subjects = audit_events.list_subject_types(session)
    names = {str(person.id): _called(person, everybody) for person in everybody}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        who = st.selectbox("Who", [None, _SYSTEM, *names], format_func=lambda one: _who_words(one, names), key="audit_who", width=210)
        action = st.selectbox("Did", [None, *actions], format_func=lambda one: action_words(one or ""), key="audit_action", width=230)
        subject = st.selectbox("To", [None, *subjects], format_func=lambda one: _subject_words(one), key="audit_subject", width=180)
        row = st.text_input("Its id", placeholder="0195a7c0-…", key="audit_id", width=190)
        days = st.date_input("Days", value=[], format="YYYY-MM-DD", key="audit_days", width=230, help="One day, or the first and the last.")
    subject_id: UUID | None = None
    if (row or "").strip():
        try:
            subject_id = UUID((row or "").strip())
        except ValueError:
            st.warning("That is no id: it has 32 hexadecimal digits in five groups. Copy it from a line below.", icon=":material/info:")
            return None
    since, until = _span(days, zone)
    return TrailFilter(
        actor_id=UUID(who) if who not in (None, _SYSTEM) else None,
        by_system=who == _SYSTEM,
        action=action,
        subject_type=subject,
        subject_id=subject_id,
        since=since,
        until=until,
    )


def _span(days: object, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """Whole days of the reader, as moments."""
    chosen = [day for day in days if isinstance(day, date)] if isinstance(days, tuple) else []  # pyright: ignore[reportUnknownVariableType]
    if not chosen:
        return None, None
    first = datetime.combine(chosen[0], time(), tzinfo=zone).astimezone(UTC)
    last = datetime.combine(chosen[-1] + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
    return first, last


def _called(person: User, everybody: Sequence[User]) -> str:
    """Two people of one name are told apart by their address."""
    alone = sum(other.name == person.name for other in everybody) == 1
    return person.name if alone else f"{person.name} ({person.email})"


def _who_words(one: str | None, names: dict[str, str]) -> str:
    return "Anybody" if one is None else "Parley itself" if one == _SYSTEM else names.get(one, "?")


def action_words(action: str) -> str:
    """``rating_queue.close`` as people read it: ``close (rating queue)``; all actions where there is none."""
    subject, _, verb = action.rpartition(".")
    return f"{verb.replace('_', ' ')} ({subject.replace('_', ' ')})" if subject else action.replace("_", " ") or "Anything"


def _subject_words(subject: str | None) -> str:
    return "Anything" if subject is None else subject.replace("_", " ")


def _table(events: Sequence[AuditEvent], zone: tzinfo, *, key: str) -> AuditEvent | None:
    frame = pd.DataFrame(
        [
            {
                "When": moment(event.created_at, zone=zone),
                "Who": event.actor.name if event.actor is not None else "Parley itself",
                "Did": action_words(event.action),
                "To": f"{_subject_words(event.subject_type)} {str(event.subject_id)[-6:] if event.subject_id else ''}".strip(),
                "What": _in_short(event.after if event.after is not None else event.before),
            }
            for event in events
        ]
    )
    selection = st.dataframe(
        frame,
        key=key,
        hide_index=True,
        row_height=34,
        height=480 if len(events) > 12 else "auto",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "When": st.column_config.TextColumn(width="small"),
            "What": st.column_config.TextColumn(width="large"),
        },
        alt="What was done, newest first; select one to see it before and after",
    )
    chosen = [events[index] for index in selection["selection"]["rows"] if index < len(events)]
    return chosen[0] if chosen else None


def _in_short(values: Json | None) -> str:
    if not values:
        return ""
    words = ", ".join(
        f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}" for name, value in values.items()
    )
    line = " ".join(words.split())
    return line if len(line) <= _MOST_SHOWN else line[: _MOST_SHOWN - 1] + "…"


def _show(event: AuditEvent, zone: tzinfo) -> None:
    who = event.actor.name if event.actor is not None else "Parley itself"
    with st.container(border=True):
        st.markdown(f"#### {action_words(event.action).capitalize()}")
        st.caption(f"{who} · {event.created_at.astimezone(zone):%-d %b %Y, %H:%M:%S} · {_subject_words(event.subject_type)}")
        if event.subject_id is not None:
            st.code(str(event.subject_id), language=None)
        before: dict[str, Any] = event.before or {}
        after: dict[str, Any] = event.after or {}
        if not before and not after:
            st.caption("Nothing more was written down.")
            return
        st.html(differences_html(before, after))
