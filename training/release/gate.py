"""The gate: whether a candidate may answer hotels in place of the version that does. Pure arithmetic on what was measured.

Decided here: the criteria, and that each is told with its figures whether it was met or not. Both versions were measured as they are
served, on the same hotels and cases (``training.bench.measures``); what is random in it is tested by pairs. A candidate has to be better,
it is not enough to be as good; in what it must not be worse at, it fails where it is worse beyond chance.
"""

import math

from pydantic import BaseModel, ConfigDict, Field

from training.bench.measures import PolicyFigures
from training.bench.statistics import compare, estimate, figure

_ENOUGH = 3
"""Answers to a case by which it may be called fixed, or broken: of fewer, all may agree by chance."""


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class GateSettings(_Told):
    """How strict the gate is."""

    alpha: float = Field(default=0.05, gt=0, lt=1)
    """Chance of a criterion to be decided wrongly where there is no difference."""
    margin: float | None = Field(default=None, gt=0)
    """A gain in stars that is enough, whatever its p. None: only what is beyond chance counts."""
    severe: float = Field(default=0.05, ge=0, le=1)
    """Largest share of replies with a severe breach of a rule. The guard holds each of them back; it is there for the rare one."""
    longer: float = Field(default=1.5, ge=1)
    """Replies may have at most this many times as many tokens, and at least as many times fewer."""
    kl: float = Field(default=1.0, gt=0)
    """Largest divergence from the base, in nats a token."""


class Criterion(_Told):
    """One thing that is asked of a candidate."""

    name: str
    title: str
    met: bool
    says: str
    """What was found, in words, with the figures."""
    figures: dict[str, float] = {}


class Verdict(_Told):
    """All of it."""

    candidate: str
    live: str
    """The version that it was held against."""
    criteria: tuple[Criterion, ...]
    settings: GateSettings

    @property
    def passed(self) -> bool:
        """Whether the candidate may go out."""
        return bool(self.criteria) and all(criterion.met for criterion in self.criteria)

    @property
    def failed(self) -> tuple[Criterion, ...]:
        """What it failed at."""
        return tuple(criterion for criterion in self.criteria if not criterion.met)


def decide(candidate: PolicyFigures, live: PolicyFigures, *, kl: float, settings: GateSettings | None = None) -> tuple[Criterion, ...]:
    """Every criterion that is decided by measuring; ``kl`` is the candidate's divergence from the base, in nats a token.

    Raises:
        NotComparable: for two that did not meet the same hotels and cases.
    """
    how = settings or GateSettings()
    return (
        _better(candidate, live, how),
        _severe(candidate, live, how),
        _no_worse(candidate, live, "unreadable", how),
        _no_worse(candidate, live, "fix", how),
        _kept(candidate, live),
        _length(candidate, live, how),
        _near(kl, how),
    )


def _better(candidate: PolicyFigures, live: PolicyFigures, how: GateSettings) -> Criterion:
    found = compare([candidate], [live], "rating")
    sure = found.value > 0 and found.p < how.alpha
    enough = how.margin is not None and found.value >= how.margin
    said = f"{found.value:+.2f} stars ({found.low:+.2f} to {found.high:+.2f}, p = {found.p:.3g}, {found.pairs} dialogues)"
    wanted = f"p below {how.alpha:g}" + ("" if how.margin is None else f" or a gain of {how.margin:g}")
    return Criterion(
        name="better",
        title="rated better than what is live",
        met=sure or enough,
        says=said if sure or enough else f"{said}; wanted is a gain with {wanted}",
        figures={"gain": found.value, "low": found.low, "high": found.high, "p": found.p},
    )


def _severe(candidate: PolicyFigures, live: PolicyFigures, how: GateSettings) -> Criterion:
    found = compare([candidate], [live], "severe")
    share, before = _value(candidate, "severe"), _value(live, "severe")
    more = found.value > 0 and found.p < how.alpha
    said = f"{share:.1%} of replies, {before:.1%} of the live version's (p = {found.p:.3g})"
    over = f"; at most {how.severe:.1%} may" if share > how.severe else ""
    return Criterion(
        name="severe",
        title="severe breaches of rules",
        met=not more and share <= how.severe,
        says=said + over + ("; that is more than chance" if more else ""),
        figures={"share": share, "live": before, "p": found.p},
    )


def _no_worse(candidate: PolicyFigures, live: PolicyFigures, name: str, how: GateSettings) -> Criterion:
    known, found = figure(name), compare([candidate], [live], name)
    value, before = _value(candidate, name), _value(live, name)
    worse = found.value * known.better < 0 and found.p < how.alpha
    said = f"{value:.1%}, the live version {before:.1%} (p = {found.p:.3g})"
    return Criterion(
        name=name,
        title=known.title,
        met=not worse,
        says=said + ("; that is worse than chance" if worse else ""),
        figures={"value": value, "live": before, "p": found.p},
    )


def _kept(candidate: PolicyFigures, live: PolicyFigures) -> Criterion:
    """A case is broken where the live version fixes it each time that it is asked, and the candidate never."""
    ours, theirs = _fixes(candidate), _fixes(live)
    held = [case for case, fixed in theirs.items() if len(fixed) >= _ENOUGH and all(fixed)]
    broken = sorted(case for case in held if not any(ours[case]))
    named = ", ".join(broken[:5]) + (f" and {len(broken) - 5} more" if len(broken) > 5 else "")
    return Criterion(
        name="kept",
        title="fixed bad cases stay fixed",
        met=not broken,
        says=f"{len(broken)} of {len(held)} are broken: {named}" if broken else f"none of {len(held)} is broken",
        figures={"broken": len(broken), "held": len(held)},
    )


def _fixes(figures: PolicyFigures) -> dict[str, list[bool]]:
    found: dict[str, list[bool]] = {}
    for case in figures.cases:
        found.setdefault(case.case, []).append(case.fixed)
    return found


def _length(candidate: PolicyFigures, live: PolicyFigures, how: GateSettings) -> Criterion:
    value, before = _value(candidate, "tokens"), _value(live, "tokens")
    ratio = value / before if before else math.inf
    return Criterion(
        name="length",
        title="length of replies",
        met=1 / how.longer <= ratio <= how.longer,
        says=f"{value:.0f} tokens, the live version {before:.0f}: {ratio:.2f} times, {1 / how.longer:.2f} to {how.longer:.2f} may be",
        figures={"tokens": value, "live": before, "ratio": ratio},
    )


def _near(kl: float, how: GateSettings) -> Criterion:
    return Criterion(
        name="kl",
        title="divergence from the base",
        met=kl <= how.kl,
        says=f"{kl:.3f} nats a token, at most {how.kl:g} may be",
        figures={"kl": kl},
    )


def _value(figures: PolicyFigures, name: str) -> float:
    found = estimate([figures], figure(name))
    return found.value if found is not None else 0.0
