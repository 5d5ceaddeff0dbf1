"""LoRA adapters made on the spot: random, of a chosen rank, fitting the model that the session's server runs."""

from collections.abc import Callable
from pathlib import Path

import pytest

MakeAdapter = Callable[[str, int], Path]


@pytest.fixture(scope="session")
def make_adapter(served_model: Path, tmp_path_factory: pytest.TempPathFactory) -> MakeAdapter:
    """``make_adapter(name, rank)`` writes a strong random adapter and returns its folder."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    def make(name: str, rank: int) -> Path:
        torch.manual_seed(len(name) + rank)
        base = AutoModelForCausalLM.from_pretrained(served_model, dtype=torch.float32)
        config = LoraConfig(r=rank, lora_alpha=16 * rank, target_modules=["q_proj", "v_proj", "o_proj"], init_lora_weights=False)
        model = get_peft_model(base, config)
        folder = tmp_path_factory.mktemp("adapters") / name
        model.save_pretrained(str(folder))
        return folder

    return make
