"""Bad cases: turns of ours that went wrong, one by one, and whether a reply puts them right.

The cases stand in ``cases/*.yaml``; ``load`` refuses whatever is not sound. ``verdict`` judges one reply, ``evaluate`` a writer of replies
on the whole set. The set is for evaluation: no training ever sees it.
"""

from training.badcases.case import GONE, BadCase, Check, Fault
from training.badcases.evaluation import ClassResult, Estimate, Summary, evaluate, summarise
from training.badcases.loading import BadCaseError, cases, load
from training.badcases.matchers import MATCHERS, Matcher, matcher
from training.badcases.verdicts import WEIGHT, Verdict, verdict

__all__ = [
    "GONE",
    "MATCHERS",
    "WEIGHT",
    "BadCase",
    "BadCaseError",
    "Check",
    "ClassResult",
    "Estimate",
    "Fault",
    "Matcher",
    "Summary",
    "Verdict",
    "cases",
    "evaluate",
    "load",
    "matcher",
    "summarise",
    "verdict",
]
