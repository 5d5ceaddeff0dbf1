"""Whether a reply fixes a bad case, whether it does so cleanly, and how bad the worst thing is that remains.

Fixed: the original fault is gone and the reply does what it must. Clean: fixed, and no other problem came in, neither one that the case
names nor one that the guard finds (REPO, arXiv 2510.04214: bad-case fix, clean fix, severity of what is left).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from agent.domain import Reply
from agent.guardrails import check
from db.vocabulary import Severity
from training.badcases.case import GONE, BadCase
from training.badcases.matchers import NoRuleBroken

WEIGHT: dict[Severity | None, int] = {None: 0, Severity.MINOR: 1, Severity.MAJOR: 2, Severity.SEVERE: 3}
"""Severities in their order; 0 where nothing remains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one bad case."""

    fixed: bool
    clean: bool
    residual: Severity | None
    """The worst of what remains; None for a clean fix."""
    reasons: tuple[str, ...]
    """What remains, in plain words; empty for a clean fix."""


def verdict(case: BadCase, reply: Reply) -> Verdict:
    """Judge one reply to the turn of one case. Pure: the same reply gives the same verdict."""
    unfixed = [*_fault(case, reply), *_undone(case, reply)]
    remaining = [*unfixed, *_unclean(case, reply)]
    return Verdict(
        fixed=not unfixed,
        clean=not remaining,
        residual=max((severity for severity, _ in remaining), key=WEIGHT.__getitem__, default=None),
        reasons=tuple(reason for _, reason in remaining),
    )


def _fault(case: BadCase, reply: Reply) -> Iterator[tuple[Severity, str]]:
    if not all(matcher.holds(case.context, reply) for matcher in GONE[case.fault]):
        yield case.severity, f"the fault is still there: {case.fault.replace('_', ' ')}"


def _undone(case: BadCase, reply: Reply) -> Iterator[tuple[Severity, str]]:
    for wanted in case.must:
        if not wanted.matcher.holds(case.context, reply):
            yield wanted.severity or case.severity, f"it does not do what it must: {wanted.says}"


def _unclean(case: BadCase, reply: Reply) -> Iterator[tuple[Severity, str]]:
    for wanted in case.should:
        if not wanted.matcher.holds(case.context, reply):
            yield wanted.severity or Severity.MINOR, f"it does not do what it should: {wanted.says}"
    for unwanted in case.must_not:
        if unwanted.matcher.holds(case.context, reply):
            yield unwanted.severity or Severity.MAJOR, f"it does what it must not: {unwanted.says}"
    counted = {rule for matcher in GONE[case.fault] if isinstance(matcher, NoRuleBroken) for rule in matcher.rules}
    for violation in check(case.context, reply):
        if violation.rule not in counted:
            yield violation.severity, f"{violation.rule}: {violation.message}"
