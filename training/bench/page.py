"""The report of a benchmark: one page that stands alone.

Decided here: what is drawn and what is told. Whatever comes from models is escaped.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import chain, count
from pathlib import Path
from statistics import fmean
from typing import Any

from agent.language.prompts import LANGUAGES
from training.bench.arms import BASE, REPO
from training.bench.measures import PolicyFigures, Sample
from training.bench.plan import BenchPlan
from training.bench.plots import interval_chart
from training.bench.results import GOALS, Cases, Results, Row, measured_figures
from training.bench.show import SHORT, languages_of, spelt, spelt_cases, spelt_interval, spelt_language, spelt_number
from training.bench.stages import Work, of
from training.bench.statistics import FIGURES, figure
from training.files import put
from training.runs.charts import COLOURS, Curve, line_chart
from training.runs.metrics import by_step, read_metrics
from training.runs.report import PAGE_STYLE, curve

PAGE = "bench.html"
_TOGETHER = 3
"""Replies that are one point of the curve along a dialogue."""
_STYLE = PAGE_STYLE + (
    "th{text-align:left;padding:.25rem .8rem .25rem 0}td.n,th.n{white-space:nowrap}.talk{display:grid;gap:1rem;"
    "grid-template-columns:repeat(auto-fit,minmax(18rem,1fr))}.scroll{overflow-x:auto}"
)
CURVES: tuple[tuple[str, str, bool], ...] = (
    ("Reward model on validation hotels, R_model", "held_out/model", False),
    ("What the arm learns from, on validation hotels", "held_out/total", False),
    ("Replies that break a rule, validation", "held_out/violation_rate", True),
    ("No reply, validation", "held_out/unreadable_share", True),
    ("Length, tokens, validation", "held_out/length", False),
    ("KL to the base, nats a token", "kl", False),
    ("Entropy, nats a token", "entropy", False),
    ("Explained variance of the critic", "value/explained_variance", False),
    ("Judge", "reward/judge", False),
    ("Rules", "reward/functions", False),
    ("Disliked: R_model below 0", "reward/disliked_share", True),
)
"""Title, key in ``metrics.jsonl``, whether it is a share."""


def write_page(root: Path, plan: BenchPlan, found: Results) -> Path:
    """Write ``bench.html``; returns its path."""
    put(root / PAGE, render(found, _curves(root, plan), measured_figures(root, plan)))
    return root / PAGE


def render(found: Results, curves: Mapping[str, Mapping[int, Mapping[str, Any]]], figures: Mapping[str, Sequence[PolicyFigures]]) -> str:
    """The page; ``curves`` are each arm's metrics by step, mean over its seeds."""
    profile = found.profile
    parts = [
        f"<h1>Benchmark {escape(profile['name'])} <small class=quiet>{len(found.rows)} arms, {profile['seeds']} seed(s)</small></h1>",
        "<p>Everything here is <strong>simulated</strong>: hotels, dialogues, raters. Replies are drawn as in service, and each policy "
        f"speaks alone: no guard, no rewrite, no template. {profile['dialogues']} dialogues with held-out hotels an arm and seed. "
        f"Intervals are 95 %{', strokes are single trainings' if profile['seeds'] > 1 else ''}.</p>",
        f"<h2>Goals</h2>{_goals(found)}",
        f"<h2>The table</h2>{_table(found)}",
        f"<div class=charts>{''.join((*_intervals(found), *_as_talks_go_on(figures)))}</div>",
        f"<h2>By language, and bad cases</h2>{_cases(found)}" if any(row.cases_by_fault for row in found.rows) else "",
        f"<h2>REPO against each</h2>{_comparisons(found)}" if found.comparisons else "",
        f"<h2>Learning</h2><div class=charts>{''.join(_learning(curves))}</div>",
        f"<h2>The same hotels, side by side</h2>{_talks(found, figures)}",
        f"<h2>Trainings</h2>{_trainings(found)}",
        f"<h2>Where it comes from</h2>{_pairs(_provenance(found))}",
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Benchmark {escape(profile['name'])}</title><style>{_STYLE}</style>\n" + "\n".join(filter(None, parts)) + "\n</html>\n"
    )


def _goals(found: Results) -> str:
    if not found.goals:
        return "<p>REPO was not measured.</p>"
    rows = [
        [SHORT[goal.figure], f"≥ {goal.goal:.2%}" if figure(goal.figure).share else f"≥ {goal.goal:.2f}",
         spelt_interval(goal.reached, figure(goal.figure)), "met" if goal.met else "not met"]
        for goal in found.goals
    ]  # fmt: skip
    wins = "; ".join(f"{SHORT[name]}: {'above all of them' if above else 'not above all'}" for name, above in found.wins.items())
    return _grid(["REPO", "goal", "reached", ""], rows) + (
        f"<p>REPO beside base, SFT, DPO, PPO and GRPO, by value: {wins}.</p>" if wins else ""
    )


def _table(found: Results) -> str:
    names = [known.name for known in FIGURES if any(known.name in row.figures for row in found.rows)]
    rows = [[row.arm, row.says, *(spelt(row, name) for name in names), _passes(row)] for row in found.rows]
    return _grid(["arm", "", *(SHORT.get(name, figure(name).title) for name in names), "pass^k"], rows)


def _passes(row: Row) -> str:
    return ", ".join(f"{k}: {chance:.0%}" for k, chance in row.pass_k.items())


def _intervals(found: Results) -> Iterator[str]:
    for known in FIGURES:
        rows = [(row.arm, row.figures[known.name], _single(row, known.name)) for row in found.rows if known.name in row.figures]
        if rows:
            yield interval_chart(known.title, rows, share=known.share, goal=GOALS.get(known.name), strong=REPO)


def _as_talks_go_on(figures: Mapping[str, Sequence[PolicyFigures]]) -> Iterator[str]:
    """Stars by a reply's place in its dialogue, the base beside three others in each chart."""
    drawn = {name: Curve(name=name, points=points) for name, seeds in figures.items() if (points := _along(seeds))}
    first = [drawn.pop(BASE)] if BASE in drawn else []
    others, room = list(drawn.values()), len(COLOURS) - len(first)
    for start in range(0, max(len(others), len(first)), room):
        yield line_chart("Stars of our replies, in the order of a dialogue", [*first, *others[start : start + room]], along="reply")


def _along(seeds: Sequence[PolicyFigures]) -> list[tuple[int, float]]:
    """The mean of each three replies, at the middle one, as far as a quarter of the dialogues go."""
    talks = [dialogue.stars for one in seeds for dialogue in one.dialogues if dialogue.stars]
    points: list[tuple[int, float]] = []
    for start in count(0, _TOGETHER):
        stars = [some for talk in talks if (some := talk[start : start + _TOGETHER])]
        if len(stars) * 4 < max(len(talks), 1):
            return points
        points.append((start + 1 + _TOGETHER // 2, fmean(chain.from_iterable(stars))))
    raise AssertionError("dialogues end")


def _single(row: Row, name: str) -> tuple[float, ...]:
    """What each training came to, where there are several."""
    values = row.by_training.get(name, ())
    return values if len(values) > 1 else ()


def _cases(found: Results) -> str:
    """By language, with the rating of dialogues, and by fault: an arm a column, shares fixed and fixed cleanly."""
    spoken = [
        [LANGUAGES.get(language, language), _answers([row.cases_by_language.get(language) for row in found.rows]),
         *(", ".join(cell for cell in spelt_language(row, language) if cell) for row in found.rows)]
        for language in languages_of(found)
    ]  # fmt: skip
    faults = [
        [fault.replace("_", " "), _answers([row.cases_by_fault.get(fault) for row in found.rows]),
         *(", ".join(spelt_cases(row.cases_by_fault.get(fault))) for row in found.rows)]
        for fault in dict.fromkeys(fault for row in found.rows for fault in row.cases_by_fault)
    ]  # fmt: skip
    heads = (["", "answers an arm", *(f"{row.arm}: {told}" for row in found.rows)] for told in ("rating, fix, clean", "fix, clean"))
    return "<br>".join(_grid(head, rows) for head, rows in zip(heads, (spoken, faults), strict=True))


def _answers(some: Sequence[Cases | None]) -> int:
    return max((one.answers for one in some if one is not None), default=0)


def _comparisons(found: Results) -> str:
    rows = [
        [one.other, SHORT[one.figure],
         *(spelt_number(value, figure(one.figure), signed=True) for value in (one.value, one.low, one.high)), f"{one.p:.4f}",
         f"{one.p_corrected:.4f}", one.verdict]
        for one in found.comparisons
    ]  # fmt: skip
    note = "<p class=quiet>By pairs of the same hotels or cases; p by sign flips, corrected over the other arms of a figure (Holm).</p>"
    return note + _grid(["against", "figure", "difference", "low", "high", "p", "corrected", "REPO is"], rows)


def _curves(root: Path, plan: BenchPlan) -> dict[str, dict[int, dict[str, Any]]]:
    found: dict[str, dict[int, dict[str, Any]]] = {}
    for name in plan.profile.arms:
        if name != BASE:
            seeds = [by_step(read_metrics(root / of(name, seed, Work.TRAINING))) for seed in range(plan.profile.seeds)]
            found[name] = _mean(seeds)
    return found


def _mean(seeds: Sequence[Mapping[int, Mapping[str, Any]]]) -> dict[int, dict[str, Any]]:
    """At each step that all seeds have, the mean of each figure that all have there."""
    first, *others = seeds
    found: dict[int, dict[str, Any]] = {}
    for step in first:
        if all(step in other for other in others):
            at = [seed[step] for seed in seeds]
            known = [name for name in at[0] if all(isinstance(one.get(name), int | float) for one in at)]
            found[step] = {name: fmean(one[name] for one in at) for name in known}
    return found


def _learning(curves: Mapping[str, Mapping[int, Mapping[str, Any]]]) -> Iterator[str]:
    for title, key, share in CURVES:
        drawn = [Curve(name=name, points=points) for name, metrics in curves.items() if (points := curve(metrics, key))]
        for start in range(0, len(drawn), len(COLOURS)):
            yield line_chart(title, drawn[start : start + len(COLOURS)], share=share)


def _talks(found: Results, figures: Mapping[str, Sequence[PolicyFigures]]) -> str:
    shown = _side_by_side(found)
    samples = {name: figures[name][0].samples for name in shown}
    blocks: list[str] = []
    for number in dict.fromkeys(sample.number for sample in samples[shown[0]]):
        talks = {name: [sample for sample in samples[name] if sample.number == number] for name in shown}
        first = talks[shown[0]][0]
        columns = "".join(f"<div><h4>{escape(name)}</h4>{''.join(map(_turn, talk))}</div>" for name, talk in talks.items())
        blocks.append(
            f"<details{' open' if not blocks else ''}><summary>{escape(first.hotel)}, {escape(first.persona)}</summary>"
            f"<p class=quiet>{'<br>'.join(map(escape, first.facts))}</p><div class=talk>{columns}</div></details>"
        )
    return "".join(blocks)


def _side_by_side(found: Results) -> list[str]:
    """Base, REPO, and the best of the others by rating."""
    arms = [row.arm for row in found.rows]
    others = [row for row in found.rows if row.arm not in (BASE, REPO)]
    best = [max(others, key=lambda row: row.figures["rating"].value).arm] if others else []
    return [name for name in (BASE, *best, REPO) if name in arms]


def _turn(sample: Sample) -> str:
    heard = f"<p class=quiet>{escape(sample.heard) or '…'}</p>" if sample.turn > 1 else ""
    note = f"{escape(sample.move)}, {sample.stars:.1f} stars" + ("" if sample.readable else ", no reply: the safe template was said")
    return f'{heard}<div class="said{" after" if sample.readable else ""}"><div class=quiet>{note}</div>{escape(sample.reply)}</div>'


def _trainings(found: Results) -> str:
    rows = [
        [row.arm, seed, f"{row.by_training['rating'][seed]:.2f}", one.steps, _known(one.best_step, "d"), _known(one.best_total, "+.3f"),
         f"{one.cpu_seconds:.0f}", one.adapter_sha256[:16]]
        for row in found.rows
        for seed, one in enumerate(row.training)
    ]  # fmt: skip
    return _grid(
        ["arm", "seed", SHORT["rating"], "steps", "kept step", "its reward, validation", "processor seconds", "SHA-256 of the adapter"],
        rows,
    )


def _known(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _provenance(found: Results) -> dict[str, Any]:
    return {
        "plan": found.plan,
        "reward spec": found.spec,
        "judge": found.judge,
        "code": found.git_revision or "not from a repository",
        "packages": ", ".join(f"{name} {number}" for name, number in found.versions.items()),
        **{name: value for name, value in found.profile.items() if name != "arms"},
    }


def _pairs(rows: Mapping[str, Any]) -> str:
    return (
        f"<table>{''.join(f'<tr><td>{escape(str(name))}</td><td>{escape(str(value))}</td></tr>' for name, value in rows.items())}</table>"
    )


def _grid(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td class=n>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
    return f"<div class=scroll><table><tr>{top}</tr>{body}</table></div>"
