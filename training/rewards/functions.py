"""RF, the rule functions: what the guard's rules and the spec's own find in a reply, as one signed number.

Decided here: how findings add up. A rule counts once for a reply, however often it is broken, so that one habit cannot drown all others
before the sum is clipped; how often it was broken is kept beside it.
"""

from dataclasses import dataclass

from agent.domain import Reply, TurnContext
from agent.guardrails import Rule
from db.vocabulary import Severity
from training.rewards.spec import RewardSpec

_GRAVITY = tuple(Severity)
"""From minor to severe, as the vocabulary lists them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One rule that a reply breaks (or, with a weight above zero, meets)."""

    rule: str
    severity: Severity
    """Of its gravest finding."""
    weight: float
    message: str
    """Of its gravest finding, in plain words."""
    count: int = 1
    """How many findings the rule has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionScore:
    """E_func and what it is made of. Not clipped: that comes after the judge's part is added."""

    value: float
    hits: tuple[Hit, ...] = ()

    @property
    def is_severe(self) -> bool:
        """Whether a severe rule that costs something is broken. One that is switched off (weight 0) does not count."""
        return any(hit.severity is Severity.SEVERE and hit.weight < 0 for hit in self.hits)


def functions(context: TurnContext, reply: Reply, spec: RewardSpec) -> FunctionScore:
    """Every rule over one reply. Pure: the same reply gets the same score."""
    hits = tuple(hit for rule in spec.all_rules if (hit := hit_of(rule, spec, context, reply)) is not None)
    return FunctionScore(value=sum((hit.weight for hit in hits), 0.0), hits=hits)


def hit_of(rule: Rule, spec: RewardSpec, context: TurnContext, reply: Reply) -> Hit | None:
    """What one rule of the spec makes of a reply; None where it finds nothing."""
    found = rule.check(context, reply)
    if not found:
        return None
    worst = max(found, key=lambda violation: _GRAVITY.index(violation.severity))
    weight = spec.weight(rule.name, reply, worst.severity)
    return Hit(rule=rule.name, severity=worst.severity, weight=weight, message=worst.message, count=len(found))
