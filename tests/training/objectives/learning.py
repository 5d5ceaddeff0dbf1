"""What the tests of the trainers share: a random model that is small, a few contexts of self-play, and a reward."""

from collections.abc import Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

from agent.domain import Reply, TurnContext
from agent.serving.starter import MODEL_FOLDER
from training.objectives.objective import Task
from training.objectives.rewarding import ScoreMany
from training.rewards.scoring import Score, Scorer
from training.rewards.spec import shipped_spec
from training.starter.selfplay import WriteExercise, play


def tiny(folder: Path) -> Path:
    """A random Qwen3 of two layers with the starter's tokenizer. Its answers are noise: what can be tested on it is everything else."""
    tokenizer = AutoTokenizer.from_pretrained(MODEL_FOLDER)
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        max_position_embeddings=1024,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=True,
    )
    Qwen3ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@cache
def exercises(count: int, first: int = 70_000) -> list[WriteExercise]:
    """Those with the shortest prompts of a few negotiations."""
    found = [
        exercise
        for seed in range(first, first + 2)
        for exercise in play(seed)
        if isinstance(exercise, WriteExercise) and not exercise.violations
    ]
    return list(islice(sorted(found, key=lambda exercise: len(exercise.prompt()[1]["content"])), count))


def contexts(count: int, first: int = 70_000) -> list[TurnContext]:
    return [exercise.context for exercise in exercises(count, first)]


def brevity(items: Sequence[tuple[TurnContext, Reply]]) -> list[float]:
    """Short replies are liked."""
    return [(100 - len(reply.text)) / 50 for _, reply in items]


def scorer() -> ScoreMany:
    score = Scorer(brevity, None, shipped_spec()).score_many

    def many(items: Sequence[tuple[TurnContext, Reply]]) -> list[Score]:
        return score(list(items))

    return many


SMALL: dict[str, Any] = {
    "steps": 3,
    "prompts": 2,
    "copies": 4,
    "minibatches": 2,
    "max_tokens": 6,
    "learning_rate": 1e-3,
    "save_every": 1,
    "held_out_every": 2,
    "autocast": False,
}


def demonstrations(count: int) -> list[dict[str, Any]]:
    return [
        {"prompt": [dict(message) for message in one.prompt()], "completion": [{"role": "assistant", "content": one.completion()}]}
        for one in exercises(count)
    ]


def preferences(count: int) -> list[dict[str, Any]]:
    """The real reply beats one that says next to nothing."""
    rows: list[dict[str, Any]] = []
    for one in exercises(count):
        worse = '{"move":"' + one.reply.move.key + '","text":"Hm."}'
        rows.append(
            {
                "prompt": [dict(message) for message in one.prompt()],
                "chosen": [{"role": "assistant", "content": one.completion()}],
                "rejected": [{"role": "assistant", "content": worse}],
            }
        )
    return rows


def task(folder: Any, **more: Any) -> Task:
    return Task(
        folder=folder,
        score=more.pop("score", scorer()),
        contexts=more.pop("contexts", contexts(6)),
        demonstrations=demonstrations(8),
        preferences=preferences(8),
        **more,
    )
