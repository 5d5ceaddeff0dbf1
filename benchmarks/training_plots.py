"""The picture of ``benchmarks.training --plots``: where a step's time goes, and replies a second."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt

from benchmarks.training_figures import ArmFigures
from benchmarks.training_gate import PARTS

COLOURS = ["#6aa6d6", "#b5402f", "#e0a030", "#1b7f5c"]


def draw(arms: Sequence[ArmFigures], path: Path) -> None:
    """Write the picture."""
    names = [arm.name for arm in arms]
    parts: list[dict[str, Any]] = [
        {"arm": arm.name, "part": part, "at": at, "seconds": arm.cpu_s.value * arm.shares[part]}
        for arm in arms
        for at, part in enumerate(PARTS)
    ]
    speeds: list[dict[str, Any]] = [
        {"arm": arm.name, "value": speed.value, "low": speed.low, "high": speed.high} for arm in arms for speed in [arm.replies_per_cpu_s]
    ]
    axis = alt.Y("arm:N", sort=names, title=None, axis=alt.Axis(labelLimit=220))
    steps = (
        alt.Chart(alt.Data(values=parts))
        .mark_bar()
        .encode(
            x=alt.X("sum(seconds):Q", title="processor seconds a step (median), by its parts' share of wall time"),
            y=axis,
            color=alt.Color("part:N", sort=list(PARTS), scale=alt.Scale(domain=list(PARTS), range=COLOURS), title=None),
            order="at:Q",
        )
        .properties(width=430, height=34 * len(arms))
    )
    base = alt.Chart(alt.Data(values=speeds)).encode(y=alt.Y("arm:N", sort=names, title=None, axis=None))
    dots = base.mark_point(filled=True, size=90, color="#333").encode(
        x=alt.X("value:Q", title="replies a processor second", scale=alt.Scale(zero=True))
    )
    lines = base.mark_rule(color="#333").encode(x="low:Q", x2="high:Q")
    speed = (lines + dots).properties(width=230, height=34 * len(arms))
    title = "One step: replies, rewards, values, update (median over rounds; lines: 95 % interval)"
    alt.hconcat(steps, speed).properties(title=title).save(str(path), scale_factor=2)
