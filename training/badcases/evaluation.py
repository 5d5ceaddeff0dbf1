"""How a writer of replies does on the whole set: fix rate, clean-fix rate and what remains, with 95 % intervals.

The unit is the case: rates get Wilson's interval, the mean severity a percentile bootstrap over cases with a fixed seed.
"""

import random
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import track

from agent.domain import Reply, TurnContext
from db.vocabulary import IssueTag, Severity
from training.badcases.case import BadCase
from training.badcases.loading import cases as shipped
from training.badcases.verdicts import WEIGHT, Verdict, verdict

_Z = statistics.NormalDist().inv_cdf(0.975)
_RESAMPLES = 2_000
_SEED = 20_251_004


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassResult:
    """What became of the cases of one fault class."""

    cases: int
    fixed: int
    clean: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What became of all of them."""

    cases: int
    fix: Estimate
    """Share of cases that were fixed."""
    clean_fix: Estimate
    residual: Estimate
    """Mean severity of what remains: 0 nothing, 1 minor, 2 major, 3 severe."""
    remaining: dict[Severity, float]
    """Share of cases whose worst remaining problem is of this severity."""
    by_fault: dict[IssueTag, ClassResult]
    verdicts: tuple[tuple[BadCase, Verdict], ...]


def evaluate(replies: Callable[[TurnContext], Reply], *, cases: Sequence[BadCase] | None = None, progress: bool | None = None) -> Summary:
    """Ask for a reply to the turn of every case, and judge it. What ``replies`` raises is passed on.

    ``progress`` shows a bar; None shows it on a terminal. Raises ValueError where there are no cases.
    """
    wanted = shipped() if cases is None else tuple(cases)
    if not wanted:
        raise ValueError("there are no bad cases to evaluate on")
    console = Console(stderr=True)
    hidden = not (console.is_terminal if progress is None else progress)
    shown = track(wanted, description="bad cases", console=console, disable=hidden)
    return summarise([(case, verdict(case, replies(case.context))) for case in shown])


def summarise(verdicts: Sequence[tuple[BadCase, Verdict]]) -> Summary:
    """The figures of verdicts that were reached elsewhere; at least one."""
    count = len(verdicts)
    worst = Counter(found.residual for _, found in verdicts)
    faults = [fault for fault in IssueTag if any(case.fault is fault for case, _ in verdicts)]
    return Summary(
        cases=count,
        fix=wilson(sum(found.fixed for _, found in verdicts), count),
        clean_fix=wilson(sum(found.clean for _, found in verdicts), count),
        residual=bootstrap_mean([WEIGHT[found.residual] for _, found in verdicts]),
        remaining={severity: worst[severity] / count for severity in Severity},
        by_fault={fault: _class_result([found for case, found in verdicts if case.fault is fault]) for fault in faults},
        verdicts=tuple(verdicts),
    )


def _class_result(found: Sequence[Verdict]) -> ClassResult:
    return ClassResult(cases=len(found), fixed=sum(one.fixed for one in found), clean=sum(one.clean for one in found))


def wilson(hits: int, count: int) -> Estimate:
    """A share with Wilson's score interval; ``count`` is positive."""
    share = hits / count
    centre = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z / (1 + _Z**2 / count) * (share * (1 - share) / count + _Z**2 / (4 * count**2)) ** 0.5
    return Estimate(value=share, low=max(0.0, centre - half), high=min(1.0, centre + half))


def bootstrap_mean(values: Sequence[float]) -> Estimate:
    """The mean with a percentile bootstrap interval; at least one value. The same values give the same interval."""
    rng = random.Random(_SEED)
    means = [statistics.fmean(rng.choices(values, k=len(values))) for _ in range(_RESAMPLES)]
    cuts = statistics.quantiles(means, n=40)
    return Estimate(value=statistics.fmean(values), low=cuts[0], high=cuts[-1])
