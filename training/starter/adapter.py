"""``policy-v1``: a LoRA adapter that teaches the average base what its best colleagues do.

The base has seen colleagues of every kind; the adapter sees only those turns in which the phrasebook's excellent lines were spoken. It is
what new conversations get until a later version of the policy takes over.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import Qwen3ForCausalLM

from agent.serving.starter import MODEL_NAME
from training.starter.presets import Preset
from training.starter.pretraining import StepReport, TrainingSummary, pretrain
from training.starter.samples import EncodedSample

NAME = "policy-v1"
QUALITIES = ("excellent",)
"""How our side speaks in the negotiations that the adapter learns from."""
_LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def with_adapter(model: Qwen3ForCausalLM, preset: Preset, *, seed: int) -> PeftModel:
    """The model with a fresh adapter in it, in float32; only the adapter learns from here on."""
    torch.manual_seed(seed)
    torch.nn.Module.to(model, dtype=torch.float32)
    config = LoraConfig(
        r=preset.adapter_rank,
        lora_alpha=2 * preset.adapter_rank,
        target_modules=_LINEAR,
        task_type="CAUSAL_LM",
        base_model_name_or_path=MODEL_NAME,
    )
    # peft takes the name from the model, and this one was not loaded from anywhere.
    model.name_or_path = MODEL_NAME
    return cast(PeftModel, get_peft_model(cast(Any, model), config))


def teach(
    model: Qwen3ForCausalLM,
    samples: list[EncodedSample],
    *,
    preset: Preset,
    seed: int,
    pad_id: int,
    threads: int,
    checkpoint: Path,
    resume: bool,
    report: Callable[[StepReport], None],
) -> TrainingSummary:
    """Train the adapter that is in ``model``, resumable as ``pretrain``."""
    rate = preset.adapter_learning_rate
    own = replace(preset, steps=preset.adapter_steps, learning_rate=rate, prompt_share=0.0, weight_decay=0.0)
    return pretrain(
        model, samples, preset=own, seed=seed + 1, pad_id=pad_id, threads=threads, checkpoint=checkpoint, resume=resume, report=report
    )


def save(adapted: PeftModel, folder: Path) -> None:
    """Write the adapter as peft does, in bfloat16, ready to be published."""
    torch.nn.Module.to(adapted, dtype=torch.bfloat16)
    # "auto" would ask the hub whether the vocabulary has grown.
    adapted.save_pretrained(str(folder), save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    config = folder / "adapter_config.json"
    described = json.loads(config.read_text())
    # peft writes a set, in another order each time: the same build must give the same bytes.
    config.write_text(json.dumps(described | {"target_modules": sorted(described["target_modules"])}, indent=2, sort_keys=True))
    for path in folder.iterdir():
        path.chmod(0o644)
