"""The names of what can be wrong with a reply, and how bad each of them usually is.

Decided here: the list, which is the one of the phrasebook's wrong lines and of the bad cases, and the usual severities. How a fault is
found is decided in ``checks``.
"""

from dataclasses import dataclass
from enum import StrEnum

from db.vocabulary import Severity


class FaultKind(StrEnum):
    """One class of bad reply."""

    OVER_PROMISE = "over_promise"
    """Ranking, traffic, orders or compensation held out."""
    INTERNAL_WORDS = "internal_words"
    """Words or limits of ours that are nobody's business."""
    INVENTED_FACT = "invented_fact"
    """A price, date, name or claim that stands nowhere."""
    PRESSURE = "pressure"
    NET_SELLING_MIXUP = "net_selling_mixup"
    REASONING_LEAK = "reasoning_leak"
    PUSHING_ON = "pushing_on"
    """Haggling after an offer that was good enough."""
    SILENCE_AS_CONSENT = "silence_as_consent"
    MISSING_TERMS = "missing_terms"
    """A confirmation that leaves out room, dates, net price, selling price or start."""
    HAGGLING_WITH_ANGER = "haggling_with_anger"
    IGNORING_WRONG_PERSON = "ignoring_wrong_person"
    GUESSING = "guessing"
    """An open point is assumed instead of asked."""
    REPROACH = "reproach"
    SKIPPED_GREETING = "skipped_greeting"
    MIXED_LANGUAGE = "mixed_language"
    ROBOTIC_REPETITION = "robotic_repetition"
    ONE_ROOM_ONLY = "one_room_only"
    """The talk is ended, or its result told, with a room forgotten."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that stands in a reply."""

    kind: FaultKind
    severity: Severity


USUAL: dict[FaultKind, Severity] = {
    FaultKind.OVER_PROMISE: Severity.SEVERE,
    FaultKind.INTERNAL_WORDS: Severity.SEVERE,
    FaultKind.INVENTED_FACT: Severity.SEVERE,
    FaultKind.PRESSURE: Severity.SEVERE,
    FaultKind.NET_SELLING_MIXUP: Severity.MAJOR,
    FaultKind.REASONING_LEAK: Severity.SEVERE,
    FaultKind.PUSHING_ON: Severity.MAJOR,
    FaultKind.SILENCE_AS_CONSENT: Severity.SEVERE,
    FaultKind.MISSING_TERMS: Severity.MAJOR,
    FaultKind.HAGGLING_WITH_ANGER: Severity.MAJOR,
    FaultKind.IGNORING_WRONG_PERSON: Severity.MAJOR,
    FaultKind.GUESSING: Severity.MAJOR,
    FaultKind.REPROACH: Severity.MAJOR,
    FaultKind.SKIPPED_GREETING: Severity.MAJOR,
    FaultKind.MIXED_LANGUAGE: Severity.MAJOR,
    FaultKind.ROBOTIC_REPETITION: Severity.MAJOR,
    FaultKind.ONE_ROOM_ONLY: Severity.MAJOR,
}


def usual(kind: FaultKind) -> Fault:
    """The fault with the severity that it has without special circumstances."""
    return Fault(kind, USUAL[kind])
