"""Two versions side by side: each figure with its interval, how far apart they are, and how near a canary is to being rolled back.

Decided here: pictures and words. Figures, intervals and tests are ``training.release.ab``'s, the evidence ``training.release.watch``'s.
"""

import math
from collections.abc import Sequence
from html import escape

import altair as alt

from db.vocabulary import DeploymentRole
from training.release.ab import AbReport, Comparison, Measure
from training.release.watch import Watched
from webapp.components.rating_charts import FINE, ODD, QUIET, Picture

CANARY = "#c47a12"
_LEVEL = 0.05


def measure_chart(report: AbReport, measure: Measure) -> Picture | None:
    """Each arm's figure with its 95 % interval; None where no arm has one."""
    rows = [
        {
            "version": arm.version,
            "role": arm.word,
            "value": found.value,
            "low": found.low if math.isfinite(found.low) else found.value,
            "high": found.high if math.isfinite(found.high) else found.value,
            "conversations": found.conversations,
        }
        for arm in report.arms
        if (found := arm.figures.get(measure.name)) is not None
    ]
    if not rows:
        return None
    written = ".1%" if measure.share else ".2f"
    lowest, highest = min(float(row["low"]) for row in rows), max(float(row["high"]) for row in rows)
    margin = max((highest - lowest) * 0.12, 0.01 if measure.share else 0.05)
    domain = [
        max(lowest - margin, 0.0) if measure.share else lowest - margin,
        min(highest + margin, 1.0) if measure.share else highest + margin,
    ]
    scale = alt.Scale(domain=domain, nice=False)
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("version:N", sort=[str(row["version"]) for row in rows], title=None, axis=alt.Axis(labelLimit=120)),
        color=alt.Color(
            "role:N",
            scale=alt.Scale(domain=[str(DeploymentRole.LIVE), str(DeploymentRole.CANARY), "before"], range=[FINE, CANARY, QUIET]),
            legend=None,
        ),
        tooltip=[
            alt.Tooltip("version:N"),
            alt.Tooltip("role:N"),
            alt.Tooltip("value:Q", format=written),
            alt.Tooltip("low:Q", format=written, title="from"),
            alt.Tooltip("high:Q", format=written, title="to"),
            alt.Tooltip("conversations:Q", format=",", title="conversations"),
        ],
    )
    axis = alt.Axis(format="%" if measure.share else ".1f", tickCount=5)
    rule = base.mark_rule(strokeWidth=3, clip=True).encode(x=alt.X("low:Q", scale=scale, title=None, axis=axis), x2="high:Q")
    dot = base.mark_point(filled=True, size=110, opacity=1).encode(x=alt.X("value:Q", scale=scale))
    return alt.layer(rule, dot).properties(height=len(rows) * 34 + 36)


def comparison_html(found: Comparison | None, measure: Measure, *, newer: str = str(DeploymentRole.CANARY)) -> str:
    """How far apart the arms are, with the interval, the p-value, and what is needed to be sure."""
    if found is None:
        return '<p class="p-label">Nothing to compare yet.</p>'
    sure = found.p < _LEVEL and found.difference != 0
    better = found.difference * measure.better > 0
    kind = ("p-good" if better else "p-bad") if sure else "p-quiet"
    word = ("better" if better else "worse") if sure else "no clear difference"
    interval = f" ({_number(found.low, measure)} to {_number(found.high, measure)})" if math.isfinite(found.low) else ""
    p = f"p = {found.p:.3f}" if found.p >= 0.001 else "p < 0.001"
    above = f"{escape(newer)} {_number(found.difference, measure)}{' points' if measure.share else ''}{interval}, {p}"
    return (
        f'<div><span class="p-chip {kind}">{word}</span> <span class="p-label">{above}'
        f"</span></div><p class='p-label'>{'' if sure or newer != DeploymentRole.CANARY else escape(needed_words(found, measure))}</p>"
    )


def needed_words(found: Comparison, measure: Measure) -> str:
    """What it takes to be sure of a difference that is worth knowing."""
    worth = f"{measure.worth * 100:g} points" if measure.share else f"{measure.worth:g}"
    if found.still_needed is None:
        return "Too little is known to say how many conversations it takes."
    if found.still_needed == 0:
        return f"Enough conversations to see a difference of {worth}."
    days = "" if found.days is None else f", about {_days(found.days)} at this pace"
    return f"{found.still_needed:,} more conversations of the canary to see a difference of {worth}{days}."


def _days(days: float) -> str:
    if days < 1:
        hours = max(round(days * 24), 1)
        return "an hour" if hours == 1 else f"{hours} hours"
    return "a day" if round(days) == 1 else f"{round(days):,} days"


def _number(value: float, measure: Measure) -> str:
    return f"{value * 100:+.1f}" if measure.share else f"{value:+.2f}"


def evidence_chart(watched: Watched) -> Picture:
    """For each thing that is watched, how much of the evidence has come that rolls the canary back; on a scale of factors."""
    rows = [
        {
            "what": criterion.title[:1].upper() + criterion.title[1:],
            "share": max(math.log(max(criterion.evidence.most, 1.0)) / math.log(criterion.limit), 0.0),
            "most": criterion.evidence.most,
            "limit": criterion.limit,
            "pairs": criterion.evidence.pairs,
            "state": "harm" if criterion.alarm else "fine",
        }
        for criterion in watched.criteria
    ]
    names: Sequence[str] = [str(row["what"]) for row in rows]
    scale = alt.Scale(domain=[0, 1.05], nice=False)
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("what:N", sort=list(names), title=None, axis=alt.Axis(labelLimit=230)),
        color=alt.Color("state:N", scale=alt.Scale(domain=["fine", "harm"], range=[FINE, ODD]), legend=None),
        tooltip=[
            alt.Tooltip("what:N"),
            alt.Tooltip("most:Q", format=".3g", title="evidence"),
            alt.Tooltip("limit:Q", format=".3g", title="rolls back at"),
            alt.Tooltip("pairs:Q", format=",", title="pairs"),
        ],
    )
    axis = alt.Axis(format="%", tickCount=5)
    bars = base.mark_bar(height=13, cornerRadiusEnd=3).encode(x=alt.X("share:Q", scale=scale, axis=axis, title="evidence of harm"))
    limit = alt.Chart(alt.Data(values=[{"at": 1}])).mark_rule(color=QUIET, strokeDash=[4, 4]).encode(x=alt.X("at:Q", scale=scale))
    return alt.layer(bars, limit).properties(height=len(rows) * 26 + 60)
