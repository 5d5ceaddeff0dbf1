"""Adapters that betray themselves: ``python -m benchmarks.hot_swap_adapters FOLDER``.

Each is the shipped policy, taught in a few steps to end every reply with a greeting of its own, which no other version ever says. So a
reply tells by which weights it was written, whatever the log says. They are made once and kept in the folder, golden tokens beside them.
"""

import argparse
import random
from functools import cache
from pathlib import Path
from typing import Any, cast

import torch

from agent.domain import Reply
from agent.language.format import encode_reply
from agent.serving.starter import shipped_adapters
from training.objectives.policy import Policy
from training.objectives.settings import RunSettings
from training.release.golden import prepare
from training.starter.corpus import play_many
from training.starter.samples import Sample, encode
from training.starter.selfplay import WriteExercise

MARKS = ("Sunny greetings.", "Hearty greetings.", "Gentle greetings.")
"""Three, so that a version differs from the two before it and the two after it."""
READY = "MARKED"
_STEPS, _BATCH, _RATE = 24, 4, 4e-3
_SEED = 412_000_000


def marked_adapters(folder: Path) -> list[Path]:
    """The adapters, in the order of ``MARKS``; those that are not there yet are trained."""
    return [taught_to_end_with(mark, folder / f"marked-{number}") for number, mark in enumerate(MARKS)]


def taught_to_end_with(words: str, adapter: Path) -> Path:
    """The adapter that says these words at the end of each reply; trained where it is not there yet."""
    if not (adapter / READY).is_file():
        _train(adapter, words, _exercises())
    return adapter


@cache
def _exercises() -> list[WriteExercise]:
    played = play_many(_SEED, 40, held_out=False, threads=1, report=lambda done: None)
    return [one for one in played if isinstance(one, WriteExercise)]


def _train(adapter: Path, mark: str, exercises: list[WriteExercise]) -> None:
    policy = Policy.load(RunSettings(), adapter=shipped_adapters()["policy-v1"], reference=False)
    optimizer = torch.optim.AdamW([weight for weight in policy.model.parameters() if weight.requires_grad], lr=_RATE)
    drawn = random.Random(mark)
    for step in range(_STEPS):
        batch = [_encoded(exercise, mark, policy) for exercise in drawn.sample(exercises, _BATCH)]
        width = max(len(ids) for ids, _ in batch)
        ids = torch.zeros(_BATCH, width, dtype=torch.long)
        labels = torch.full((_BATCH, width), -100)
        shown = torch.zeros(_BATCH, width, dtype=torch.long)
        for row, (tokens, start) in enumerate(batch):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            labels[row, start : len(tokens)] = ids[row, start : len(tokens)]
            shown[row, : len(tokens)] = 1
        loss = cast(Any, policy.model)(input_ids=ids, attention_mask=shown, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(policy.model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if step % 8 == 7:
            print(f"{mark} step {step + 1} of {_STEPS}, loss {loss.item():.3f}", flush=True)
    adapter.mkdir(parents=True, exist_ok=True)
    policy.save(adapter)
    prepare(adapter)
    (adapter / READY).touch()


def _encoded(exercise: WriteExercise, mark: str, policy: Policy) -> tuple[list[int], int]:
    """Tokens of the prompt and the marked reply, and where the reply starts."""
    sample = exercise.sample()
    marked = encode_reply(Reply(move=exercise.reply.move, text=f"{exercise.template} {mark}"))
    encoded = encode(Sample(sample.job, sample.messages, marked), policy.tokenizer)
    return encoded.ids.tolist(), encoded.prompt_length


def main() -> None:
    """Make them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    torch.set_num_threads(1)
    print(*marked_adapters(parser.parse_args().folder), sep="\n")


if __name__ == "__main__":
    main()
