"""TRL's own GRPO trainer as arms of ``benchmarks.training``: its rollouts, its rows, its loss; our contexts and our reward.

Decided here: the settings that it is given, and where its step is cut into parts.
"""

from pathlib import Path
from typing import Any

from datasets import Dataset
from torch import Tensor
from transformers import AutoModelForCausalLM

from agent.language.prompts import render_write
from benchmarks.training_gate import Gate, Passing
from benchmarks.training_setup import Material, Setup, dtype, lora, shared
from training.objectives.library import GRPOConfig, GRPOTrainer
from training.objectives.settings import PolicySettings


class TimedGRPO(GRPOTrainer):
    """TRL's trainer, timed."""

    gate: Gate

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        with self.gate.clock.during("values"):
            return super()._generate_and_score_completions(inputs)

    def _generate(self, *args: Any, **kwargs: Any) -> Any:
        with self.gate.clock.during("rollout"):
            return super()._generate(*args, **kwargs)

    def _calculate_rewards(self, *args: Any, **kwargs: Any) -> Tensor:
        with self.gate.clock.during("rewards"):
            return super()._calculate_rewards(*args, **kwargs)


def grpo(setup: Setup, material: Material, settings: PolicySettings, gate: Gate, folder: Path) -> None:
    """GRPO, until the gate stays shut. ``settings.beta`` is the KL's weight in TRL's loss; at 0 it computes no reference."""

    def reward(completion_ids: list[list[int]], number: list[int], **_: Any) -> list[float | None]:
        gate.length = sum(map(len, completion_ids)) / len(completion_ids)
        return [*material.paid(list(zip(number, completion_ids, strict=True)))]

    rows = [{"prompt": [dict(said) for said in render_write(context)], "number": at} for at, context in enumerate(material.contexts)]
    config = GRPOConfig(
        **shared(setup, settings, folder),
        max_steps=setup.total * settings.updates,
        per_device_train_batch_size=setup.replies // settings.minibatches,
        steps_per_generation=settings.minibatches,
        num_iterations=settings.epochs,
        num_generations=settings.copies,
        max_completion_length=settings.max_tokens,
        temperature=settings.temperature,
        epsilon=settings.clip or 1e9,
        beta=settings.beta,
        logging_steps=settings.updates,
        remove_unused_columns=False,
    )
    trainer = TimedGRPO(
        model=AutoModelForCausalLM.from_pretrained(setup.base, dtype=dtype(setup.precision)),
        reward_funcs=reward,
        args=config,
        train_dataset=Dataset.from_list(rows),
        processing_class=material.tokenizer,
        peft_config=lora(settings),
    )
    trainer.gate = gate
    trainer.add_callback(Passing(gate, updates=settings.updates))
    gate.open()
    trainer.train()
