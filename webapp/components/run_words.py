"""The words and marks around training: how a run is doing, how long it took, and what a policy said beside what another said."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

from db.vocabulary import RunState

_RUN_CLASS = {
    RunState.QUEUED: "p-quiet",
    RunState.RUNNING: "p-now",
    RunState.STOPPED: "p-warn",
    RunState.FAILED: "p-bad",
    RunState.DONE: "p-good",
}
OBJECTIVE_WORDS = {
    "sft": "Imitate (SFT)",
    "dpo": "Preferences (DPO)",
    "ppo": "PPO, reward model only",
    "grpo": "GRPO, reward model only",
    "repo": "REPO",
}


def run_chip(state: RunState) -> str:
    """A training run's state as a chip."""
    return f'<span class="p-chip {_RUN_CLASS[state]}">{escape(str(state))}</span>'


def objective_words(objective: str) -> str:
    """An objective as people call it."""
    return OBJECTIVE_WORDS.get(objective, objective)


def duration(start: datetime | None, end: datetime | None, *, now: datetime | None = None) -> str:
    """From start to end, or to now where it goes on: ``4 min 12 s``; empty where it has not begun."""
    if start is None:
        return ""
    return span_words((end or now or datetime.now(UTC)) - start)


def span_words(span: timedelta) -> str:
    """A length of time in the two largest units that it has."""
    seconds = max(round(span.total_seconds()), 0)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    if seconds < 86_400:
        return f"{seconds // 3600} h {seconds % 3600 // 60} min"
    return f"{seconds // 86_400} d {seconds % 86_400 // 3600} h"


def samples_html(samples: Sequence[Mapping[str, Any]], *, before: str = "Before", after: str = "After") -> str:
    """The same contexts answered by two policies, side by side (a run's ``samples.json``)."""
    return "".join(_sample(sample, before, after) for sample in samples)


def _sample(sample: Mapping[str, Any], before: str, after: str) -> str:
    history: Sequence[Mapping[str, str]] = sample.get("history") or ()
    heard = history[-1]["text"] if history else ""
    said = f"Hotel: {heard}" if heard.strip() else "The hotel has said nothing." if history else "The conversation opens here."
    return (
        f'<p class="p-heard">{escape(said)}</p><div class="p-pair">'
        f"{reply_html(sample.get('before'), before)}{reply_html(sample.get('after'), after, newer=True)}</div>"
    )


def reply_html(reply: Mapping[str, Any] | None, whose: str, *, newer: bool = False) -> str:
    """One policy's reply with its reward, where it has one."""
    kind = "p-said p-after" if newer else "p-said"
    if reply is None:
        return f'<div class="{kind}"><p class="p-label">{escape(whose)}</p><em>An answer that is no reply.</em></div>'
    total = reply.get("total")
    scored = f" · R_total {total:+.2f}" if isinstance(total, int | float) else ""
    return f'<div class="{kind}"><p class="p-label">{escape(whose)}{escape(scored)}</p>{escape(str(reply.get("text", "")))}</div>'
