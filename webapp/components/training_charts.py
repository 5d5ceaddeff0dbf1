"""The curves of a training run: rewards by component, divergence, entropy, how well the critic explains the returns, and the rest.

Decided here: which curves people look at first, and how they are drawn. What is drawn together, and under which keys the figures come, is
the run report's (``training.runs.report.PANELS``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from training.runs.report import PANELS, curve
from webapp.components.rating_charts import Picture

_COLOURS = ("#2a86d6", "#d07a1c", "#1a9084", "#9a63c4")
_FIRST = 6
"""Pictures that are shown without asking."""
_HEIGHT, _WITH_LEGEND = 205, 250
"""Pixels, axes and legend included."""

Figures = Mapping[int, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture with its title."""

    title: str
    chart: Picture


def panels(figures: Figures) -> tuple[Sequence[Panel], Sequence[Panel]]:
    """What is known of a run as pictures: those to look at first, and the others."""
    drawn = [Panel(title=title, chart=_lines(title, curves, share=share)) for title, share, curves in _curves(figures)]
    first = [panel for panel in drawn if panel.title in _WANTED]
    first.sort(key=lambda panel: _WANTED.index(panel.title))
    chosen = first[:_FIRST] if first else drawn[:_FIRST]
    return chosen, [panel for panel in drawn if panel not in chosen]


_WANTED = (
    "Whole reward, R_total",
    "Reward model, R_model",
    "Enhancement E = judge + rules",
    "KL to the start, nats a token",
    "Entropy, nats a token",
    "Explained variance of the critic",
    "Loss",
    "Pairs in the right order",
    "Tokens guessed right",
)


def _curves(figures: Figures) -> list[tuple[str, bool, list[tuple[str, list[tuple[int, float]]]]]]:
    found: list[tuple[str, bool, list[tuple[str, list[tuple[int, float]]]]]] = []
    for title, share, series in PANELS:
        curves = [(name, points) for name, key in series if (points := curve(figures, key))]
        if curves:
            found.append((title, share, curves))
    return found


def _lines(title: str, curves: Sequence[tuple[str, Sequence[tuple[int, float]]]], *, share: bool) -> Picture:
    names = [name for name, _ in curves]
    rows = [{"curve": name, "step": step, "value": value} for name, points in curves for step, value in points]
    y = alt.Y(
        "value:Q",
        title=None,
        axis=alt.Axis(format="%" if share else ".3~g", tickCount=5),
        scale=alt.Scale(domain=[0, 1]) if share else alt.Scale(zero=False, nice=True),
    )
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("step:Q", title=None, axis=alt.Axis(format="d", tickCount=6, tickMinStep=1)),
        y=y,
        color=alt.Color(
            "curve:N",
            sort=names,
            scale=alt.Scale(domain=names, range=list(_COLOURS[: len(names)])),
            legend=alt.Legend(orient="top", title=None) if len(names) > 1 else None,
        ),
        tooltip=[alt.Tooltip("curve:N", title=title), alt.Tooltip("step:Q"), alt.Tooltip("value:Q", format=".1%" if share else ".4g")],
    )
    dots = len(rows) <= 60 * len(names)
    point = alt.OverlayMarkDef(filled=True, size=28) if dots else False
    return alt.layer(base.mark_line(strokeWidth=2, point=point)).properties(height=_WITH_LEGEND if len(names) > 1 else _HEIGHT)
