"""Pictures of how the simulated hotels behave, for ``benchmarks.hotels --plots FOLDER``.

Decided here: what is drawn and how; what is measured is ``benchmarks.hotels``'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import altair as alt

from agent.simulation import Conversation, Quality

if TYPE_CHECKING:
    from benchmarks.hotels import Estimate, LeverEffect, Talk

QUALITIES = ["excellent", "fine", "clumsy", "wrong"]
COLOURS = ["#1b7f5c", "#6aa6d6", "#e0a030", "#b5402f"]
LAST_TURN = 14
Rows = list[dict[str, Any]]


def draw(
    folder: Path,
    qualities: Mapping[str, Mapping[str, Estimate]],
    runs: Mapping[Quality, Sequence[Conversation]],
    levers: Sequence[LeverEffect],
    personas: Mapping[str, Mapping[str, Any]],
    talks: Mapping[str, Sequence[Talk]],
) -> Iterator[Path]:
    """Write every picture into a folder that exists; gives their paths."""
    pictures = {
        "hotels_quality": _quality(qualities),
        "hotels_goodwill": _goodwill(runs),
        "hotels_levers": _levers(levers),
        "hotels_personas": _personas(personas),
        "hotels_talks": _talks(talks),
    }
    for name, chart in pictures.items():
        path = folder / f"{name}.png"
        chart.save(str(path), scale_factor=2)
        yield path


def _scale() -> alt.Scale:
    return alt.Scale(domain=QUALITIES, range=COLOURS)


def _bars(rows: Rows, field: str, order: list[str], title: str, domain: list[float], colour: Any) -> Any:
    """Horizontal bars with their 95 % intervals."""
    axis = alt.Y(f"{field}:N", sort=order, title=None)
    base = alt.Chart(alt.Data(values=rows))
    bars = base.mark_bar().encode(x=alt.X("value:Q", title=title, scale=alt.Scale(domain=domain)), y=axis, color=colour)
    errors = base.mark_rule(color="#333").encode(x="low:Q", x2="high:Q", y=axis)
    return (bars + errors).properties(width=230, height=28 * len(order))


def _row(name: str, estimate: Estimate, **more: Any) -> dict[str, Any]:
    return {"name": name, "value": estimate.value, "low": estimate.low, "high": estimate.high, **more}


def _quality(qualities: Mapping[str, Mapping[str, Estimate]]) -> Any:
    titles = {"agreement": 1.0, "price captured": 0.7, "goodwill at the end": 1.0, "turns of ours": 15.0}
    colour = alt.Color("name:N", scale=_scale(), legend=None)
    charts = [
        _bars([_row(name, found[title]) for name, found in qualities.items()], "name", QUALITIES, title, [0, most], colour)
        for title, most in titles.items()
    ]
    rows = alt.vconcat(alt.hconcat(*charts[:2]), alt.hconcat(*charts[2:]))
    return rows.properties(title="Scripted BDs against the same simulated hotels (bars: mean, lines: 95 % interval)")


def _goodwill(runs: Mapping[Quality, Sequence[Conversation]]) -> Any:
    """Goodwill and the way given, turn by turn; a conversation that is over keeps its last value."""
    rows: Rows = []
    for quality, conversations in runs.items():
        for turn in range(LAST_TURN):
            views = [c.answers[min(turn, len(c.answers) - 1)].inner for c in conversations]
            stances = [c.profile.stances[0] for c in conversations]
            ways = [
                float((stance.opening - view.rooms[0].willing) / (stance.opening - stance.reservation))
                for stance, view in zip(stances, views, strict=True)
                if stance.opening > stance.reservation
            ]
            rows.append({"quality": str(quality), "turn": turn + 1, "goodwill": fmean(v.goodwill for v in views), "way given": fmean(ways)})
    charts = [
        alt.Chart(alt.Data(values=rows))
        .mark_line(point=True)
        .encode(
            x=alt.X("turn:Q", title="our message number", scale=alt.Scale(domain=[1, LAST_TURN])),
            y=alt.Y(f"{what}:Q", title=title, scale=alt.Scale(domain=[0, 1])),
            color=alt.Color("quality:N", scale=_scale(), title="BD"),
        )
        .properties(width=330, height=230)
        for what, title in (("goodwill", "goodwill"), ("way given", "share of the way to its reservation value"))
    ]
    return alt.hconcat(*charts).properties(title="How a hotel's mood and price move while it listens")


def _levers(levers: Sequence[LeverEffect]) -> Any:
    names = [effect.lever for effect in levers]
    prices: Rows = []
    goodwill: Rows = []
    for effect in levers:
        prices += [
            _row(effect.lever, effect.price_if_welcome, hotel="cares about it"),
            _row(effect.lever, effect.price_if_not, hotel="does not"),
        ]
        goodwill += [
            _row(effect.lever, effect.goodwill_if_welcome, hotel="cares about it"),
            _row(effect.lever, effect.goodwill_if_disliked, hotel="dislikes it"),
        ]
    charts = [
        _dots(prices, names, "price given for the argument (share of the way)"),
        _dots(goodwill, names, "change of goodwill"),
    ]
    return alt.hconcat(*charts).properties(title="The same request with an argument, beside without it")


def _dots(rows: Rows, order: list[str], title: str) -> Any:
    base = alt.Chart(alt.Data(values=rows)).encode(y=alt.Y("name:N", sort=order, title=None))
    hotels = alt.Scale(domain=["cares about it", "does not", "dislikes it"], range=["#1b7f5c", "#888888", "#b5402f"])
    dots = base.mark_point(filled=True, size=80).encode(
        x=alt.X("value:Q", title=title), color=alt.Color("hotel:N", scale=hotels, title="the hotel")
    )
    return (dots + base.mark_rule().encode(x="low:Q", x2="high:Q")).properties(width=300, height=200)


def _personas(personas: Mapping[str, Mapping[str, Any]]) -> Any:
    names = list(personas)
    most = {"agreement": 1.0, "goodwill at the end": 1.0, "turns of ours": 16.0, "silence": 0.4}
    colour = alt.Color("held:N", scale=alt.Scale(domain=["trained on", "held out"], range=["#6aa6d6", "#8d5fa8"]), title="persona")
    charts = [
        _bars(
            [_row(name, found[title], held="held out" if found["held out"] else "trained on") for name, found in personas.items()],
            "name", names, title, [0, top], colour,
        )
        for title, top in most.items()
    ]  # fmt: skip
    rows = alt.vconcat(alt.hconcat(*charts[:2]), alt.hconcat(*charts[2:]))
    return rows.properties(title="An excellent BD with each persona (bars: mean, lines: 95 % interval)")


def _talks(talks: Mapping[str, Sequence[Talk]]) -> Any:
    rows: Rows = [
        {"who": who, "weight": 1 / len(found), "messages": min(talk.messages, 30), "priced": min(talk.priced, 15)}
        for who, found in talks.items()
        for talk in found
    ]
    prices = {who: [talk.price for talk in found if talk.price is not None] for who, found in talks.items()}
    deals: Rows = [
        {"who": who, "weight": 1 / len(found), "price": min(max(price, -0.5), 1.49)} for who, found in prices.items() for price in found
    ]
    charts = [
        _histogram(rows, "messages", "messages in a talk (30: or more)", 2),
        _histogram(rows, "priced", "messages that name a price (15: or more)", 1),
        _histogram(deals, "price", "deal: buyer's wish = 0, first price = 1", 0.1),
    ]
    return alt.hconcat(*charts).properties(title="Lengths, prices named and deals beside people's bargaining")


def _histogram(rows: Rows, field: str, title: str, step: float) -> Any:
    return (
        alt.Chart(alt.Data(values=rows))
        .mark_bar()
        .encode(
            x=alt.X(f"{field}:Q", bin=alt.Bin(step=step), title=title),
            y=alt.Y("sum(weight):Q", title="share of talks", axis=alt.Axis(format="%")),
            row=alt.Row("who:N", title=None, header=alt.Header(labelAngle=0, labelAlign="left")),
            color=alt.Color("who:N", legend=None),
        )
        .properties(width=260, height=110)
    )
