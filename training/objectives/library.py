"""TRL's trainers, imported without vLLM, and with a language head that on a CPU, too, is computed where a token is learned from alone.

TRL imports vLLM wherever it is installed, to generate within the trainer. Here replies are sampled by ``training.objectives.sampling``, so
it would only cost every run five seconds of processor time, 170 MB, and warnings of vLLM's own.

SFT and DPO score the tokens of a reply and not those of its prompt, which are ten times as many. Where Triton is not, TRL scores all and
masks most of them out, since some accelerators compile for every shape; a CPU does not. The weights that come out are the same to the bit,
in about half of the processor time.
"""

import torch
from trl import import_utils
from trl.trainer import utils


def _no_vllm(min_version: str | None = None) -> bool:
    del min_version
    return False


def _only_what_is_learned(device: torch.device) -> bool:
    return device.type in ("cpu", "cuda", "xpu")


import_utils.is_vllm_available = _no_vllm
setattr(utils, "_use_triton", _only_what_is_learned)  # noqa: B010 - a private name, which a type checker would refuse

from trl.trainer.dpo_config import DPOConfig  # noqa: E402
from trl.trainer.dpo_trainer import DPOTrainer  # noqa: E402
from trl.trainer.grpo_config import GRPOConfig  # noqa: E402
from trl.trainer.grpo_trainer import GRPOTrainer  # noqa: E402
from trl.trainer.sft_config import SFTConfig  # noqa: E402
from trl.trainer.sft_trainer import SFTTrainer  # noqa: E402

__all__ = ["DPOConfig", "DPOTrainer", "GRPOConfig", "GRPOTrainer", "SFTConfig", "SFTTrainer"]
