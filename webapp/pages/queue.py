"""One queue, for operations: how far it has come, who has done how much, what is in dispute, and its settings."""

from collections.abc import Sequence
from html import escape
from uuid import UUID

import altair as alt
import pandas as pd
import streamlit as st

from agent.domain import plain
from db.errors import ParleyError
from db.repositories.rating_queues import RaterCount
from db.vocabulary import JudgementKind, Preferred
from training.ratings import queues
from training.ratings.desk import RatingDesk
from training.ratings.disputes import Dispute
from training.ratings.queues import Queue, QueueProgress
from webapp import database
from webapp.auth.identity import Identity
from webapp.components.rating_words import KIND_WORDS, POLICY_WORDS, stars
from webapp.components.words import moment
from webapp.pages.queue_form import queue_form
from webapp.shell import places
from webapp.shell.notes import note, told
from webapp.shell.signed_in import reader_zone, signed_in

_COLOURS = {"Judged": "#0f8a7f", "Decided": "#5b8def", "In dispute": "#d9822b", "Waiting": "#9db0b2"}
_PREFERRED_WORDS = {Preferred.FIRST: "the first", Preferred.SECOND: "the second", Preferred.TIE: "a tie"}
MOST_DISPUTES = 50


def show() -> None:
    """Draw the page."""
    person = signed_in(*places.QUEUE.roles)
    queue_id = _asked_for()
    if queue_id is None:
        st.info("Choose a queue from the list.", icon=":material/info:")
        places.link(places.QUEUES, "All queues")
        return
    with database.sessions().begin() as session:
        queue = queues.queue_of(session, queue_id)
        progress = queues.progress_of(session, queue_id)
    settings = queue.settings
    state = '<span class="p-chip p-dim">closed</span>' if queue.closed_at else '<span class="p-chip p-good">hands out</span>'
    st.html(f'<div class="p-title"><h1>{escape(settings.name)}</h1>{state}</div>')
    places.link(places.QUEUES, "All queues", icon=":material/arrow_back:")
    st.caption(
        f"{KIND_WORDS[settings.kind]} · {POLICY_WORDS[settings.policy].lower()} · {_count(settings.raters_per_item, 'rater')} an item · "
        f"{plain(settings.gold_share * 100)} % known answers"
    )
    _show_progress(progress)
    left, right = st.columns([1.15, 1], gap="large")
    with left:
        _show_raters(progress.raters)
        _show_disputes(queue, RatingDesk(database.sessions()).disputes(queue_id=queue_id, limit=MOST_DISPUTES), progress.disputed)
    with right:
        _show_acts(queue, person)
        _show_form(queue, person)


def _asked_for() -> UUID | None:
    try:
        return UUID(st.query_params.get("id", ""))
    except ValueError:
        return None


# -- how far it has come ----------------------------------------------------------------------------------------------------------------


def _show_progress(progress: QueueProgress) -> None:
    numbers = (
        ("Items judged", progress.judged + progress.adjudicated, "Have all the judgements that were asked for"),
        ("Waiting", progress.open, "Want more judgements"),
        ("In dispute", progress.disputed, "Raters disagree: somebody must decide"),
        ("Judgements", progress.judgements, "That count; of items with a known answer too"),
        ("Known answers", progress.gold, "Ready to be mixed in"),
    )
    for column, (label, value, meaning) in zip(st.columns(len(numbers)), numbers, strict=True):
        column.metric(label, f"{value:,}", help=meaning)
    parts = {"Judged": progress.judged, "Decided": progress.adjudicated, "In dispute": progress.disputed, "Waiting": progress.open}
    frame = pd.DataFrame([{"State": name, "Items": number, "order": at} for at, (name, number) in enumerate(parts.items())])
    if not frame["Items"].sum():
        st.info(
            "Nothing is in this queue yet: nothing fits its settings, or it has not been filled. Fill it up, or let it choose from more."
        )
        return
    bar = (
        alt.Chart(frame, height=110)
        .mark_bar(height=22)
        .encode(
            x=alt.X("Items:Q", stack="zero", title=None, axis=alt.Axis(format="~s", tickCount=6, grid=False)),
            color=alt.Color(
                "State:N",
                scale=alt.Scale(domain=[*_COLOURS], range=[*_COLOURS.values()]),
                legend=alt.Legend(orient="top", title=None),
            ),
            order="order:Q",
            tooltip=["State:N", "Items:Q"],
        )
    )
    st.altair_chart(bar, width="stretch")


def _show_raters(raters: Sequence[RaterCount]) -> None:
    st.subheader("Who has done how much")
    if not raters:
        st.caption("Nobody has taken an item from this queue yet.")
        return
    zone = reader_zone()
    most = max(1, *(rater.judged for rater in raters))
    frame = pd.DataFrame(
        [
            {
                "Name": rater.name,
                "Judged": rater.judged,
                "Skipped": rater.skipped,
                "In hand": rater.reserved,
                "Not in time": rater.expired,
                "Last": moment(rater.last_at, zone=zone) if rater.last_at is not None else "",
            }
            for rater in raters
        ]
    )
    st.dataframe(
        frame,
        hide_index=True,
        row_height=38,
        key="queue-raters",
        column_config={
            "Judged": st.column_config.ProgressColumn(format="%d", min_value=0, max_value=most, width="small"),
            "Not in time": st.column_config.NumberColumn(help="Handed out and not answered in time"),
        },
        alt="How much each person has judged",
    )


def _show_disputes(queue: Queue, waiting: Sequence[Dispute], total: int) -> None:
    st.subheader("Disputes")
    if not waiting:
        st.caption("None waits for a decision.")
        return
    zone = reader_zone()
    frame = pd.DataFrame(
        [
            {
                "What was said": _said(queue.settings.kind, dispute),
                "Since": moment(dispute.since, zone=zone),
                "": "being decided" if dispute.in_hand else "",
            }
            for dispute in waiting
        ]
    )
    st.dataframe(frame, hide_index=True, row_height=38, key="queue-disputes", alt="Disputes that wait for a decision")
    if total > len(waiting):
        st.caption(f"The {len(waiting)} that have waited longest, of {total:,}.")
    places.link(places.RATE, "Decide them on the rating page")


def _said(kind: JudgementKind, dispute: Dispute) -> str:
    if kind is JudgementKind.COMPARISON:
        return " · ".join(_PREFERRED_WORDS[preferred] for preferred in dispute.preferred)
    return "   ".join(stars(number) for number in dispute.stars)


# -- changing it ------------------------------------------------------------------------------------------------------------------------


def _show_acts(queue: Queue, person: Identity) -> None:
    st.subheader("Settings")
    with st.container(horizontal=True):
        st.button(
            "Fill up now",
            icon=":material/playlist_add:",
            disabled=queue.closed_at is not None,
            on_click=_fill_up,
            args=(queue.id,),
            help="Chooses items until as many are ready as the settings say. It happens by itself when somebody finds none.",
        )
        if queue.closed_at is None:
            st.button("Close the queue", icon=":material/block:", on_click=_close, args=(queue.id, person), help="Hands out nothing more")
        else:
            st.button("Open again", icon=":material/play_arrow:", on_click=_reopen, args=(queue.id, person))


def _show_form(queue: Queue, person: Identity) -> None:
    wanted = queue_form(queue.settings, key=f"queue:{queue.id}", button="Save settings")
    if wanted is None:
        return
    try:
        queues.change(database.sessions(), queue.id, wanted, actor=person.user_id)
    except ParleyError as error:
        st.error(str(error)[:1].upper() + str(error)[1:], icon=":material/error:")
        return
    note("The queue has its new settings. What it has chosen already stays.")
    st.rerun()


def _fill_up(queue_id: UUID) -> None:
    with told():
        with database.sessions().begin() as session:
            added = queues.top_up(session, queue_id)
        note(f"{_count(added, 'item')} added." if added else "Nothing was missing, or nothing more fits its settings.")


def _close(queue_id: UUID, person: Identity) -> None:
    with told():
        queues.close(database.sessions(), queue_id, actor=person.user_id)
        note("The queue hands out nothing more. What people hold may still be saved.")


def _reopen(queue_id: UUID, person: Identity) -> None:
    with told():
        queues.reopen(database.sessions(), queue_id, actor=person.user_id)
        note("The queue hands out again.")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
