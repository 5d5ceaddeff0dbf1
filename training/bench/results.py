"""What a benchmark found, as one document: ``bench.json``, from which terminal and page are drawn.

Decided here: what is compared with what, and the goals of the project, which are set beside what was reached as it is. Everything is
simulated: hotels, dialogues and raters.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from training.badcases import Estimate, cases
from training.bench.arms import BASE, REPO, arm
from training.bench.measures import CaseFigures, PolicyFigures
from training.bench.outcome import Learned, learned
from training.bench.plan import BenchPlan
from training.bench.process import FIGURES as FIGURES_FILE
from training.bench.stages import Work, of
from training.bench.statistics import by_training, compare, holm, pass_k, table
from training.files import put

RESULTS = "bench.json"
COMPARED = ("rating", "excellent", "clean_fix")
"""Figures that decide between arms; the fix rate is near its ceiling for many."""
GOALS: Mapping[str, float] = {"fix": 0.9333, "clean_fix": 0.7556, "excellent": 0.6667, "rating": 4.63}
"""What REPO is to reach: the paper's own figures, of its model and people."""
PASSES = (1, 2, 4)
_P = 0.05


class _Found(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Interval(_Found):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


class Cases(_Found):
    """What became of the answers to some bad cases."""

    answers: int
    fixed: int
    clean: int
    """Fixed, and nothing else wrong."""


class Row(_Found):
    """One arm."""

    arm: str
    says: str
    figures: dict[str, Interval]
    """By the names of ``training.bench.statistics.FIGURES``."""
    by_training: dict[str, tuple[float, ...]]
    """The same figures of each training alone, in the order of the seeds; the base's are of its measurements."""
    rating_by_language: dict[str, float] = {}
    """Mean rating of the dialogues in each language, ISO 639-1: a policy may know one better than another."""
    cases_by_language: dict[str, Cases] = {}
    """Bad cases by the language of their conversation."""
    cases_by_fault: dict[str, Cases] = {}
    pass_k: dict[int, float]
    """Chance that k dialogues with one persona all succeed."""
    training: tuple[Learned, ...]
    """One a seed; none for the base."""
    seconds_a_reply: float
    """Wall time that the policy spent on answering, many at once; of this machine."""


class Comparison(_Found):
    """REPO against another arm: by pairs, on the same hotels and cases."""

    other: str
    figure: str
    value: float
    """REPO's less the other's."""
    low: float
    high: float
    p: float
    p_corrected: float
    """By Holm over the other arms of this figure."""
    verdict: Literal["better", "worse", "undecided"]


class Goal(_Found):
    """What REPO was to reach, and what it reached."""

    figure: str
    goal: float
    reached: Interval
    met: bool


class Results(_Found):
    """All of it."""

    simulated: Literal[True] = True
    plan: str
    """Digest of the plan."""
    profile: dict[str, Any]
    judge: str
    spec: str
    """Version and digest of the reward spec."""
    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]
    goals: tuple[Goal, ...]
    wins: dict[str, bool]
    """By figure compared, whether REPO's is above those of SFT, DPO, PPO, GRPO and base; none where not all of them were measured."""
    versions: dict[str, str]
    git_revision: str | None


def measured_figures(root: Path, plan: BenchPlan) -> dict[str, list[PolicyFigures]]:
    """Every arm's figures, one a seed."""
    return {
        name: [
            PolicyFigures.model_validate_json((root / of(name, seed, Work.FIGURES) / FIGURES_FILE).read_text(encoding="utf-8"))
            for seed in range(plan.profile.seeds)
        ]
        for name in plan.profile.arms
    }


def results(root: Path, plan: BenchPlan) -> Results:
    """The document of a benchmark that is whole."""
    figures = measured_figures(root, plan)
    rows = tuple(_row(root, plan, name, figures[name], estimates) for name, estimates in table(figures).items())
    comparisons = tuple(_compared(figures)) if REPO in figures else ()
    spec = plan.reward_spec
    return Results(
        plan=plan.digest,
        profile=plan.profile.model_dump(mode="json"),
        judge=plan.judge + (f", {plan.judge_model}" if plan.judge_model else ""),
        spec=f"version {spec.version}, SHA-256 {spec.digest}",
        rows=rows,
        comparisons=comparisons,
        goals=tuple(_goals(rows)),
        wins=_wins(comparisons),
        versions=plan.versions,
        git_revision=plan.git_revision,
    )


def write_results(root: Path, found: Results) -> None:
    """Into the benchmark's folder."""
    put(root / RESULTS, found.model_dump_json(indent=1) + "\n")


def _row(root: Path, plan: BenchPlan, name: str, seeds: Sequence[PolicyFigures], estimates: Mapping[str, Estimate]) -> Row:
    trained = () if name == BASE else tuple(learned(root / of(name, seed, Work.TRAINING)) for seed in range(plan.profile.seeds))
    languages = {known.id: known.context.language for known in cases()}
    replies = sum(dialogue.replies for one in seeds for dialogue in one.dialogues) + sum(len(one.cases) for one in seeds)
    return Row(
        arm=name,
        says=arm(name).says,
        figures={known: Interval(value=one.value, low=one.low, high=one.high) for known, one in estimates.items()},
        by_training={known: tuple(values) for known, values in by_training(seeds).items()},
        rating_by_language=_ratings(seeds),
        cases_by_language=_cases(seeds, lambda one: languages.get(one.case, "")),
        cases_by_fault=_cases(seeds, lambda one: one.fault),
        pass_k={k: chance for k in PASSES if (chance := pass_k(seeds, k)) is not None},
        training=trained,
        seconds_a_reply=sum(one.seconds for one in seeds) / replies,
    )


def _ratings(seeds: Sequence[PolicyFigures]) -> dict[str, float]:
    by_language: defaultdict[str, list[float]] = defaultdict(list)
    for dialogue in chain.from_iterable(policy.dialogues for policy in seeds):
        by_language[dialogue.language].append(dialogue.rating)
    return {language: fmean(some) for language, some in sorted(by_language.items())}


def _cases(seeds: Sequence[PolicyFigures], group: Callable[[CaseFigures], str]) -> dict[str, Cases]:
    """The answers by what ``group`` says of each, in the order of the names; where it says nothing, an answer is left out."""
    by_group: defaultdict[str, list[CaseFigures]] = defaultdict(list)
    for one in chain.from_iterable(policy.cases for policy in seeds):
        by_group[group(one)].append(one)
    return {
        name: Cases(answers=len(some), fixed=sum(one.fixed for one in some), clean=sum(one.clean for one in some))
        for name, some in sorted(by_group.items())
        if name
    }


def _compared(figures: Mapping[str, Sequence[PolicyFigures]]) -> list[Comparison]:
    others = [name for name in figures if name != REPO]
    found: list[Comparison] = []
    for known in COMPARED:
        differences = {other: compare(figures[REPO], figures[other], known) for other in others}
        corrected = holm({other: one.p for other, one in differences.items()})
        for other, one in differences.items():
            sure = corrected[other] < _P
            found.append(
                Comparison(
                    other=other,
                    figure=known,
                    value=one.value,
                    low=one.low,
                    high=one.high,
                    p=one.p,
                    p_corrected=corrected[other],
                    verdict="undecided" if not sure else "better" if one.value > 0 else "worse",
                )
            )
    return found


def _goals(rows: Sequence[Row]) -> list[Goal]:
    reached = next((row.figures for row in rows if row.arm == REPO), {})
    return [
        Goal(figure=name, goal=goal, reached=reached[name], met=reached[name].value >= goal)
        for name, goal in GOALS.items()
        if name in reached
    ]


def _wins(comparisons: Sequence[Comparison]) -> dict[str, bool]:
    rivals = {"base", "sft", "dpo", "ppo", "grpo"}
    against = [one for one in comparisons if one.other in rivals]
    if {one.other for one in against} != rivals:
        return {}
    return {name: all(one.value > 0 for one in against if one.figure == name) for name in COMPARED}
