"""Curves as SVG, written by hand: a page that can be mailed needs no script and nothing from elsewhere."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

COLOURS = ("var(--s1)", "var(--s2)", "var(--s3)", "var(--s4)")
STYLE = (
    ":root{--s1:#2a78d6;--s2:#c05a00;--s3:#1b7f5c;--s4:#8c4fb5;--ink:#222;--faint:#777;--line:#e4e4e4;--page:#fff}"
    "@media(prefers-color-scheme:dark){:root{--s1:#6aa9f0;--s2:#f0a050;--s3:#5cc49a;--s4:#c79be8;--ink:#e8e8e8;--faint:#999;--line:#383838;"
    "--page:#161616}}"
    "figure{margin:0}figcaption{font-weight:600;margin-bottom:.2rem}svg text{fill:var(--faint);font-size:11px}"
    "svg .key{fill:var(--ink)}"
)
_WIDTH, _HEIGHT = 360, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 22, 28
_MANY = 60
"""Points from which a curve has no dots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Values by step, or along something else."""

    name: str
    points: Sequence[tuple[int, float]]


def line_chart(title: str, curves: Sequence[Curve], *, share: bool = False, along: str = "step") -> str:
    """A figure of one to four curves with at least one point; ``share`` fixes the axis to 0 … 1 in per cent, ``along`` names the other."""
    steps = [step for curve in curves for step, _ in curve.points]
    values = [value for curve in curves for _, value in curve.points]
    first, last = min(steps), max(max(steps), min(steps) + 1)
    low, high, ticks = (0.0, 1.0, [0.0, 0.25, 0.5, 0.75, 1.0]) if share else scale(min(values), max(values))

    def x(step: int) -> float:
        return _LEFT + (step - first) / (last - first) * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _TOP + (high - value) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" '
        f'stroke="{"var(--faint)" if tick == 0 else "var(--line)"}"/>'
        f'<text x="{_LEFT - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{f"{tick:.0%}" if share else f"{tick:.6g}"}</text>'
        for tick in ticks
    ]
    for step, anchor in ((first, "start"), (last, "end")):
        parts.append(f'<text x="{x(step):.1f}" y="{_HEIGHT - 10}" text-anchor="{anchor}">{along} {step}</text>')
    at = float(_LEFT)
    for curve, colour in zip(curves, COLOURS, strict=False):
        path = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in curve.points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"/>')
        radius = 3 if len(curve.points) < _MANY else 0
        parts += [
            f'<circle cx="{x(step):.1f}" cy="{y(value):.1f}" r="{radius}" fill="{colour}">'
            f"<title>{escape(curve.name)}, {along} {step}: {value:.4g}</title></circle>"
            for step, value in curve.points
            if radius
        ]
        parts.append(f'<rect x="{at:.0f}" y="4" width="10" height="10" rx="2" fill="{colour}"/>')
        parts.append(f'<text class="key" x="{at + 14:.0f}" y="13">{escape(curve.name)} {curve.points[-1][1]:.3g}</text>')
        at += 34 + 6.4 * (len(curve.name) + 6)
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg></figure>'
    )


def scale(low: float, high: float) -> tuple[float, float, list[float]]:
    """Ends of an axis and round ticks between them."""
    span = high - low or abs(high) or 1.0
    rough = span / 4
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
    bottom, top = math.floor(low / step), math.ceil(high / step)
    top = max(top, bottom + 1)
    return bottom * step, top * step, [round(index * step, 12) for index in range(bottom, top + 1)]
