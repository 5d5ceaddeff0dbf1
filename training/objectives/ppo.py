"""PPO as the paper compares it: actor and critic on the reward model alone (Schulman et al. 2017, arXiv 1707.06347)."""

from typing import Any, ClassVar

from training.objectives.trainer import PolicyTrainer


class PPOTrainer(PolicyTrainer):
    """What people are thought to like is all that it sees. On REPO's reward: set ``aggregation`` to ``total``."""

    name = "ppo"
    preset: ClassVar[dict[str, Any]] = {"advantage": "gae", "aggregation": "model"}
