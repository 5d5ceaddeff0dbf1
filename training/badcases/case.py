"""What a bad case is: a turn of ours that went wrong, and what a better reply must do and must not do.

Decided here: the fault classes, and for each of them how it is seen that the fault is gone, whatever else a case asks for.
"""

from dataclasses import dataclass
from enum import StrEnum

from agent.domain import Reply, TurnContext
from db.vocabulary import Severity
from training.badcases.matchers import (
    AcknowledgesFeeling,
    AsksAQuestion,
    AsksForDecisionMaker,
    BlamesNobody,
    Greets,
    Matcher,
    NoRuleBroken,
)


class Fault(StrEnum):
    """What can be wrong with a reply of ours."""

    SILENCE_AS_CONSENT = "silence_as_consent"
    """Silence, "noted" or an emoji is taken for a yes."""
    NET_SELLING_MIXUP = "net_selling_mixup"
    """A net price is called selling, or the reverse, or is taken for it."""
    PUSHING_ON = "pushing_on"
    """Haggling goes on although the offer is good enough."""
    INTERNAL_WORDS = "internal_words"
    ONE_ROOM_ONLY = "one_room_only"
    """Only one of several rooms is dealt with."""
    OVER_PROMISE = "over_promise"
    INVENTED_FACT = "invented_fact"
    ROBOTIC_REPETITION = "robotic_repetition"
    HAGGLING_WITH_ANGER = "haggling_with_anger"
    """An upset hotel is answered with a price."""
    MIXED_LANGUAGE = "mixed_language"
    PRESSURE = "pressure"
    MISSING_TERMS = "missing_terms"
    """Terms are to be confirmed and not repeated in full."""
    IGNORING_WRONG_PERSON = "ignoring_wrong_person"
    GUESSING = "guessing"
    """What is vague is taken as said."""
    REASONING_LEAK = "reasoning_leak"
    REPROACH = "reproach"
    SKIPPED_GREETING = "skipped_greeting"


GONE: dict[Fault, tuple[Matcher, ...]] = {
    Fault.SILENCE_AS_CONSENT: (NoRuleBroken(("acceptance_on_silence",)),),
    Fault.NET_SELLING_MIXUP: (NoRuleBroken(("price_kind",)),),
    Fault.PUSHING_ON: (NoRuleBroken(("pushing_on",)),),
    Fault.INTERNAL_WORDS: (NoRuleBroken(("internal_words",)),),
    Fault.ONE_ROOM_ONLY: (),
    Fault.OVER_PROMISE: (NoRuleBroken(("promises",)),),
    Fault.INVENTED_FACT: (NoRuleBroken(("invented_facts", "unknown_number", "wrong_name")),),
    Fault.ROBOTIC_REPETITION: (NoRuleBroken(("repetition",)),),
    Fault.HAGGLING_WITH_ANGER: (AcknowledgesFeeling(),),
    Fault.MIXED_LANGUAGE: (NoRuleBroken(("mixed_language",)),),
    Fault.PRESSURE: (NoRuleBroken(("pressure",)),),
    Fault.MISSING_TERMS: (NoRuleBroken(("missing_confirmation",)),),
    Fault.IGNORING_WRONG_PERSON: (AsksForDecisionMaker(),),
    Fault.GUESSING: (AsksAQuestion(),),
    Fault.REASONING_LEAK: (NoRuleBroken(("format_leak",)),),
    Fault.REPROACH: (BlamesNobody(),),
    Fault.SKIPPED_GREETING: (Greets(),),
}
"""What holds of a reply in which the fault is gone. Where nothing can be said in general, the case's own ``must`` says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that a fix must do, or that a clean fix must not do."""

    says: str
    """In plain words."""
    matcher: Matcher
    severity: Severity | None = None
    """How bad it is where it fails; None leaves it to the verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadCase:
    """One turn that went wrong."""

    id: str
    fault: Fault
    severity: Severity
    """How bad the fault is."""
    wrong: str
    """What is wrong with the bad reply, in plain words."""
    context: TurnContext
    """The turn as the service would have given it."""
    bad: Reply
    """What was said."""
    good: Reply
    """One reply that would have been right; by far not the only one."""
    must: tuple[Check, ...]
    """What a fix does."""
    should: tuple[Check, ...]
    """What a clean fix does besides, such as answering what the hotel said."""
    must_not: tuple[Check, ...]
    """What a clean fix does not do: each matcher says what must *not* hold."""
