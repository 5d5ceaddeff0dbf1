"""How good the judgements are, for a team lead: what to know first, then pictures, then the figures of each person."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from math import isnan

import pandas as pd
import streamlit as st

from db.repositories import rating_figures
from training.experts.agreement import Alpha
from training.quality.findings import conduct_words, findings
from training.quality.report import Rater, Report, read_report
from webapp import database
from webapp.components.empty import empty_html
from webapp.components.rating_charts import (
    Dot,
    Picture,
    agreement_chart,
    bias_chart,
    findings_html,
    queue_dots,
    rater_dots,
    speed_chart,
    tag_dots,
    tag_words,
    trust_chart,
    weekly_alpha_chart,
    weekly_stars_chart,
)
from webapp.shell import places
from webapp.shell.signed_in import signed_in

_SPANS = {"4 weeks": 28, "12 weeks": 84, "A year": 366, "All time": None}
_PEOPLE, _SIMULATED = "People", "Simulated experts"


def show() -> None:
    """Draw the page."""
    signed_in(*places.QUALITY.roles)
    st.html(
        '<div class="p-title"><h1>Quality</h1><p class="p-sub">How far raters agree, and how far each of them can be trusted.</p></div>'
    )
    with st.container(horizontal=True, gap="medium"):
        span = st.segmented_control("Time", [*_SPANS], default="12 weeks", key="quality_span", required=True)
        whose = st.segmented_control("Judgements of", [_PEOPLE, _SIMULATED], default=_PEOPLE, key="quality_whose", required=True)
    report = _report(_SPANS[span or "12 weeks"], simulated=whose == _SIMULATED, today=datetime.now(UTC).date(), mark=_mark())
    if report.simulated:
        st.html('<p><span class="p-chip p-warn">Simulated experts: no person has judged any of this</span></p>')
    if not report.judgements and not report.gold_met:
        st.html(empty_html("Nothing was judged in this time", "Choose a longer time above, or hand out a queue to the annotators."))
        return
    st.html(findings_html(findings(report)))
    _figures(report)
    _pictures(report)
    _tables(report)


@st.cache_data(ttl=300, show_spinner=False)
def _mark() -> tuple[object, ...]:
    """Looked at every few minutes: while people judge, the figures need not follow each of them."""
    with database.sessions().begin() as session:
        return rating_figures.mark(session)


@st.cache_data(max_entries=16, show_spinner="Counting judgements …")
def _report(days: int | None, *, simulated: bool, today: date, mark: tuple[object, ...]) -> Report:
    """Counted once for what there is (``mark``), from the midnight (UTC) so many days ago."""
    del mark
    since = None if days is None else datetime(today.year, today.month, today.day, tzinfo=UTC) - timedelta(days=days)
    with database.sessions().begin() as session:
        return read_report(session, simulated=simulated, since=since)


def _figures(report: Report) -> None:
    alone = isnan(report.stars_alpha.value) and not isnan(report.preferred_alpha.value)
    alpha, what = (report.preferred_alpha, "the better reply") if alone else (report.stars_alpha, "stars")
    trusted = sum(rater.trust >= 0.5 for rater in report.raters)
    cells = (
        ("Judgements", f"{report.judgements:,}", f"of {report.things:,} things, {report.shared:,} by several people"),
        (f"Agreement on {what}", _figure(alpha.value), _range(alpha) or "needs things that several people judge"),
        (
            "Known answers met",
            _share(report.gold_right, report.gold_met),
            f"{report.gold_met:,} asked" if report.gold_met else "none asked",
        ),
        ("Raters", f"{len(report.raters):,}", f"{trusted:,} with a trust of one half or more"),
    )
    for column, (label, value, remark) in zip(st.columns(len(cells)), cells, strict=True):
        with column.container(border=True, height="stretch"):
            st.metric(label, value)
            st.caption(remark)


def _pictures(report: Report) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        _picture("Agreement by queue", agreement_chart(queue_dots(report)), if_any=_known(queue_dots(report)))
        _picture("Agreement of each person with the others", agreement_chart(rater_dots(report)), if_any=_known(rater_dots(report)))
        biased = any(rater.bias for rater in report.raters)
        _picture("Strict and lenient", bias_chart(report), if_any=biased)
        _picture("Pace", speed_chart(report), if_any=any(rater.seconds is not None for rater in report.raters))
    with right:
        _picture("Trust", trust_chart(report), if_any=True, remark="0 counts for nothing in training, 1 in full.")
        _picture("Stars week by week", weekly_stars_chart(report.weeks), if_any=any(week.stars for week in report.weeks))
        _picture("Agreement week by week", weekly_alpha_chart(report.weeks), if_any=report.shared > 0)
        _picture("Agreement on each fault", agreement_chart(tag_dots(report)), if_any=_known(tag_dots(report)))


def _picture(title: str, chart: Picture, *, if_any: bool, remark: str = "") -> None:
    with st.container(border=True):
        st.markdown(f"#### {title}")
        if not if_any:
            st.caption("Nothing to show yet: it takes things that several people have judged.")
            return
        if remark:
            st.caption(remark)
        st.altair_chart(chart, width="stretch", alt=title)


def _known(dots: Sequence[Dot]) -> bool:
    return any(not isnan(dot.value) for dot in dots)


def _tables(report: Report) -> None:
    people, queues, faults = st.tabs(["People", "Queues", "Faults"])
    with people:
        _table([_person_row(report, rater) for rater in report.raters], "Raters with their figures")
        st.caption("Trust is that of the chosen time; training uses all judgements up to its snapshot.")
    with queues:
        rows = [
            {
                "Queue": dot.name,
                "What": queue.kind.capitalize(),
                "Judgements": queue.judgements,
                "By several": queue.shared,
                "Alpha": _figure(queue.alpha.value),
                "95 %": _range(queue.alpha),
            }
            for queue, dot in zip(report.queues, queue_dots(report), strict=True)
        ]
        _table(rows, "Queues with their agreement")
    with faults:
        rows = [
            {"Fault": tag_words(tag.tag), "Named": tag.named, "Alpha": _figure(tag.alpha.value), "95 %": _range(tag.alpha)}
            for tag in report.tags
        ]
        _table(rows, "Faults with their agreement")


def _person_row(report: Report, rater: Rater) -> dict[str, object]:
    alpha = rater.preferred_alpha if isnan(rater.stars_alpha.value) else rater.stars_alpha
    return {
        "Name": report.names.get(rater.rater_id, "?"),
        "Trust": f"{rater.trust:.2f}",
        "Judgements": rater.judgements,
        "Shared": rater.shared,
        "Alpha": _figure(alpha.value),
        "95 %": _range(alpha),
        "Bias": "—" if rater.bias is None else f"{rater.bias.value:+.2f}",
        "Seconds": "—" if rater.seconds is None else f"{rater.seconds:.0f}",
        "Known answers": f"{rater.gold_right} of {rater.gold_met}" if rater.gold_met else "—",
        "Remark": "" if rater.conduct is None else conduct_words(rater.conduct, report.names),
    }


def _table(rows: Sequence[Mapping[str, object]], what: str) -> None:
    if not rows:
        st.caption("Nothing yet.")
        return
    st.dataframe(pd.DataFrame([*rows]), hide_index=True, row_height=36, alt=what)


def _figure(value: float) -> str:
    return "—" if isnan(value) else f"{value:.2f}"


def _range(alpha: Alpha) -> str:
    return "" if isnan(alpha.value) else f"{alpha.low:.2f} to {alpha.high:.2f}"


def _share(right: int, met: int) -> str:
    return f"{right / met:.0%}" if met else "—"
