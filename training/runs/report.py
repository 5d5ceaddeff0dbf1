"""The report of a run: one page that stands alone, written again and again while it runs.

Decided here: what is drawn and what is told. Whatever comes from models or people is escaped.
"""

import json
import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from db.vocabulary import RunState
from training.files import put
from training.runs.charts import STYLE, Curve, line_chart
from training.runs.metrics import by_step, read_metrics
from training.runs.plan import Plan
from training.runs.status import Status

REPORT = "report.html"
_SAMPLES = "samples.json"
_REFRESH_S = 20
PAGE_STYLE = STYLE + (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:76rem;margin:2rem auto;padding:0 1rem;color:var(--ink);background:var(--page)}"
    "table{border-collapse:collapse}td{padding:.25rem .8rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}"
    "td:first-child{color:var(--faint);white-space:nowrap}td{overflow-wrap:anywhere}"
    ".charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(340px,1fr));gap:1.2rem}svg{max-width:100%;height:auto}"
    ".pair{display:grid;grid-template-columns:1fr 1fr;gap:1rem}.said{border-left:3px solid var(--line);padding:.2rem .8rem}"
    ".after{border-color:var(--s3)}.quiet{color:var(--faint);font-size:13px}details{margin:.6rem 0}"
    "@media(max-width:40rem){.pair{grid-template-columns:1fr}}"
)

Series = tuple[tuple[str, str], ...]
PANELS: tuple[tuple[str, bool, Series], ...] = (
    ("Whole reward, R_total", False, (("training", "reward/total"), ("held out", "held_out/total"))),
    ("Reward model, R_model", False, (("training", "reward/model"), ("held out", "held_out/model"))),
    ("Enhancement E = judge + rules", False, (("E", "reward/enhanced"), ("judge", "reward/judge"), ("rules", "reward/functions"))),
    ("The same, held out", False, (("E", "held_out/enhanced"), ("judge", "held_out/judge"), ("rules", "held_out/functions"))),
    ("Disliked: R_model below 0", True, (("training", "reward/disliked_share"), ("held out", "held_out/disliked_share"))),
    ("Replies that break a rule", True, (("training", "reward/violation_rate"), ("held out", "held_out/violation_rate"))),
    (
        "Answers without a judgement, or no reply",
        True,
        (("not judged", "reward/judge_missing_share"), ("unreadable", "reward/unreadable_share")),
    ),
    ("KL to the start, nats a token", False, (("KL", "kl"),)),
    ("Weight of the KL penalty", False, (("weight", "kl_weight"),)),
    ("Entropy, nats a token", False, (("entropy", "entropy"),)),
    ("Length, tokens", False, (("training", "length"), ("held out", "held_out/length"))),
    ("Explained variance of the critic", False, (("of the returns", "value/explained_variance"),)),
    ("Clipped tokens", True, (("share", "clip_share"),)),
    ("Loss", False, (("loss", "loss"),)),
    ("Pairs in the right order", True, (("share", "rewards/accuracies"),)),
    ("Margin between the replies of a pair", False, (("margin", "rewards/margins"),)),
    ("Tokens guessed right", True, (("share", "mean_token_accuracy"),)),
    ("Seconds a step", False, (("rollout", "time/rollout"), ("rewards", "time/rewards"), ("update", "time/training_step"))),
    ("Gradient norm", False, (("before clipping", "grad_norm"),)),
)
"""Title, whether it is a share, and what is drawn: name and key."""


def write_report(folder: Path, plan: Plan, status: Status) -> Path:
    """Write ``report.html`` as things stand now; returns its path."""
    path = folder / REPORT
    put(path, render(plan, status, by_step(read_metrics(folder)), _samples(folder)))
    return path


def render(plan: Plan, status: Status, figures: Mapping[int, Mapping[str, Any]], samples: Sequence[Mapping[str, Any]]) -> str:
    """The page; ``figures`` are those of each step."""
    title = f"{plan.objective}, {status.state}"
    running = status.state is RunState.RUNNING
    parts = [
        f"<h1>{escape(plan.objective)} <small class=quiet>{escape(status.state)}, step {status.step} of {status.steps or '?'}</small></h1>",
        f"<p>{_origin(plan)}</p>",
        f"<p><strong>{escape(status.error)}</strong></p>" if status.error else "",
        _outcome(status, figures),
        "<h2>Curves</h2>",
        f"<div class=charts>{''.join(_panels(figures))}</div>" if figures else "<p>No step is over yet.</p>",
        _said(samples),
        "<h2>Configuration</h2>",
        _table(status.settings or plan.settings),
        "<h2>Where it comes from</h2>",
        _table(_provenance(plan, status)),
        f"<details><summary>Reward spec, version {plan.reward_spec.version}</summary><pre>"
        f"{escape(json.dumps(plan.spec, indent=1, ensure_ascii=False))}</pre></details>",
    ]
    refresh = f'<meta http-equiv="refresh" content="{_REFRESH_S}">' if running else ""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">{refresh}'
        f"<title>{escape(title)}</title><style>{PAGE_STYLE}</style>\n" + "\n".join(part for part in parts if part) + "\n</html>\n"
    )


def curve(figures: Mapping[int, Mapping[str, Any]], key: str) -> list[tuple[int, float]]:
    """Steps at which there is a finite number, with the number."""
    found = [(step, values.get(key)) for step, values in figures.items()]
    return [(step, float(value)) for step, value in found if isinstance(value, int | float) and math.isfinite(value)]


def _panels(figures: Mapping[int, Mapping[str, Any]]) -> list[str]:
    drawn: list[str] = []
    for title, share, series in PANELS:
        curves = [Curve(name=name, points=points) for name, key in series if (points := curve(figures, key))]
        if curves:
            drawn.append(line_chart(title, curves, share=share))
    return drawn


def _origin(plan: Plan) -> str:
    try:
        manifest = json.loads((plan.snapshot / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "Its snapshot is no longer there."
    if manifest.get("origin") == "simulated":
        return "Everything here is <strong>simulated</strong>: hotels, dialogues and the experts behind the reward model."
    return f"Learned from what was said and judged before {escape(str(manifest.get('as_of')))}."


def _outcome(status: Status, figures: Mapping[int, Mapping[str, Any]]) -> str:
    held_out = curve(figures, "held_out/total")
    rows: dict[str, Any] = {}
    if held_out:
        ends = [f"{value:+.3f} at step {step}" for step, value in (held_out[0], held_out[-1])]
        rows["R_total on held-out hotels"] = ", ".join(dict.fromkeys(ends))
    if status.best_step is not None and status.best_total is not None:
        rows["kept"] = f"the adapter of step {status.best_step}, R_total {status.best_total:+.3f}"
    if status.adapter:
        rows |= {"adapter": status.adapter, "SHA-256 of its weights": status.adapter_sha256}
    if status.judged:
        rows["judgements"] = ", ".join(f"{count:,} {what}" for what, count in sorted(status.judged.items()))
    return _table(rows) if rows else ""


def _said(samples: Sequence[Mapping[str, Any]]) -> str:
    if not samples:
        return ""
    blocks: list[str] = []
    for sample in samples:
        *earlier, last = [_turn(turn) for turn in sample["history"]] or ["<p class=quiet>The conversation opens here.</p>"]
        blocks.append(
            f"<h3 class=quiet>{escape(sample['stage'])}</h3>"
            + (f"<details><summary>what was said before</summary>{''.join(earlier)}</details>" if earlier else "")
            + last
            + f"<div class=pair>{_reply('before', sample['before'])}{_reply('after', sample['after'])}</div>"
        )
    return "<h2>Before and after</h2><p class=quiet>The same contexts and the same random numbers.</p>" + "".join(blocks)


def _turn(turn: Mapping[str, str]) -> str:
    return f"<p><span class=quiet>{escape(turn['speaker'])}</span> {escape(turn['text'])}</p>"


def _reply(when: str, reply: Mapping[str, Any] | None) -> str:
    if reply is None:
        return f'<div class="said {when}"><div class=quiet>{when}</div><em>An answer that is no reply.</em></div>'
    scored = ""
    if "total" in reply:
        judge = "not judged" if reply["judge"] is None else f"judge {reply['judge']:+.1f}"
        scored = f", R_total {reply['total']:+.2f} (R_model {reply['model']:+.2f}, {judge}, rules {reply['functions']:+.1f})"
    return f'<div class="said {when}"><div class=quiet>{when}: {escape(reply["move"])}{escape(scored)}</div>{escape(reply["text"])}</div>'


def _provenance(plan: Plan, status: Status) -> dict[str, Any]:
    return {
        "run": plan.id,
        "snapshot": f"{plan.snapshot}, SHA-256 {plan.snapshot_sha256}",
        "reward spec": f"version {plan.reward_spec.version}, SHA-256 {plan.reward_spec.digest}",
        "reward model": "none" if plan.reward_model is None else f"{plan.reward_model}, SHA-256 {plan.reward_model_sha256}",
        "judge": plan.judge + (f", {plan.judge_model}" if plan.judge_model else ""),
        "base": plan.base,
        "begins at": "the base" if plan.adapter is None else f"{plan.adapter}, SHA-256 {plan.adapter_sha256}",
        "threads, processes": f"{plan.threads}, {plan.processes}",
        "code": plan.git_revision or "not from a repository",
        "packages": ", ".join(f"{name} {number}" for name, number in plan.versions.items()),
        "log": status.log or "",
    }


def _table(rows: Mapping[str, Any]) -> str:
    cells = "".join(f"<tr><td>{escape(str(name))}</td><td>{escape(str(value))}</td></tr>" for name, value in rows.items())
    return f"<table>{cells}</table>"


def _samples(folder: Path) -> list[dict[str, Any]]:
    path = folder / _SAMPLES
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
