"""TRL's trainers, imported without vLLM.

TRL imports vLLM wherever it is installed, to generate within the trainer. Here replies are sampled by ``training.objectives.sampling``, so
it would only cost every run five seconds of processor time, 170 MB, and warnings of vLLM's own.
"""

from trl import import_utils


def _no_vllm(min_version: str | None = None) -> bool:
    del min_version
    return False


import_utils.is_vllm_available = _no_vllm

from trl.trainer.dpo_config import DPOConfig  # noqa: E402
from trl.trainer.dpo_trainer import DPOTrainer  # noqa: E402
from trl.trainer.grpo_config import GRPOConfig  # noqa: E402
from trl.trainer.grpo_trainer import GRPOTrainer  # noqa: E402
from trl.trainer.sft_config import SFTConfig  # noqa: E402
from trl.trainer.sft_trainer import SFTTrainer  # noqa: E402

__all__ = ["DPOConfig", "DPOTrainer", "GRPOConfig", "GRPOTrainer", "SFTConfig", "SFTTrainer"]
