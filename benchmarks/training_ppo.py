"""TRL's last PPO trainer as an arm of ``benchmarks.training``; runs in the environment that ``benchmarks.training_environment`` makes.

Decided here: how our reward becomes the reward model that the trainer wants, its settings, and where its step is cut into parts. The value
model is as in TRL's own example: the base model with a scalar head, trained as a whole.
"""

import importlib
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from benchmarks.training_gate import Clock, Gate, Passing
from benchmarks.training_setup import Material, Setup, dtype, lora, order, shared
from training.objectives.settings import PolicySettings

Pay = Callable[[Sequence[tuple[int, Sequence[int]]]], list[float]]


class Paying(nn.Module):
    """Our reward in the shape of a sequence classifier: its trunk hands the tokens through, its head reads and scores them."""

    base_model_prefix = "trunk"

    def __init__(self, pay: Pay, prompts: Sequence[Sequence[int]], *, pad_id: int, gate: Gate) -> None:
        super().__init__()
        self.trunk = _Tokens()
        self._pay, self._pad, self._gate = pay, pad_id, gate
        self._numbers = {tuple(prompt): number for number, prompt in enumerate(prompts)}
        self._lengths = sorted({len(prompt) for prompt in prompts}, reverse=True)

    def score(self, tokens: Tensor) -> Tensor:
        """(B, L, 1) of token ids (B, L, 1): each answer's reward, at every place of it."""
        with self._gate.clock.during("rewards"):
            answers = [self._answer(row) for row in tokens.squeeze(2).tolist()]
            self._gate.length = sum(len(ids) for _, ids in answers) / len(answers)
            return torch.tensor(self._pay(answers)).view(-1, 1, 1).expand(tokens.shape)

    def _answer(self, row: Sequence[int]) -> tuple[int, Sequence[int]]:
        """The context's number and the tokens behind its prompt, of a row that is padded on both sides."""
        there = [at for at, token in enumerate(row) if token != self._pad]
        said = row[there[0] : there[-1] + 1]
        for length in self._lengths:
            number = self._numbers.get(tuple(said[:length]))
            if number is not None:
                return number, said[length:]
        raise AssertionError("every row begins with a prompt that it was given")


class _Tokens(nn.Module):
    def forward(self, input_ids: Tensor, **_: Any) -> Any:
        return SimpleNamespace(hidden_states=[input_ids.unsqueeze(2)])


def ppo(setup: Setup, material: Material, settings: PolicySettings, gate: Gate, folder: Path) -> None:
    """PPO, until the gate stays shut."""
    # As in ``training.objectives.library``: TRL imports vLLM wherever it is, and then makes no use of it here.
    vars(importlib.import_module("trl.import_utils"))["is_vllm_available"] = _no_vllm
    library: Any = importlib.import_module("trl.experimental.ppo")
    module: Any = importlib.import_module("trl.experimental.ppo.ppo_trainer")
    end, pad = material.tokenizer.eos_token_id, material.tokenizer.pad_token_id
    assert isinstance(pad, int), "a chat model's tokenizer has a token to pad with"
    material.tokenizer.padding_side = "left"
    rows = [{"input_ids": list(prompt)} for number in order(setup, settings.seed) for prompt in [material.prompts[number]] * setup.copies]
    trainer: Any = library.PPOTrainer(
        args=library.PPOConfig(
            **shared(setup, settings, folder),
            logging_steps=1,
            per_device_train_batch_size=setup.replies,
            num_mini_batches=settings.minibatches,
            num_ppo_epochs=settings.epochs,
            total_episodes=setup.replies * setup.total,
            local_rollout_forward_batch_size=setup.replies,
            num_sample_generations=0,
            response_length=settings.max_tokens,
            stop_token_id=end,
            temperature=settings.temperature,
            kl_coef=settings.beta,
            kl_estimator=settings.kl,
            cliprange=settings.clip,
            gamma=settings.gamma,
            lam=settings.lam,
        ),
        processing_class=material.tokenizer,
        model=AutoModelForCausalLM.from_pretrained(setup.base, dtype=dtype(setup.precision)),
        ref_model=None,
        reward_model=Paying(material.paid, material.prompts, pad_id=pad, gate=gate),
        value_model=AutoModelForSequenceClassification.from_pretrained(setup.base, num_labels=1, dtype=dtype(setup.precision)),
        train_dataset=Dataset.from_list(rows),
        peft_config=lora(settings),
        callbacks=[Passing(gate, updates=1, first="values")],
    )
    # Without shuffling, so that every arm has the same contexts in a step.
    trainer.dataloader = DataLoader(trainer.train_dataset, batch_size=setup.replies, collate_fn=trainer.data_collator)
    module.batch_generation = _during("rollout", gate.clock, module.batch_generation)
    trainer.accelerator.accumulate = _turning("update", gate.clock, trainer.accelerator.accumulate)
    gate.clock.turn_to("values")
    gate.open()
    # The trainer calls the models past accelerate's wrapper, so that ``bf16`` alone would leave most of a step in float32.
    with torch.autocast("cpu", torch.bfloat16) if setup.precision == "autocast" else nullcontext():
        trainer.train()


def _during(part: str, clock: Clock, call: Callable[..., Any]) -> Callable[..., Any]:
    def timed(*args: Any, **kwargs: Any) -> Any:
        with clock.during(part):
            return call(*args, **kwargs)

    return timed


def _turning(part: str, clock: Clock, call: Callable[..., Any]) -> Callable[..., Any]:
    def turned(*args: Any, **kwargs: Any) -> Any:
        clock.turn_to(part)
        return call(*args, **kwargs)

    return turned


def _no_vllm(min_version: str | None = None) -> bool:
    del min_version
    return False
