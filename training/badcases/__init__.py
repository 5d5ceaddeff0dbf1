"""Bad cases: turns of ours that went wrong, one by one, and whether a reply puts them right.

The shipped cases stand in ``cases/*.yaml``; ``load`` refuses whatever is not sound. Those that people made out of real turns stand in the
database (``stored``). ``verdict`` judges one reply, ``evaluate`` a writer of replies on a set. The cases are for evaluation: no training
ever sees them.
"""

from training.badcases.case import GONE, BadCase, Check, ShippedCase
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
    "Matcher",
    "ShippedCase",
    "Summary",
    "Verdict",
    "cases",
    "evaluate",
    "load",
    "matcher",
    "summarise",
    "verdict",
]
