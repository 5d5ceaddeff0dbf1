"""Where the shipped starter model lies. Its files are written by ``parley starter build`` and by nothing else."""

from pathlib import Path

MODEL_NAME = "parley-starter"
MODEL_FOLDER = Path(__file__).parent / "model"
"""A Hugging Face model folder: configuration, weights, tokenizer, chat template, model card."""
ADAPTER_NAME = "policy-v1"
ADAPTER_FOLDER = Path(__file__).parent / ADAPTER_NAME
"""The first version of the policy: a LoRA adapter on the model, as peft writes it."""


def shipped_adapters() -> dict[str, Path]:
    """Versions of the policy that came with the model, by name."""
    return {ADAPTER_NAME: ADAPTER_FOLDER} if (ADAPTER_FOLDER / "adapter_config.json").is_file() else {}
