"""The live version and its canary side by side: how often hotels answer, agree, what people think, and how sure that is.

Decided here: the figures, and how they are tested. A conversation is the unit, since its replies are alike; a share of replies is a ratio
of sums over conversations, its spread that of the ratio's linear part (Cochran 1977, chapter 6). A yes or no a conversation has Wilson's
interval (1927) and Fisher's exact test, all else an interval and a test by the normal distribution. These p values hold for one look, at
the end; whoever looks all the time lets ``watch`` decide, which is made for it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import NormalDist
from typing import Any, cast
from uuid import UUID

from scipy.stats import fisher_exact
from sqlalchemy.orm import Session

from db.models import Deployment
from db.repositories import arm_figures, deployments
from db.repositories.arm_figures import ArmSums, Sums
from db.vocabulary import DeploymentRole
from training.release.watch import canary_since

WAIT = timedelta(hours=24)
"""A conversation that is not closed has not been answered, once it is so old."""
ALPHA, POWER = 0.05, 0.8
"""Of the number of conversations that are still needed."""
_NORMAL = NormalDist()
_Z = _NORMAL.inv_cdf(1 - ALPHA / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One row of the page."""

    name: str
    title: str
    better: int
    """1 where more is better, -1 where less is."""
    share: bool
    """To be shown in per cent."""
    counted: bool
    """Yes or no a conversation."""
    worth: float
    """The smallest difference that one wants to know of."""
    sums: Callable[[ArmSums], Sums]


MEASURES: tuple[Measure, ...] = (
    Measure(name="answered", title="hotels that answered", better=1, share=True, counted=True, worth=0.05, sums=lambda arm: arm.answered),
    Measure(name="succeeded", title="conversations won", better=1, share=True, counted=True, worth=0.05, sums=lambda arm: arm.succeeded),
    Measure(name="stars", title="stars (1 to 5)", better=1, share=False, counted=False, worth=0.2, sums=lambda arm: arm.stars),
    Measure(
        name="violated", title="first drafts against a rule", better=-1, share=True, counted=False, worth=0.03,
        sums=lambda arm: arm.violated,
    ),
    Measure(
        name="templates", title="replies by a template", better=-1, share=True, counted=False, worth=0.03, sums=lambda arm: arm.fell_back
    ),
    Measure(
        name="errors", title="answers that are no reply", better=-1, share=True, counted=False, worth=0.03, sums=lambda arm: arm.unusable
    ),
)  # fmt: skip
"""In the page's order. Won: every ticket was agreed, which is never above its ceiling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float
    conversations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One version."""

    version_id: UUID
    version: str
    role: DeploymentRole
    share: float
    """Of new conversations, 0 to 1."""
    opened: int
    """Conversations since the canary began."""
    figures: Mapping[str, Interval]
    """By the measure's name; one that nothing was counted for is missing."""
    is_before: bool = False
    """It was live before, and no conversation is given to it any more."""

    @property
    def word(self) -> str:
        """What it is: ``live``, ``canary`` or ``before``."""
        return "before" if self.is_before else str(self.role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The newer version above the older one in one measure: the canary above the live version, or that above the one before it."""

    measure: str
    difference: float
    low: float
    high: float
    p: float
    """Two-sided, that both are alike."""
    still_needed: int | None
    """Further conversations of the canary until a difference of the measure's ``worth`` would be found in 80 % of cases; None: unknown."""
    days: float | None
    """How long that takes at the pace so far; None: unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AbReport:
    """What the page shows."""

    since: datetime | None
    """When the canary began; None where there is none, and each version is shown from its own beginning."""
    arms: tuple[Arm, ...]
    """The live one first, then its canary, or where there is none what was live before; one or none where there was nothing else."""
    comparisons: Mapping[str, Comparison]
    """By the measure's name; a measure that an arm has no figure for is missing."""


def read_ab(session: Session, *, now: datetime | None = None) -> AbReport:
    """Both arms since the canary began, conversations opened at the same time alone.

    Without a canary it is the live version and the one before, each on the conversations of its own time: what came with the time (hotels,
    seasons) is in the difference, too.
    """
    moment = now or datetime.now(UTC)
    live = deployments.find_active(session, DeploymentRole.LIVE)
    canary = deployments.find_active(session, DeploymentRole.CANARY)
    since = canary_since(deployments.list_of_version(session, canary.policy_version_id)) if canary is not None else None
    arms: list[Arm] = []
    sums: list[ArmSums] = []
    for one in (live, canary):
        if one is not None:
            told = arm_figures.sum_up(session, one.policy_version_id, since=since or one.active_from, ripe=moment - WAIT)
            sums.append(told)
            arms.append(_arm(one, told, canary))
    before = deployments.find_live_before(session, live.policy_version_id) if live is not None and canary is None else None
    if before is not None:
        told = arm_figures.sum_up(session, before.policy_version_id, since=before.active_from, ripe=moment - WAIT)
        sums.append(told)
        arms.append(_arm(before, told, None, is_before=True))
    comparisons: dict[str, Comparison] = {}
    if before is not None:
        found = {measure.name: compare(sums[1], sums[0], measure) for measure in MEASURES}
        comparisons = {name: one for name, one in found.items() if one is not None}
    elif len(sums) == 2 and since is not None:
        for measure in MEASURES:
            found = compare(sums[0], sums[1], measure, pace=_pace(sums[1], since, moment))
            if found is not None:
                comparisons[measure.name] = found
    return AbReport(since=since, arms=tuple(arms), comparisons=comparisons)


def interval(sums: Sums, *, counted: bool) -> Interval | None:
    """The figure with its 95 % interval; None where nothing was counted."""
    if not sums.per:
        return None
    value = sums.of / sums.per
    if counted:
        low, high = _wilson(sums.of, sums.per)
    else:
        error = _Z * math.sqrt(_variance(sums))
        low, high = value - error, value + error
    return Interval(value=value, low=low, high=high, conversations=sums.conversations)


def compare(live: ArmSums, canary: ArmSums, measure: Measure, *, pace: float | None = None) -> Comparison | None:
    """The canary above the live version; None where one has no figure. ``pace``: conversations of the canary a day."""
    theirs, ours = measure.sums(live), measure.sums(canary)
    if not theirs.per or not ours.per:
        return None
    difference = ours.of / ours.per - theirs.of / theirs.per
    error = math.sqrt(_variance(ours) + _variance(theirs))
    if measure.counted:
        table = [[round(one.of), round(one.per - one.of)] for one in (ours, theirs)]
        p = float(cast(Any, fisher_exact(table)).pvalue)
    else:
        p = 2 * (1 - _NORMAL.cdf(abs(difference) / error)) if error else float(difference == 0)
    needed = _still_needed(ours, theirs, measure.worth)
    return Comparison(
        measure=measure.name,
        difference=difference,
        low=difference - _Z * error,
        high=difference + _Z * error,
        p=p,
        still_needed=needed,
        days=None if needed is None or not pace else needed / pace,
    )


def _arm(deployment: Deployment, sums: ArmSums, canary: Deployment | None, *, is_before: bool = False) -> Arm:
    figures = {measure.name: interval(measure.sums(sums), counted=measure.counted) for measure in MEASURES}
    left = 1 - float(canary.share) if canary is not None else 1.0
    return Arm(
        version_id=deployment.policy_version_id,
        version=deployment.policy_version.name,
        role=deployment.role,
        share=0.0 if is_before else left if deployment.role is DeploymentRole.LIVE else float(deployment.share),
        opened=sums.opened,
        figures={name: found for name, found in figures.items() if found is not None},
        is_before=is_before,
    )


def _wilson(of: float, per: float) -> tuple[float, float]:
    share, z2 = of / per, _Z**2
    middle = (share + z2 / (2 * per)) / (1 + z2 / per)
    error = _Z / (1 + z2 / per) * math.sqrt(share * (1 - share) / per + z2 / (4 * per**2))
    return max(0.0, middle - error), min(1.0, middle + error)


def _variance(sums: Sums) -> float:
    """Of the ratio of sums, over conversations."""
    n = sums.conversations
    if n < 2:
        return math.inf
    ratio = sums.of / sums.per
    rest = sums.of_of - 2 * ratio * sums.of_per + ratio**2 * sums.per_per
    return max(rest, 0.0) * n / (n - 1) / sums.per**2


def _still_needed(canary: Sums, live: Sums, worth: float) -> int | None:
    """At the arms' present proportion, and with the spread that both have shown."""
    spread = [one.conversations * _variance(one) for one in (canary, live)]
    if not all(math.isfinite(one) for one in spread) or not any(spread):
        return None
    each = spread[0] + spread[1] * canary.conversations / live.conversations
    wanted = (_Z + _NORMAL.inv_cdf(POWER)) ** 2 * each / worth**2
    return max(0, math.ceil(wanted) - canary.conversations)


def _pace(canary: ArmSums, since: datetime, now: datetime) -> float | None:
    days = (now - since) / timedelta(days=1)
    return canary.opened / days if days > 0 and canary.opened else None
