"""All rules together, in the order in which a person would want to read their findings: the gravest kind first."""

from collections.abc import Iterable

from agent.domain import Reply, TurnContext
from agent.guardrails.conduct import AcceptanceOnSilence, PushingOn
from agent.guardrails.figures import PriceKind, UnknownNumbers
from agent.guardrails.form import FormatLeak, Length, MixedLanguage
from agent.guardrails.honesty import InventedFacts, Pressure, Promises
from agent.guardrails.moves import MissingConfirmation, MoveMismatch
from agent.guardrails.names import WrongName
from agent.guardrails.repetition import Repetition
from agent.guardrails.rule import Rule, Violation
from agent.guardrails.wording import InternalWords

RULES: tuple[Rule, ...] = (
    FormatLeak(),
    InternalWords(),
    UnknownNumbers(),
    PriceKind(),
    WrongName(),
    AcceptanceOnSilence(),
    PushingOn(),
    Promises(),
    Pressure(),
    InventedFacts(),
    MoveMismatch(),
    MissingConfirmation(),
    MixedLanguage(),
    Repetition(),
    Length(),
)


def check(context: TurnContext, reply: Reply, rules: Iterable[Rule] = RULES) -> tuple[Violation, ...]:
    """Every violation of every rule; an empty tuple means that the reply may be sent. Pure: the same reply gives the same verdict."""
    return tuple(violation for rule in rules for violation in rule.check(context, reply))
