"""What the arms of ``benchmarks.training`` have in common: contexts, prompts, the reward, and the sizes of a step.

Decided here: that every arm answers the same contexts in the same order and pays the same price for a reward, and that the learning rate is
next to nothing. The arithmetic of a step is the same at any rate, but a policy that learns also learns to be brief, and the arms would no
longer do the same work.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any, Literal

import torch
from peft import LoraConfig
from pydantic import BaseModel, ConfigDict
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from agent.domain import Reply, TurnContext
from agent.language.prompts import render_write
from agent.serving.precision import fast_format
from agent.serving.starter import MODEL_FOLDER
from training.judging import Marks, shipped_rubric
from training.objectives.rollout import read
from training.objectives.settings import PolicySettings, parsed
from training.rewards.scoring import Item, Scorer
from training.rewards.spec import shipped_spec
from training.starter.samples import prompt_ids
from training.starter.selfplay import WriteExercise, play

Precision = Literal["float32", "autocast", "bfloat16"]
"""Of TRL's arms: float32, float32 weights under bfloat16 autocast, or bfloat16 weights (the adapter stays float32)."""
JUDGE_SECONDS = 0.2
JUDGED_AT_ONCE = 16
_FIRST_SEED = 90_000
_STILL = 1e-9
"""Learning rate."""


class Setup(BaseModel):
    """One benchmark; every arm gets it as it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: int = 6
    """Measured steps of each arm."""
    warmup: int = 1
    """Steps before, not measured: compiling kernels, filling caches."""
    prompts: int = 8
    copies: int = 4
    minibatches: int = 2
    max_tokens: int = 160
    threads: int = 1
    precision: Precision = "autocast" if fast_format() == "bfloat16" else "float32"
    base: Path = MODEL_FOLDER

    @property
    def total(self) -> int:
        """Steps, those before included."""
        return self.steps + self.warmup

    @property
    def replies(self) -> int:
        """In a step."""
        return self.prompts * self.copies

    def settings(self, **more: Any) -> PolicySettings:
        """Of our trainer; TRL's are set to the same where they know the setting."""
        low = self.precision == "float32"
        return parsed(
            PolicySettings,
            {
                "steps": self.total,
                "prompts": self.prompts,
                "copies": self.copies,
                "minibatches": self.minibatches,
                "max_tokens": self.max_tokens,
                "learning_rate": _STILL,
                "autocast": not low,
                "sampler_dtype": "float32" if low else "bfloat16",
                "save_every": self.total + 1,
                **more,
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Each context is drawn once, in the order of ``order``: a step has the next ``prompts`` of them."""

    contexts: tuple[TurnContext, ...]
    prompts: tuple[list[int], ...]
    """Token ids."""
    tokenizer: PreTrainedTokenizerFast
    score: Callable[[Sequence[Item]], Sequence[Any]]
    unreadable: float

    def paid(self, answers: Sequence[tuple[int, Sequence[int]]]) -> list[float]:
        """The reward of each answer, given as (number of its context, token ids): read, checked and scored as our trainer does it."""
        replies = [read(self.contexts[number], str(self.tokenizer.decode(list(ids), skip_special_tokens=True))) for number, ids in answers]
        pairs = zip(answers, replies, strict=True)
        items = [(self.contexts[number], reply) for (number, _), reply in pairs if reply is not None]
        scores = iter(self.score(items))
        return [self.unreadable if reply is None else float(next(scores).total) for reply in replies]


def material(setup: Setup, *, judged: bool = False) -> Material:
    """Contexts of scripted negotiations with simulated hotels; the same for the same sizes."""
    tokenizer = AutoTokenizer.from_pretrained(setup.base)
    contexts = tuple(islice(_contexts(), setup.total * setup.prompts))
    return Material(
        contexts=contexts,
        prompts=tuple(prompt_ids(render_write(context), tokenizer) for context in contexts),
        tokenizer=tokenizer,
        score=Scorer(brevity, judge_stub if judged else None, shipped_spec()).score_many,
        unreadable=setup.settings().unreadable,
    )


def _contexts() -> Iterator[TurnContext]:
    """Turns of whole negotiations, so that early and late ones stand in proportion."""
    for seed in count(_FIRST_SEED):
        for exercise in play(seed):
            if isinstance(exercise, WriteExercise) and not exercise.violations:
                yield exercise.context


def brevity(items: Sequence[tuple[TurnContext, Reply]]) -> list[float]:
    """In place of a reward model, which would cost every arm the same: short replies are liked."""
    return [max(-3.0, min(3.0, (110 - len(reply.text)) / 50)) for _, reply in items]


def judge_stub(items: Sequence[Item]) -> list[Marks | None]:
    """A judge that takes its time and thinks nothing: 0.2 s an answer, 16 at once."""
    nothing = {item.name: 0 for item in shipped_rubric().items}

    def judged(_: Item) -> Marks:
        time.sleep(JUDGE_SECONDS)
        return dict(nothing)

    with ThreadPoolExecutor(JUDGED_AT_ONCE) as pool:
        return list(pool.map(judged, items))


def shared(setup: Setup, settings: PolicySettings, folder: Path) -> dict[str, Any]:
    """What TRL's trainers are told alike."""
    return {
        "output_dir": str(folder),
        "seed": settings.seed,
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": "constant_with_warmup",
        "warmup_steps": settings.warmup,
        "max_grad_norm": settings.clip_gradient,
        "bf16": setup.precision == "autocast",
        "gradient_checkpointing": False,
        "use_cpu": True,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
    }


def dtype(precision: Precision) -> torch.dtype:
    """Of the weights that TRL's trainers get."""
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


def lora(settings: PolicySettings) -> LoraConfig:
    """The adapter as our trainer makes it."""
    return LoraConfig(r=settings.rank, lora_alpha=settings.alpha, target_modules=list(settings.modules), task_type="CAUSAL_LM")


def order(setup: Setup, seed: int) -> list[int]:
    """Numbers of the contexts as GRPO's sampler draws them, which is ours too; a trainer with a sampler of its own is given them so."""
    return torch.randperm(setup.total * setup.prompts, generator=torch.Generator().manual_seed(seed)).tolist()
