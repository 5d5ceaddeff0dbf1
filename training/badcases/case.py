"""What a bad case is: a turn of ours that went wrong, and what a better reply must do and must not do.

Decided here: the fault classes, and for each of them how it is seen that the fault is gone, whatever else a case asks for.
"""

from dataclasses import dataclass

from agent.domain import Reply, TurnContext
from db.vocabulary import IssueTag, Severity
from training.badcases.matchers import (
    AcknowledgesFeeling,
    AsksAQuestion,
    AsksForDecisionMaker,
    BlamesNobody,
    Greets,
    Matcher,
    NoRuleBroken,
)

GONE: dict[IssueTag, tuple[Matcher, ...]] = {
    IssueTag.SILENCE_AS_CONSENT: (NoRuleBroken(("acceptance_on_silence",)),),
    IssueTag.NET_SELLING_MIXUP: (NoRuleBroken(("price_kind",)),),
    IssueTag.PUSHING_ON: (NoRuleBroken(("pushing_on",)),),
    IssueTag.INTERNAL_WORDS: (NoRuleBroken(("internal_words",)),),
    IssueTag.ONE_ROOM_ONLY: (),
    IssueTag.OVER_PROMISE: (NoRuleBroken(("promises",)),),
    IssueTag.INVENTED_FACT: (NoRuleBroken(("invented_facts", "unknown_number", "wrong_name")),),
    IssueTag.ROBOTIC_REPETITION: (NoRuleBroken(("repetition",)),),
    IssueTag.HAGGLING_WITH_ANGER: (AcknowledgesFeeling(),),
    IssueTag.MIXED_LANGUAGE: (NoRuleBroken(("mixed_language",)),),
    IssueTag.PRESSURE: (NoRuleBroken(("pressure",)),),
    IssueTag.MISSING_TERMS: (NoRuleBroken(("missing_confirmation",)),),
    IssueTag.IGNORING_WRONG_PERSON: (AsksForDecisionMaker(),),
    IssueTag.GUESSING: (AsksAQuestion(),),
    IssueTag.REASONING_LEAK: (NoRuleBroken(("format_leak",)),),
    IssueTag.REPROACH: (BlamesNobody(),),
    IssueTag.SKIPPED_GREETING: (Greets(),),
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
    fault: IssueTag
    severity: Severity
    """How bad the fault is."""
    wrong: str
    """What is wrong with the bad reply, in plain words."""
    context: TurnContext
    """The turn as the service would have given it."""
    bad: Reply
    """What was said."""
    must: tuple[Check, ...]
    """What a fix does."""
    should: tuple[Check, ...]
    """What a clean fix does besides, such as answering what the hotel said."""
    must_not: tuple[Check, ...]
    """What a clean fix does not do: each matcher says what must *not* hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedCase(BadCase):
    """A case of the set in ``cases/*.yaml``, which also shows that it can be put right."""

    good: Reply
    """One reply that would have been right; by far not the only one."""
