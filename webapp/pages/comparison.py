"""A/B: the live version and its canary side by side, how sure each difference is, and what the watch over the canary sees."""

from html import escape

import streamlit as st

from training.release.ab import MEASURES, AbReport, Measure, read_ab
from training.release.watch import Watched, look
from webapp import database
from webapp.components.ab_charts import comparison_html, evidence_chart, measure_chart
from webapp.components.empty import empty_html
from webapp.components.words import moment
from webapp.shell import places
from webapp.shell.signed_in import reader_zone, signed_in

_COLUMNS = 3
_KEPT_S = 60
"""Figures are counted at most so often, however many people look."""


def show() -> None:
    """Draw the page."""
    signed_in(*places.COMPARISON.roles)
    st.html(
        '<div class="p-title"><h1>A/B</h1><p class="p-sub">The live version and its canary, on the conversations that both were given '
        "at the same time. Simulated hotels and real ones alike.</p></div>"
    )
    report, watched = _counted()
    if not report.arms:
        st.html(empty_html("Nothing is deployed", "The base model answers. Publish a version with a retrain, then try it as a canary."))
        return
    _head(report)
    for start in range(0, len(MEASURES), _COLUMNS):
        for column, measure in zip(st.columns(_COLUMNS, gap="medium"), MEASURES[start : start + _COLUMNS], strict=False):
            with column.container(border=True, height="stretch"):
                _measure(report, measure)
    if watched is not None:
        _show_watch(watched)


@st.cache_data(ttl=_KEPT_S, show_spinner="Counting conversations …")
def _counted() -> tuple[AbReport, Watched | None]:
    with database.sessions().begin() as session:
        return read_ab(session), look(session)


def _head(report: AbReport) -> None:
    chips = " ".join(
        f'<span class="p-chip {"p-good" if number == 0 else "p-warn"}">{arm.word}</span> '
        f"<b>{escape(arm.version)}</b> <span class='p-sub'>{arm.share:.0%} of new conversations, {arm.opened:,} so far</span>"
        for number, arm in enumerate(report.arms)
    )
    st.html(f'<div class="p-title">{chips}</div>')
    with st.container(horizontal=True, vertical_alignment="center"):
        if report.since is None:
            beside = (
                "nothing was live before"
                if len(report.arms) < 2
                else "beside what is live stands what was live before, each in its own time"
            )
            st.caption(f"There is no canary; {beside}.", width="content")
        else:
            st.caption(f"Since {moment(report.since, zone=reader_zone())}. Intervals are of 95 %.", width="content")
        places.link(places.VERSIONS, "Promote or roll back" if report.since is not None else "Try a version as a canary")


def _measure(report: AbReport, measure: Measure) -> None:
    st.markdown(f"##### {measure.title[:1].upper()}{measure.title[1:]}")
    chart = measure_chart(report, measure)
    if chart is None:
        st.caption("Nothing was counted yet.")
        return
    st.altair_chart(chart, width="stretch", alt=measure.title, key=f"ab:{measure.name}")
    if len(report.arms) > 1:
        newer = report.arms[0 if report.arms[1].is_before else 1].word
        st.html(comparison_html(report.comparisons.get(measure.name), measure, newer=newer))


def _show_watch(watched: Watched) -> None:
    st.subheader("What the watch sees")
    left, right = st.columns([1.3, 1], gap="large")
    with left:
        st.altair_chart(evidence_chart(watched), width="stretch", alt="Evidence of harm by what is watched; at 100 % it is rolled back")
    with right:
        after = f"After {watched.enough:,} without harm it goes live by itself." if watched.may_promote else "A person promotes it."
        st.markdown(
            "The canary is looked at every minute. Where the evidence of harm is complete it is rolled back by itself; "
            f"one that is no worse in anything is ever rolled back with a chance of at most {watched.error_rate:.0%}.\n\n"
            f"**{watched.conversations:,}** conversations of {watched.enough:,} count so far. {after}"
        )
