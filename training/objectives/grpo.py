"""GRPO as the paper compares it: each reply against its group, on the reward model alone (Shao et al. 2024, arXiv 2402.03300)."""

from typing import Any, ClassVar

from training.objectives.trainer import PolicyTrainer


class GRPOTrainer(PolicyTrainer):
    """No critic. On REPO's reward: set ``aggregation`` to ``total``; GOPO: ``advantage`` to ``rank``; GDPO: ``aggregation`` to ``gdpo``."""

    name = "grpo"
    preset: ClassVar[dict[str, Any]] = {"advantage": "group", "aggregation": "model"}
