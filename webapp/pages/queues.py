"""The queues, for operations: what is being judged, how far each has come, and a new one."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from db.errors import ParleyError
from db.repositories import rating_queues
from db.vocabulary import ItemState
from training.ratings.queues import Queue, define, list_queues
from webapp import database
from webapp.components.empty import empty_html
from webapp.components.rating_words import KIND_WORDS, POLICY_WORDS
from webapp.pages.queue_form import queue_form
from webapp.shell import places
from webapp.shell.notes import note
from webapp.shell.signed_in import signed_in


def show() -> None:
    """Draw the page."""
    signed_in(*places.QUEUES.roles)
    st.html('<div class="p-title"><h1>Queues</h1><p class="p-sub">What people are asked to judge. Select a queue to open it.</p></div>')
    with database.sessions().begin() as session:
        queues = list_queues(session)
        counts = [rating_queues.count_items(session, queue.id) for queue in queues]
    with st.container(horizontal=True):
        if st.button("New queue", icon=":material/add:", type="primary"):
            _new_queue()
        places.link(places.GOLD, "Known answers")
    if not queues:
        st.html(empty_html("No queue yet", "Define one: annotators find its items on their page at once."))
        return
    chosen = _table(queues, counts)
    if chosen is not None:
        places.go(places.QUEUE, id=str(chosen.id))


def _table(queues: Sequence[Queue], counts: Sequence[dict[ItemState, int]]) -> Queue | None:
    frame = pd.DataFrame([_row(queue, count) for queue, count in zip(queues, counts, strict=True)])
    selection = st.dataframe(
        frame,
        key="queues",
        hide_index=True,
        row_height=38,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "Queue": st.column_config.TextColumn(width="medium"),
            "Done": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1, width="small"),
            "Disputes": st.column_config.NumberColumn(width=80, help="Items on which raters disagree: somebody must decide"),
        },
        alt="Queues; select one to open it",
    )
    chosen = [queues[index] for index in selection["selection"]["rows"] if index < len(queues)]
    return chosen[0] if chosen else None


def _row(queue: Queue, count: dict[ItemState, int]) -> dict[str, object]:
    settings = queue.settings
    done = count[ItemState.JUDGED] + count[ItemState.ADJUDICATED]
    everything = done + count[ItemState.OPEN] + count[ItemState.DISPUTED]
    return {
        "Queue": settings.name,
        "Judged": KIND_WORDS[settings.kind],
        "Chosen": POLICY_WORDS[settings.policy],
        "Raters": settings.raters_per_item,
        "Done": done / everything if everything else 0.0,
        "Waiting": count[ItemState.OPEN],
        "Disputes": count[ItemState.DISPUTED],
        "": "closed" if queue.closed_at is not None else "",
    }


@st.dialog("New queue", width="large")
def _new_queue() -> None:
    person = signed_in(*places.QUEUES.roles)
    settings = queue_form(None, key="new-queue", button="Define the queue")
    if settings is None:
        return
    try:
        queue = define(database.sessions(), settings, actor=person.user_id)
    except ParleyError as error:
        st.error(str(error)[:1].upper() + str(error)[1:], icon=":material/error:")
        return
    note(f"“{queue.settings.name}” hands out from now on.")
    st.rerun()
