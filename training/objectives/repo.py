"""REPO: the reward model's liking, enhanced by judge and rules, learned token by token against a critic (arXiv 2510.04214)."""

from typing import Any, ClassVar

from training.objectives.trainer import PolicyTrainer


class REPOTrainer(PolicyTrainer):
    """PPO's actor and critic on R_total."""

    name = "repo"
    preset: ClassVar[dict[str, Any]] = {"advantage": "gae", "aggregation": "total"}
