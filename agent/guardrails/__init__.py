"""The guard: pure rules over one reply and the public turn it answers. The same objects score replies in training."""

from agent.guardrails.conduct import AcceptanceOnSilence, PushingOn
from agent.guardrails.figures import PriceKind, UnknownNumbers
from agent.guardrails.form import FormatLeak, Length, MixedLanguage
from agent.guardrails.guard import RULES, check
from agent.guardrails.honesty import InventedFacts, Pressure, Promises
from agent.guardrails.moves import MissingConfirmation, MoveMismatch
from agent.guardrails.repetition import Repetition
from agent.guardrails.rule import Rule, Violation
from agent.guardrails.wording import InternalWords

__all__ = [
    "RULES",
    "AcceptanceOnSilence",
    "FormatLeak",
    "InternalWords",
    "InventedFacts",
    "Length",
    "MissingConfirmation",
    "MixedLanguage",
    "MoveMismatch",
    "Pressure",
    "PriceKind",
    "Promises",
    "PushingOn",
    "Repetition",
    "Rule",
    "UnknownNumbers",
    "Violation",
    "check",
]
