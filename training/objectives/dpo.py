"""Direct preference optimisation: the better of two replies becomes more likely than the worse, measured from where the run began.

Rafailov et al. 2023 (arXiv 2305.18290). ``loss = "sppo_hard"`` is SPPO with hard labels (arXiv 2405.00675), ``ipo`` is IPO.
"""

from pathlib import Path
from typing import Any, ClassVar, cast

from transformers import PreTrainedModel

from training.objectives.library import DPOConfig
from training.objectives.library import DPOTrainer as Library
from training.objectives.objective import Task, TaskError, dataset
from training.objectives.order import rows_in_order
from training.objectives.policy import Policy
from training.objectives.running import Resumable
from training.objectives.settings import DPOSettings
from training.objectives.together import prompts_once
from training.objectives.trainer import common


class DPOTrainer(Resumable, Library):
    """TRL's, on the columns ``prompt``, ``chosen`` and ``rejected``, each prompt computed once.

    The reference is the adapter as it was, which TRL keeps itself.
    """

    name = "dpo"
    preset: ClassVar[dict[str, Any]] = {}
    settings_type = DPOSettings

    @classmethod
    def of(cls, task: Task, settings: DPOSettings, policy: Policy) -> "DPOTrainer":
        """Raises TaskError without preferences."""
        if not task.preferences:
            raise TaskError("DPO learns from preferences, and the snapshot has none: compare replies, or rate several to one context")
        rows = rows_in_order(task.preferences, "chosen", settings, batch=settings.batch, steps=settings.steps)
        trainer = cls(
            model=policy.model,
            args=_config(settings, task.folder, int(policy.trunk.config.max_position_embeddings)),
            train_dataset=dataset(rows, ("prompt", "chosen", "rejected")),
            processing_class=policy.tokenizer,
        )
        prompts_once(cast(PreTrainedModel, policy.model.get_base_model()))
        trainer.policy = policy
        return trainer


def _config(settings: DPOSettings, folder: Path, window: int) -> DPOConfig:
    return DPOConfig(
        **common(settings, folder),
        max_steps=settings.steps,
        per_device_train_batch_size=settings.batch,
        beta=settings.beta,
        loss_type=[settings.loss],
        max_length=window,
    )
