"""Simulated experts: raters who see the simulator's truth and judge what our side wrote.

They measure what training has done, so nothing that training rewards may come from here or be known here: no guard, no reward, no judge.
What they share with the rest is the simulator and the phrasebook. Their ratings are simulated and are always to be labelled so.
"""

from training.experts.agreement import Alpha, Recovered, agreement, alpha, recover
from training.experts.expert import DialogueRating, Expert, Outcome, Rating, dialogue_score, outcome_of, panel
from training.experts.faults import Fault, FaultKind
from training.experts.reading import Reader
from training.experts.score import Judgement, judge, true_score
from training.experts.truth import Truth, witness, witness_each, witnessed

__all__ = [
    "Alpha",
    "DialogueRating",
    "Expert",
    "Fault",
    "FaultKind",
    "Judgement",
    "Outcome",
    "Rating",
    "Reader",
    "Recovered",
    "Truth",
    "agreement",
    "alpha",
    "dialogue_score",
    "judge",
    "outcome_of",
    "panel",
    "recover",
    "true_score",
    "witness",
    "witness_each",
    "witnessed",
]
