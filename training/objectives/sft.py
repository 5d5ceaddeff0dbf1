"""Supervised fine-tuning: demonstrations are imitated, and of them only what our side said."""

from pathlib import Path
from typing import Any, ClassVar

from training.objectives.library import SFTConfig
from training.objectives.library import SFTTrainer as Library
from training.objectives.objective import Task, TaskError, dataset
from training.objectives.order import rows_in_order
from training.objectives.policy import Policy
from training.objectives.running import Resumable
from training.objectives.settings import SFTSettings
from training.objectives.trainer import common


class SFTTrainer(Resumable, Library):
    """TRL's, on the columns ``prompt`` and ``completion``."""

    name = "sft"
    preset: ClassVar[dict[str, Any]] = {}
    settings_type = SFTSettings

    @classmethod
    def of(cls, task: Task, settings: SFTSettings, policy: Policy) -> "SFTTrainer":
        """Raises TaskError without demonstrations."""
        if not task.demonstrations:
            raise TaskError("SFT learns from demonstrations, and the snapshot has none: rate replies as excellent, edit or rewrite some")
        rows = rows_in_order(task.demonstrations, "completion", settings, batch=settings.batch, steps=settings.steps)
        trainer = cls(
            model=policy.model,
            args=_config(settings, task.folder, int(policy.trunk.config.max_position_embeddings)),
            train_dataset=dataset(rows, ("prompt", "completion")),
            processing_class=policy.tokenizer,
        )
        trainer.policy = policy
        return trainer


def _config(settings: SFTSettings, folder: Path, window: int) -> SFTConfig:
    return SFTConfig(
        **common(settings, folder),
        max_steps=settings.steps,
        per_device_train_batch_size=settings.batch,
        completion_only_loss=True,
        max_length=window,
        packing=False,
    )
