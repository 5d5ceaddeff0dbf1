"""How good judgements are, as pictures: agreement with its intervals, people beside each other, and the weeks.

Decided here: one look for all of them, a dot with its interval, sorted as a team lead reads, and the same colours for what is well and what
is not, readable in light and dark.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import isnan

import altair as alt

from training.quality.drift import Week
from training.quality.findings import RELIABLE, TENTATIVE, Finding, Tone
from training.quality.report import Rater, Report

Picture = alt.Chart | alt.LayerChart | alt.FacetChart
FINE, ODD, QUIET = "#1a9084", "#d1495b", "#8a9a9c"
_STEP = 26
_AXIS = 75
"""Pixels of the axis and its title, which the height includes where a picture takes its width from the page."""
_FEWEST_NAMED = 5
_MOST = 24
"""People in one picture; the table has them all."""
_TONE_CLASS = {Tone.BAD: "p-severe", Tone.LOOK: "p-major", Tone.GOOD: "p-minor"}


@dataclass(frozen=True, slots=True)
class Dot:
    """One line of a picture."""

    name: str
    value: float
    low: float
    high: float
    remark: str
    odd: bool = False


def findings_html(findings: Sequence[Finding]) -> str:
    """The sentences, each with its tone."""
    return f'<ul class="p-verdicts" aria-label="Findings">{"".join(map(_finding, findings))}</ul>'


def _finding(finding: Finding) -> str:
    well = ' style="background: var(--p-good-bg); border-color: var(--p-good)"' if finding.tone is Tone.GOOD else ""
    return f'<li class="{_TONE_CLASS[finding.tone]}"{well}>{escape(finding.text)}</li>'


def agreement_chart(dots: Sequence[Dot]) -> Picture:
    """Krippendorff's alpha of each line that has one, with its 95 % interval; the dashed lines are at 0.667 and 0.8."""
    shown = [dot for dot in dots if not isnan(dot.value)]
    lowest = min((dot.low for dot in shown), default=0.0)
    scale = alt.Scale(domain=[min(0.0, lowest), 1.0], nice=False)
    marks = alt.Chart(alt.Data(values=[{"at": TENTATIVE}, {"at": RELIABLE}])).mark_rule(strokeDash=[4, 4], color=QUIET).encode(x="at:Q")
    return alt.layer(marks, *_dots(shown, scale, "alpha, with its 95 % interval")).properties(height=_height(shown))


def bias_chart(report: Report) -> Picture:
    """By how many stars each person departs from the others."""
    people = [rater for rater in _people(report) if rater.bias is not None]
    dots = [
        Dot(_name(report, rater), bias.value, bias.low, bias.high, f"{rater.shared:,} shared", rater.conduct is not None)
        for rater in people
        if (bias := rater.bias) is not None
    ]
    widest = max((abs(end) for dot in dots for end in (dot.low, dot.high)), default=1.0)
    scale = alt.Scale(domain=[-max(widest, 1.0), max(widest, 1.0)], nice=False)
    zero = alt.Chart(alt.Data(values=[{"at": 0}])).mark_rule(color=QUIET).encode(x="at:Q")
    return alt.layer(zero, *_dots(dots, scale, "stars less or more than the others")).properties(height=_height(dots))


def trust_chart(report: Report) -> Picture:
    """How much each person's judgements weigh, from 0 to 1."""
    return _bars(report, [(rater, rater.trust) for rater in _people(report)], "trust", alt.Scale(domain=[0, 1.15], nice=False), ".2f")


def speed_chart(report: Report) -> Picture:
    """Median seconds a judgement takes each person."""
    timed = [(rater, rater.seconds) for rater in _people(report) if rater.seconds is not None]
    return _bars(report, timed, "median seconds a judgement", alt.Scale(zero=True), ".0f")


def weekly_stars_chart(weeks: Sequence[Week]) -> Picture:
    """Mean stars by week."""
    known = [(week, (mean.value, mean.low, mean.high)) for week in weeks if (mean := week.stars) is not None]
    return _weekly(known, "mean stars", alt.Scale(domain=[1, 5]))


def weekly_alpha_chart(weeks: Sequence[Week]) -> Picture:
    """Agreement by week: on stars, or on the better reply where there are none."""
    known: list[tuple[Week, tuple[float, float, float]]] = []
    for week in weeks:
        alpha = week.preferred_alpha if isnan(week.stars_alpha.value) else week.stars_alpha
        if not isnan(alpha.value):
            known.append((week, (alpha.value, alpha.low, alpha.high)))
    lowest = min((low for _, (_, low, _) in known), default=0.0)
    return _weekly(known, "alpha", alt.Scale(domain=[min(0.0, lowest), 1.0], nice=False))


def queue_dots(report: Report) -> list[Dot]:
    """Agreement by queue."""
    return [
        Dot(
            "no queue" if queue.queue_id is None else report.names.get(queue.queue_id, "?"),
            queue.alpha.value,
            queue.alpha.low,
            queue.alpha.high,
            f"{queue.shared:,} judged by several, {queue.judgements:,} judgements",
            queue.alpha.value < TENTATIVE,
        )
        for queue in report.queues
    ]


def tag_dots(report: Report) -> list[Dot]:
    """Agreement by fault, of those that were named a few times."""
    return [
        Dot(tag_words(tag.tag), tag.alpha.value, tag.alpha.low, tag.alpha.high, f"named {tag.named:,} times", tag.alpha.value < TENTATIVE)
        for tag in report.tags
        if tag.named >= _FEWEST_NAMED
    ]


def rater_dots(report: Report) -> list[Dot]:
    """Agreement of each person with the others, on what the person judges: stars, or the better reply where there are none."""
    dots: list[Dot] = []
    for rater in _people(report):
        alpha = rater.preferred_alpha if isnan(rater.stars_alpha.value) else rater.stars_alpha
        dots.append(Dot(_name(report, rater), alpha.value, alpha.low, alpha.high, f"{rater.shared:,} shared", rater.conduct is not None))
    return dots


def tag_words(tag: str) -> str:
    """A fault's name as people write it."""
    return tag.replace("_", " ").capitalize()


def _people(report: Report) -> list[Rater]:
    """The busiest, and whoever was found careless."""
    return [rater for index, rater in enumerate(report.raters) if index < _MOST or rater.conduct is not None]


def _name(report: Report, rater: Rater) -> str:
    """Two people of one name are two lines."""
    name = report.names.get(rater.rater_id, "?")
    alone = sum(report.names.get(other.rater_id) == name for other in report.raters) == 1
    return name if alone else f"{name} ({rater.rater_id.hex[-4:]})"


def _dots(dots: Sequence[Dot], scale: alt.Scale, title: str) -> tuple[alt.Chart, alt.Chart]:
    rows = [
        {"name": dot.name, "value": dot.value, "low": dot.low, "high": dot.high, "remark": dot.remark, "odd": "odd" if dot.odd else "fine"}
        for dot in dots
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=_names([dot.name for dot in dots]),
        color=_colours(),
        tooltip=[
            alt.Tooltip("name:N", title="of"),
            alt.Tooltip("value:Q", format=".2f"),
            alt.Tooltip("low:Q", format=".2f", title="from"),
            alt.Tooltip("high:Q", format=".2f", title="to"),
            alt.Tooltip("remark:N", title="over"),
        ],
    )
    # Streamlit clips nothing by itself: an interval beyond the scale would run into the names.
    rule = base.mark_rule(strokeWidth=2.5, clip=True).encode(x=alt.X("low:Q", scale=scale, title=title), x2="high:Q")
    return rule, base.mark_point(filled=True, size=90, opacity=1).encode(x=alt.X("value:Q", scale=scale, title=title))


def _bars(report: Report, people: Iterable[tuple[Rater, float]], title: str, scale: alt.Scale, written: str) -> Picture:
    rows = [
        {"name": _name(report, rater), "value": round(value, 3), "odd": "odd" if rater.conduct is not None else "fine"}
        for rater, value in people
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("value:Q", title=title, scale=scale),
        y=_names([str(row["name"]) for row in rows]),
        color=_colours(),
        tooltip=[alt.Tooltip("name:N", title="of"), alt.Tooltip("value:Q", format=".2f", title=title)],
    )
    figures = base.mark_text(align="left", dx=4).encode(text=alt.Text("value:Q", format=written))
    return alt.layer(base.mark_bar(cornerRadiusEnd=3, height=13), figures).properties(height=_height(rows))


def _weekly(known: Sequence[tuple[Week, tuple[float, float, float]]], title: str, scale: alt.Scale) -> Picture:
    rows = [
        {"week": week.start.isoformat(), "value": value, "low": low, "high": high, "judgements": week.judgements}
        for week, (value, low, high) in known
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X(
            "week:T", title=None, axis=alt.Axis(format="%-d %b", labelOverlap=True, values=[week.start.isoformat() for week, _ in known])
        ),
        tooltip=[
            alt.Tooltip("week:T", title="week of", format="%-d %b %Y"),
            alt.Tooltip("value:Q", title=title, format=".2f"),
            alt.Tooltip("judgements:Q", format=","),
        ],
    )
    band = base.mark_area(opacity=0.2, color=FINE).encode(y=alt.Y("low:Q", scale=scale, title=title), y2="high:Q")
    line = base.mark_line(color=FINE, point=alt.OverlayMarkDef(filled=True, size=50, color=FINE)).encode(
        y=alt.Y("value:Q", scale=scale, title=title)
    )
    return alt.layer(band, line).properties(height=170)


def _names(names: Sequence[str]) -> alt.Y:
    return alt.Y("name:N", sort=list(names), title=None, axis=alt.Axis(labelLimit=170, labelOverlap=False))


def _colours() -> alt.Color:
    return alt.Color("odd:N", scale=alt.Scale(domain=["fine", "odd"], range=[FINE, ODD]), legend=None)


def _height(rows: Sequence[object]) -> int:
    return len(rows) * _STEP + _AXIS
