"""What a guard rule is, and what it says when a reply breaks it."""

from dataclasses import dataclass
from typing import Protocol

from agent.domain import Reply, TurnContext
from db.vocabulary import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One fault of one reply. ``start`` and ``end`` are character offsets into the reply's text, where it can be pointed at."""

    rule: str
    severity: Severity
    message: str
    """Plain words for a person and for the rewrite; never a secret, since a rule sees none."""
    start: int | None = None
    end: int | None = None


class Rule(Protocol):
    """One rule: a name, how bad a breach is, and a pure check."""

    @property
    def name(self) -> str:
        """The rule's name as stored beside a verdict."""
        ...

    @property
    def severity(self) -> Severity:
        """How bad a breach is."""
        ...

    def check(self, context: TurnContext, reply: Reply) -> list[Violation]:
        """Every breach found in the reply; empty where there is none."""
        ...
