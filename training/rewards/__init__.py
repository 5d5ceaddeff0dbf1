"""Rewards: what people prefer (RM), what a judge says (RJ), what rules find (RF), and REPO's way of making one number of the three.

``enhancement`` is the formula, ``spec`` what everything weighs, ``functions`` the rules, ``scoring`` all of it together with every
component kept. ``approval`` keeps versions of the spec in the database, ``preview`` tries a change on what was said before.
"""

from training.rewards.enhancement import RewardError, enhance, linear_sum, veto
from training.rewards.functions import FunctionScore, Hit
from training.rewards.patterns import PatternRule
from training.rewards.scoring import Figures, Score, Scorer, figures
from training.rewards.spec import Change, Ramp, RewardSpec, SpecError, diff, load_spec, parse_spec, shipped_spec

__all__ = [
    "Change",
    "Figures",
    "FunctionScore",
    "Hit",
    "PatternRule",
    "Ramp",
    "RewardError",
    "RewardSpec",
    "Score",
    "Scorer",
    "SpecError",
    "diff",
    "enhance",
    "figures",
    "linear_sum",
    "load_spec",
    "parse_spec",
    "shipped_spec",
    "veto",
]
