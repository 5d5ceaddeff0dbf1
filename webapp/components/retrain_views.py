"""A retrain to look at: its state, its steps with what each found, and the gate's verdict with every criterion.

Decided here: words, marks and pictures. What a step does is ``training.jobs``' to say, and what the gate asks ``training.release.gate``'s.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from html import escape
from typing import Any

import altair as alt

from db.models import Retrain, RetrainStepRow
from db.vocabulary import RetrainState, RetrainStep, RetrainTrigger, StepState
from webapp.components.rating_charts import FINE, ODD, QUIET, Picture
from webapp.components.run_words import duration, objective_words
from webapp.components.words import moment

STATE_WORDS: dict[RetrainState, str] = {
    RetrainState.QUEUED: "Waits",
    RetrainState.RUNNING: "At work",
    RetrainState.CANARY: "Canary",
    RetrainState.LIVE: "Live",
    RetrainState.REJECTED: "Rejected by the gate",
    RetrainState.FAILED: "Failed",
    RetrainState.CANCELLED: "Cancelled",
    RetrainState.ROLLED_BACK: "Rolled back",
}
_STATE_CLASS = {
    RetrainState.QUEUED: "p-quiet",
    RetrainState.RUNNING: "p-now",
    RetrainState.CANARY: "p-warn",
    RetrainState.LIVE: "p-good",
    RetrainState.REJECTED: "p-bad",
    RetrainState.FAILED: "p-bad",
    RetrainState.CANCELLED: "p-dim",
    RetrainState.ROLLED_BACK: "p-bad",
}
STEP_WORDS: dict[RetrainStep, str] = {
    RetrainStep.SNAPSHOT: "Snapshot",
    RetrainStep.REWARD_MODEL: "Reward model",
    RetrainStep.POLICY: "Policy",
    RetrainStep.EVALUATE: "Evaluate",
    RetrainStep.GATE: "Gate",
    RetrainStep.PUBLISH: "Publish",
    RetrainStep.CANARY: "Canary",
    RetrainStep.LIVE: "Live",
}
TRIGGER_WORDS: dict[RetrainTrigger, str] = {
    RetrainTrigger.BY_HAND: "by hand",
    RetrainTrigger.SCHEDULE: "by the schedule",
    RetrainTrigger.RATINGS: "enough new ratings",
    RetrainTrigger.BAD_CASE: "a new bad case",
}
_MARKS = {StepState.WAITING: "○", StepState.RUNNING: "◐", StepState.DONE: "✓", StepState.FAILED: "✗", StepState.SKIPPED: "–"}
_STEP_CLASS = {StepState.RUNNING: "p-at", StepState.FAILED: "p-broken"}
_MOST_FIGURES = 6
_LONGEST = 90


def state_chip(state: RetrainState) -> str:
    """A retrain's state as a chip."""
    return f'<span class="p-chip {_STATE_CLASS[state]}">{escape(STATE_WORDS[state])}</span>'


def retrain_words(retrain: Retrain) -> str:
    """What it trains, in a few words."""
    return plan_words(retrain.plan)


def plan_words(plan: Mapping[str, Any]) -> str:
    """What a plan trains, and on what: ``REPO, simulated dialogues``."""
    material: Mapping[str, Any] = plan.get("material") or {}
    learned = "simulated dialogues" if material.get("kind") == "simulated" else "judged here"
    return f"{objective_words(str(plan.get('objective', 'repo')))}, {learned}"


def asked_words(retrain: Retrain, zone: tzinfo) -> str:
    """Who or what asked for it, and when; with its ``requester`` and ``schedule``."""
    by = retrain.requester.name if retrain.requester is not None else TRIGGER_WORDS[retrain.trigger]
    schedule = f" “{retrain.schedule.name}”" if retrain.schedule is not None else ""
    return f"Asked for {moment(retrain.created_at, zone=zone)}: {by}{schedule}"


def done_share(retrain: Retrain, steps: Sequence[RetrainStepRow] = ()) -> float:
    """How much of its steps is behind it, from 0 to 1; by its present step where the rows are not at hand."""
    if steps:
        return sum(1.0 if row.state in (StepState.DONE, StepState.SKIPPED) else row.progress for row in steps) / len(steps)
    if retrain.state is RetrainState.LIVE:
        return 1.0
    order = list(RetrainStep)
    return order.index(retrain.step) / len(order) if retrain.step is not None else 0.0


def steps_html(steps: Sequence[RetrainStepRow], *, now: datetime | None = None) -> str:
    """The chain of steps, each with how long it took and what it found."""
    return f'<ol class="p-steps" aria-label="Steps">{"".join(_step(row, now) for row in steps)}</ol>'


def _step(row: RetrainStepRow, now: datetime | None) -> str:
    running = row.state is StepState.RUNNING
    bar = f'<div class="p-bar"><i style="width:{row.progress:.0%}"></i></div>' if running else ""
    took = duration(row.started_at, row.ended_at, now=now) if row.ended_at is not None or running else ""
    mark = f'<span aria-label="{escape(str(row.state))}">{_MARKS[row.state]}</span><b>{escape(STEP_WORDS[row.step])}</b>'
    found = f'<span class="p-label">{escape(figures_words(row.figures))}</span>'
    return f'<li class="{_STEP_CLASS.get(row.state, "")}">{mark}{found}<time>{took}</time>{bar}</li>'


def figures_words(figures: Mapping[str, Any]) -> str:
    """What a step found, as a line: ``pairs 1,204, accuracy 0.71``."""
    doing = figures.get("doing")
    if isinstance(doing, str) and doing:
        return doing[:_LONGEST]
    plain = [(name, value) for name, value in figures.items() if isinstance(value, int | float | str)]
    return ", ".join(f"{name.replace('_', ' ')} {_short(value)}" for name, value in plain[:_MOST_FIGURES])


def _short(value: float | str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.3g}"
    # A folder says most with its last part.
    text = value.rpartition("/")[2] or value
    return text if len(text) <= _LONGEST // 2 else text[: _LONGEST // 2 - 1] + "…"


# -- the gate ---------------------------------------------------------------------------------------------------------------------------


def verdict_html(verdict: Mapping[str, Any]) -> str:
    """Every criterion of the gate, met or not, with what was found."""
    criteria: Sequence[Mapping[str, Any]] = verdict.get("criteria") or ()
    return f'<ul class="p-verdicts" aria-label="Criteria">{"".join(_criterion(one) for one in criteria)}</ul>'


def _criterion(one: Mapping[str, Any]) -> str:
    met = bool(one.get("met"))
    look = 'class="p-minor" style="background:var(--p-good-bg);border-color:var(--p-good)"' if met else 'class="p-severe"'
    chip = '<span class="p-chip p-good">met</span>' if met else '<span class="p-chip p-bad">not met</span>'
    title, says = str(one.get("title", "")), str(one.get("says", ""))
    return f"<li {look}><b>{escape(title[:1].upper() + title[1:])}</b> {chip}<br>{escape(says)}</li>"


def passed(verdict: Mapping[str, Any]) -> bool:
    """Whether every criterion was met."""
    criteria: Sequence[Mapping[str, Any]] = verdict.get("criteria") or ()
    return bool(criteria) and all(bool(one.get("met")) for one in criteria)


def gain_chart(verdict: Mapping[str, Any]) -> Picture | None:
    """The gain in stars over the live version with its 95 % interval; None where it was not measured."""
    criteria: Sequence[Mapping[str, Any]] = verdict.get("criteria") or ()
    figures: Mapping[str, float] = next((one.get("figures") or {} for one in criteria if one.get("name") == "better"), {})
    if not {"gain", "low", "high"} <= set(figures):
        return None
    row = {name: figures[name] for name in ("gain", "low", "high")}
    widest = max(abs(row["low"]), abs(row["high"]), 0.2) * 1.15
    scale = alt.Scale(domain=[-widest, widest], nice=False)
    colour = FINE if figures["low"] > 0 else ODD if figures["high"] < 0 else QUIET
    zero = alt.Chart(alt.Data(values=[{"at": 0}])).mark_rule(color=QUIET, strokeDash=[4, 4]).encode(x="at:Q")
    base = alt.Chart(alt.Data(values=[row])).encode(
        tooltip=[alt.Tooltip("gain:Q", format="+.3f"), alt.Tooltip("low:Q", format="+.3f"), alt.Tooltip("high:Q", format="+.3f")]
    )
    rule = base.mark_rule(strokeWidth=3, color=colour).encode(
        x=alt.X("low:Q", scale=scale, title="stars more than the live version"), x2="high:Q"
    )
    dot = base.mark_point(filled=True, size=120, opacity=1, color=colour).encode(x=alt.X("gain:Q", scale=scale))
    return alt.layer(zero, rule, dot).properties(height=105)
