"""The cues by which a hotel recognises what a message of ours does: one pattern for each, in one language.

Decided here: which cues there are. Their words are in ``english_cues`` and ``chinese_cues``; ``hearing`` puts them together.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from agent.simulation.phrases import Lever
from db.vocabulary import ClarifyTopic


def one_of(*patterns: str) -> re.Pattern[str]:
    """Patterns are in lower case and searched in folded text: that is much faster than ignoring case."""
    return re.compile("|".join(patterns))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cues:
    """A language's patterns, to be searched in folded text."""

    arguments: Mapping[Lever, re.Pattern[str]]
    topics: Mapping[ClarifyTopic, re.Pattern[str]]
    """By which an open point is asked; the first that fits counts."""
    greets: re.Pattern[str]
    calms: re.Pattern[str]
    thanks: re.Pattern[str]
    ends: re.Pattern[str]
    hands_over: re.Pattern[str]
    redirects: re.Pattern[str]
    right_person: re.Pattern[str]
    reminds: re.Pattern[str]
    accepts: re.Pattern[str]
    confirms: re.Pattern[str]
    promises: re.Pattern[str]
    presses: re.Pattern[str]
    internal: re.Pattern[str]
    presumes: re.Pattern[str]
    brusque: re.Pattern[str]
    starts: re.Pattern[str]
    """A start date is named."""
    asks: re.Pattern[str]
    names_net: re.Pattern[str]
    asks_for_yes: re.Pattern[str]
    """What makes repeated terms complete where the selling price is missing."""
    kind_before: re.Pattern[str]
    """``net`` or ``selling`` as a group of that name, right before an amount."""
    kind_after: re.Pattern[str]
    echoed: re.Pattern[str]
    """Before the hotel's own number, said back."""
