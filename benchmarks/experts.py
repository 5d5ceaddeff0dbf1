"""What the simulated experts make of replies of known quality: ``python -m benchmarks.experts [--conversations N] [--plots] [--json]``.

Scripted BDs of every quality, the safe templates and the phrasebook's wrong lines are rated by a panel. Reported are the ratings by
quality, the faults found against the faults planted (with the phrasebook, and again with each line taken out of it, as for a model's own
words), the agreement between the experts, and each expert's bias and noise as recovered from its ratings. Everything is simulated.
"""

import argparse
import json
import random
import statistics
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import altair as alt
import numpy as np
from rich.console import Console
from rich.table import Table

from agent.language.blanks import blanks
from agent.language.templates import template
from agent.simulation import BDPhrase, Conversation, Quality, converse, phrasebook, sample_profile
from training.badcases import cases
from training.experts import (
    Alpha,
    FaultKind,
    Judgement,
    Rating,
    Reader,
    Recovered,
    Truth,
    agreement,
    dialogue_score,
    judge,
    outcome_of,
    panel,
    recover,
    witness,
    witnessed,
)

TODAY = date(2027, 1, 4)
IMAGES = Path(__file__).parent.parent / "docs" / "images"
SOURCES = ("excellent", "fine", "clumsy", "wrong", "template")
FOLDS = 5
PER_LINE = 4
"""Places in which each wrong line is planted."""
MIX = {Quality.EXCELLENT: 1 / 3, Quality.FINE: 1 / 2, Quality.CLUMSY: 1 / 6}
"""An average BD."""


@dataclass(frozen=True, slots=True)
class Place:
    """A point in a conversation: its seed and the truth of what was said there."""

    seed: int
    truth: Truth


@dataclass(frozen=True, slots=True)
class Planted:
    """A wrong line in a place where it may be said."""

    line: BDPhrase
    truth: Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultFigures:
    """How one fault is found."""

    planted: int
    recall: float
    precision: float
    """Share of the findings among the planted lines that were this one."""


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean with its 95 % interval (normal)."""
    mean = statistics.fmean(values)
    half = 1.96 * statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return mean, mean - half, mean + half


def said_again(place: Place, text: str) -> Truth:
    """Another reply in the same place."""
    truth = place.truth
    return witness(
        truth.context, truth.move, text, profile=truth.profile, mandates=truth.mandates, seed=place.seed, heard=truth.heard
    )  # fmt: skip


def plant(places: Sequence[Place]) -> Iterator[Planted]:
    """Every English wrong line of the phrasebook, in ``PER_LINE`` places where its move is made and its slots can be filled."""
    rng = random.Random("experts")
    by_move: defaultdict[str, list[Place]] = defaultdict(list)
    for place in places:
        by_move[place.truth.move.kind].append(place)
    for line in phrasebook().bd:
        if line.fault is None or line.language != "en":
            continue
        pool = [place for move in sorted(line.moves) for place in by_move[move] if _may_stand(line, place.truth)]
        count = 0
        for place in rng.sample(pool, k=len(pool)):
            values = blanks(place.truth.context, place.truth.move)
            if line.slots <= values.keys():
                yield Planted(line, said_again(place, line.text.format_map(values)))
                count += 1
            if count == PER_LINE:
                break


def _may_stand(line: BDPhrase, truth: Truth) -> bool:
    if line.stages and truth.context.stage not in line.stages:
        return False
    return line.fault != FaultKind.ONE_ROOM_ONLY or len(truth.context.facts) > 1


def find(planted: Sequence[Planted], through: Callable[[BDPhrase], Reader]) -> tuple[dict[str, FaultFigures], Counter[tuple[str, str]]]:
    """Recall and precision by fault, and how often (planted, found) came together; "none" stands for nothing found."""
    pairs: Counter[tuple[str, str]] = Counter()
    total: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for item in planted:
        fault = str(item.line.fault)
        kinds = {str(named.kind) for named in judge(item.truth, through(item.line)).faults}
        total[fault] += 1
        found.update(kinds)
        pairs.update((fault, kind) for kind in kinds or {"none"})
    figures = {
        fault: FaultFigures(
            planted=total[fault], recall=pairs[fault, fault] / total[fault], precision=pairs[fault, fault] / max(found[fault], 1)
        )
        for fault in sorted(total)
    }
    return figures, pairs


def bad_cases() -> dict[str, float]:
    """The bad and the good reply of every curated case, heard by a hotel of its own; their words stand in no phrasebook."""
    bad: list[tuple[str, Judgement]] = []
    good: list[Judgement] = []
    for seed, case in enumerate(cases()):
        profile = sample_profile(case.context.facts, seed)
        said = [witness(case.context, reply.move, reply.text, profile=profile, mandates={}, seed=seed) for reply in (case.bad, case.good)]
        bad.append((str(case.fault), judge(said[0])))
        good.append(judge(said[1]))
    return {
        "cases": len(bad),
        "fault_found": statistics.fmean(any(str(fault.kind) == name for fault in judged.faults) for name, judged in bad),
        "good_faulted": statistics.fmean(bool(judged.faults) for judged in good),
        "bad_score": statistics.fmean(judged.score for _, judged in bad),
        "good_score": statistics.fmean(judged.score for judged in good),
    }


def _per_reply(ratings: Sequence[Sequence[Rating]]) -> list[float]:
    """The panel's mean stars for each reply."""
    return [statistics.fmean(rating.stars for rating in column) for column in zip(*ratings, strict=True)]


def recovered_of(ratings: Sequence[Sequence[Rating]], judgements: Sequence[Judgement]) -> list[Recovered]:
    """Each expert's bias and noise from its ratings."""
    scores = [judgement.score for judgement in judgements]
    return [recover([rating.stars for rating in row], scores) for row in ratings]


def main() -> None:
    """Measure, print, and draw where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=80, help="scripted conversations for each quality")
    parser.add_argument("--plots", action="store_true", help="draw docs/images/experts_*.png again")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    experts = panel(seed=1)
    seeds = range(arguments.conversations)
    qualities = (Quality.EXCELLENT, Quality.FINE, Quality.CLUMSY)
    talks: dict[Quality, list[tuple[Conversation, tuple[Truth, ...]]]] = {}
    for quality in qualities:
        conversations = [converse(seed, today=TODAY, quality=quality) for seed in seeds]
        talks[quality] = [(conversation, witnessed(conversation)) for conversation in conversations]
    places = [
        Place(seed, truth)
        for quality in (Quality.EXCELLENT, Quality.FINE)
        for seed, (_, truths) in zip(seeds, talks[quality], strict=True)
        for truth in truths
    ]
    planted = list(plant(places))
    truths: dict[str, list[Truth]] = {str(quality): [truth for _, said in talks[quality] for truth in said] for quality in qualities}
    truths["wrong"] = [item.truth for item in planted]
    truths["template"] = [
        said_again(place, template(place.truth.context, place.truth.move)) for place in places[:: max(len(places) // 400, 1)]
    ]

    started = time.process_time()
    judgements = {source: [judge(truth) for truth in truths[source]] for source in SOURCES}
    seconds = time.process_time() - started
    ratings: dict[str, list[list[Rating]]] = {
        source: [[expert.rate_judged(t, j) for t, j in zip(truths[source], judgements[source], strict=True)] for expert in experts]
        for source in SOURCES
    }
    stars = {source: [rating.stars for row in ratings[source] for rating in row] for source in SOURCES}
    means = {source: interval(_per_reply(ratings[source])) for source in SOURCES}
    excellent = {source: statistics.fmean(rating.excellent for row in ratings[source] for rating in row) for source in SOURCES}
    mixed = sum(share * means[str(quality)][0] for quality, share in MIX.items())
    alarms = {
        source: statistics.fmean(bool(judgement.faults) for judgement in judgements[source]) for source in SOURCES if source != "wrong"
    }
    dialogues = {
        str(quality): interval(
            [dialogue_score([judge(truth) for truth in said], outcome_of(said[-1], talk.state)) for talk, said in talks[quality]]
        )
        for quality in qualities
    }

    book = phrasebook().bd
    whole = Reader(book)
    with_book, pairs = find(planted, lambda line: whole)
    without = [Reader(line for line in book if zlib.crc32(line.text.encode()) % FOLDS != fold) for fold in range(FOLDS)]
    left_out, _ = find(planted, lambda line: without[zlib.crc32(line.text.encode()) % FOLDS])

    together = [sum((ratings[source][index] for source in SOURCES), start=list[Rating]()) for index in range(len(experts))]
    alphas = agreement(together)
    all_judgements = sum((judgements[source] for source in SOURCES), start=list[Judgement]())
    recovered = recovered_of(together, all_judgements)

    console = Console(width=130)
    table = Table(
        "replies of", "n", "mean stars", "95 %", "true score", "called excellent", "with a fault", title="Ratings by quality (simulated)"
    )
    for source in SOURCES:
        mean, low, high = means[source]
        score = statistics.fmean(judgement.score for judgement in judgements[source])
        table.add_row(source, str(len(truths[source])), f"{mean:.2f}", f"{low:.2f} to {high:.2f}", f"{score:.2f}",
                      f"{excellent[source]:.0%}", f"{alarms[source]:.1%}" if source in alarms else "")  # fmt: skip
    console.print(table)
    console.print(f"An average BD (1/3 excellent, 1/2 fine, 1/6 clumsy) comes to {mixed:.2f}.")
    console.print(f"Stars given: {dict(sorted(Counter(sum(stars.values(), start=list[int]())).items()))}")
    console.print(
        "Dialogues: " + ", ".join(f"{name} {mean:.2f} ({low:.2f} to {high:.2f})" for name, (mean, low, high) in dialogues.items())
    )
    console.print(_fault_table(with_book, left_out, alphas))
    table = Table(
        "expert", "bias", "recovered", "noise", "recovered", "replies", title="What is known of each expert, and what its ratings show"
    )
    for expert, shown in zip(experts, recovered, strict=True):
        table.add_row(
            expert.name, f"{expert.bias:+.2f}", f"{shown.bias:+.2f}", f"{expert.noise:.2f}", f"{shown.noise:.2f}", str(shown.replies)
        )
    console.print(table)
    table = Table("agreement on", "alpha", "95 %", title="Krippendorff's alpha between five experts")
    for name in ("stars", "excellent", "any fault"):
        table.add_row(name, f"{alphas[name].value:.2f}", f"{alphas[name].low:.2f} to {alphas[name].high:.2f}")
    console.print(table)
    curated = bad_cases()
    console.print(
        f"Bad cases: {curated['cases']}; the fault is named in {curated['fault_found']:.0%} of the bad replies, "
        f"{curated['good_faulted']:.0%} of the good ones are faulted; "
        f"true scores {curated['bad_score']:.2f} and {curated['good_score']:.2f}."
    )
    speed = len(all_judgements) / seconds
    console.print(f"{speed:.0f} replies judged in a second of one core, from a cold start.")

    if arguments.plots:
        known = [(e.bias, r.bias, e.noise, r.noise, e.name) for e, r in zip(experts, recovered, strict=True)]
        draw(ratings, judgements, means, pairs, {fault: figures.planted for fault, figures in with_book.items()}, known)
    if arguments.json:
        print(json.dumps({
            "stars": {source: [round(value, 3) for value in means[source]] for source in SOURCES}, "mix": round(mixed, 3),
            "false_alarms": {source: round(share, 4) for source, share in alarms.items()},
            "faults": {fault: [f.planted, round(f.recall, 3), round(f.precision, 3)] for fault, f in with_book.items()},
            "faults_left_out": {fault: [f.planted, round(f.recall, 3), round(f.precision, 3)] for fault, f in left_out.items()},
            "alpha": {name: [round(a.value, 3), round(a.low, 3), round(a.high, 3)] for name, a in alphas.items() if not np.isnan(a.value)},
            "bias_error_most": round(max(abs(r.bias - e.bias) for e, r in zip(experts, recovered, strict=True)), 3),
            "noise_error_most": round(max(abs(r.noise - e.noise) for e, r in zip(experts, recovered, strict=True)), 3),
            "bad_cases": {name: round(value, 3) for name, value in curated.items()}, "replies_a_second": round(speed),
        }))  # fmt: skip


def _fault_table(with_book: dict[str, FaultFigures], left_out: dict[str, FaultFigures], alphas: dict[str, Alpha]) -> Table:
    table = Table("fault", "planted", "recall", "precision", "recall, line left out", "precision, left out", "alpha", title="Faults found")
    for fault, figures in with_book.items():
        apart, agreed = left_out[fault], alphas[fault]
        table.add_row(fault, str(figures.planted), f"{figures.recall:.2f}", f"{figures.precision:.2f}", f"{apart.recall:.2f}",
                      f"{apart.precision:.2f}", f"{agreed.value:.2f} ({agreed.low:.2f} to {agreed.high:.2f})")  # fmt: skip
    return table


def draw(
    ratings: dict[str, list[list[Rating]]],
    judgements: dict[str, list[Judgement]],
    means: dict[str, tuple[float, float, float]],
    pairs: Counter[tuple[str, str]],
    planted: dict[str, int],
    experts: Sequence[tuple[float, float, float, float, str]],
) -> None:
    """Draw the four pictures of ``docs/simulated-experts.md``."""
    rows = [
        {"source": source, "stars": star, "share": count / sum(counts.values())}
        for source in SOURCES
        for counts in [Counter(rating.stars for row in ratings[source] for rating in row)]
        for star, count in sorted(counts.items())
    ]
    bars = alt.Chart(alt.Data(values=rows)).mark_bar().encode(
        x=alt.X("stars:O", title="stars"), y=alt.Y("share:Q", title="share of ratings", axis=alt.Axis(format="%")),
        color=alt.Color("source:N", sort=list(SOURCES), legend=None), column=alt.Column("source:N", sort=list(SOURCES), title=None),
    ).properties(width=110, height=170, title="Stars given by five simulated experts")  # fmt: skip
    _save(bars, "stars")

    rows = [{"source": source, "mean": m, "low": low, "high": high} for source, (m, low, high) in means.items()]
    scores = [{"source": source, "score": round(j.score, 2)} for source in SOURCES for j in judgements[source][:250]]
    order = alt.Y("source:N", sort=list(SOURCES), title=None)
    scale = alt.Scale(domain=[1, 5])
    ticks = alt.Chart(alt.Data(values=scores)).mark_tick(opacity=0.15, thickness=2).encode(
        x=alt.X("score:Q", scale=scale, title="tick: true score of a reply · dot: mean stars with 95 % interval"), y=order)  # fmt: skip
    dots = alt.Chart(alt.Data(values=rows)).mark_point(filled=True, size=90, color="black").encode(x=alt.X("mean:Q", scale=scale), y=order)
    bars = alt.Chart(alt.Data(values=rows)).mark_rule(color="black", strokeWidth=2).encode(x="low:Q", x2="high:Q", y=order)
    _save((ticks + bars + dots).properties(width=480, height=190, title="Ratings by quality"), "quality")

    names = sorted({name for pair in pairs for name in pair} - {"none"})
    rows = [{"planted": p, "found": f, "share": count / planted[p]} for (p, f), count in pairs.items()]
    grid = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("found:N", sort=[*names, "none"], title="found", axis=alt.Axis(labelAngle=-50)),
        y=alt.Y("planted:N", sort=names, title="planted"),
    )  # fmt: skip
    cells = grid.mark_rect().encode(color=alt.Color("share:Q", scale=alt.Scale(scheme="blues", domain=[0, 1]), title="share", legend=None))
    ink = alt.condition("datum.share > 0.5", alt.value("white"), alt.value("black"))
    words = grid.mark_text(fontSize=10).encode(text=alt.Text("share:Q", format=".2f"), color=ink)
    title = "Share of the lines planted in which a fault was found (before an expert's own eye)"
    _save((cells + words).properties(width=520, height=430, title=title), "faults")

    rows = [
        {"known": known, "recovered": shown, "what": what, "expert": name}
        for bias, got_bias, noise, got_noise, name in experts
        for what, known, shown in (("bias", bias, got_bias), ("noise", noise, got_noise))
    ]
    line = alt.Chart(alt.Data(values=[{"at": -0.5}, {"at": 0.7}])).mark_line(color="lightgrey").encode(x="at:Q", y="at:Q")
    points = alt.Chart(alt.Data(values=rows)).mark_point(filled=True, size=90).encode(
        x=alt.X("known:Q", title="known (stars)"), y=alt.Y("recovered:Q", title="recovered from ratings (stars)"),
        color=alt.Color("what:N", title=None), tooltip="expert:N")  # fmt: skip
    _save((line + points).properties(width=300, height=300, title="Bias and noise of each expert"), "bias")


def _save(chart: alt.TopLevelMixin, name: str) -> None:
    chart.save(str(IMAGES / f"experts_{name}.png"), scale_factor=2)


if __name__ == "__main__":
    main()
