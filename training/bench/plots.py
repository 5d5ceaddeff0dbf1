"""Figures with their intervals, one line an arm, as SVG written by hand: a page that can be mailed needs no script."""

from collections.abc import Sequence
from html import escape

from training.bench.results import Interval
from training.runs.charts import scale

_WIDTH, _LEFT, _RIGHT, _TOP, _LINE, _BOTTOM = 420, 110, 16, 8, 20, 24


def interval_chart(
    title: str,
    rows: Sequence[tuple[str, Interval, Sequence[float]]],
    *,
    share: bool,
    goal: float | None = None,
    strong: str = "",
) -> str:
    """A dot, its interval, and a stroke for each single training, for each of at least one row.

    ``goal`` is a dashed line, ``strong`` the row that stands out.
    """
    ends = [end for _, one, single in rows for end in (one.low, one.high, *single)] + ([] if goal is None else [goal])
    low, high, ticks = (0.0, 1.0, [0.0, 0.25, 0.5, 0.75, 1.0]) if share else scale(min(ends), max(ends))
    bottom = _TOP + _LINE * len(rows)

    def x(value: float) -> float:
        return _LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    parts = [
        f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{_TOP}" y2="{bottom}" stroke="var(--line)"/>'
        f'<text x="{x(tick):.1f}" y="{bottom + 14}" text-anchor="middle">{f"{tick:.0%}" if share else f"{tick:.6g}"}</text>'
        for tick in ticks
    ]
    if goal is not None:
        parts.append(
            f'<line x1="{x(goal):.1f}" x2="{x(goal):.1f}" y1="{_TOP}" y2="{bottom}" stroke="var(--s2)" stroke-dasharray="4 3">'
            f"<title>goal {goal:.4g}</title></line>"
        )
    for index, (name, one, single) in enumerate(rows):
        y, colour = _TOP + _LINE * (index + 0.5), "var(--s3)" if name == strong else "var(--s1)"
        parts.append(
            f'<text class="key" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(name)}</text>'
            f'<line x1="{x(one.low):.1f}" x2="{x(one.high):.1f}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="2"/>'
            f'<circle cx="{x(one.value):.1f}" cy="{y}" r="4" fill="{colour}"><title>{escape(name)}: {one.value:.4g} '
            f"({one.low:.4g} to {one.high:.4g})</title></circle>"
        )
        parts += [
            f'<line x1="{x(value):.1f}" x2="{x(value):.1f}" y1="{y - 7}" y2="{y + 7}" stroke="{colour}" stroke-width="1.5">'
            f"<title>{escape(name)}, training {number}: {value:.4g}</title></line>"
            for number, value in enumerate(single)
        ]
    height = bottom + _BOTTOM
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg></figure>'
    )
