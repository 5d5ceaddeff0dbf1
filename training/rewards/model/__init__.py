"""The reward model (RM): what people prefer, as one number for a reply, learned from pairs (Bradley and Terry 1952) on TRL."""

from training.rewards.model.comparisons import with_references
from training.rewards.model.errors import (
    NotARewardModel,
    OtherTraining,
    PreferencesUnusable,
    RewardModelError,
    TrainingDiverged,
)
from training.rewards.model.report import Report
from training.rewards.model.scorer import RewardModel
from training.rewards.model.settings import RewardModelSettings
from training.rewards.model.training import Rated, train

__all__ = [
    "NotARewardModel",
    "OtherTraining",
    "PreferencesUnusable",
    "Rated",
    "Report",
    "RewardModel",
    "RewardModelError",
    "RewardModelSettings",
    "TrainingDiverged",
    "train",
    "with_references",
]
