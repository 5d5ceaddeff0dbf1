"""What the model learns from: one prompt with the completion that should follow, and the tokens both become.

A sample is kept as token ids only, cut where the prompt ends; batches hold samples of similar length, so that little is padding and no
sample sees another one.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast

from agent.language.prompts import Message
from training.starter.tokenizer import END

IGNORED = -100
"""Label of a position that is not learned (PyTorch's convention)."""


class Job(StrEnum):
    """What a sample teaches."""

    READ = "read"
    WRITE = "write"
    REWRITE = "rewrite"
    JUDGE = "judge"


EMPHASIS = 4
"""How many times a token of a reading or a judgement counts: they are a few words, a reply sixty."""

Ids = np.ndarray[tuple[int], np.dtype[np.uint16]]
Weights = np.ndarray[tuple[int], np.dtype[np.uint8]]


@dataclass(frozen=True, slots=True)
class Sample:
    """One prompt in the chat protocol, and the text that should follow."""

    job: Job
    messages: tuple[Message, ...]
    completion: str


@dataclass(frozen=True, slots=True)
class EncodedSample:
    """A sample as token ids; ``prompt_length`` of them are the prompt. ``weights`` (as long) says how much learning each one counts."""

    ids: Ids
    prompt_length: int
    weights: Weights


def encode(sample: Sample, tokenizer: PreTrainedTokenizerFast) -> EncodedSample:
    """Tokens of the prompt exactly as the server would render it, then of the completion with its end mark."""
    prompt = prompt_ids(sample.messages, tokenizer)
    completion = tokenizer.encode(sample.completion + END, add_special_tokens=False)
    weights = [1] * len(prompt) + [EMPHASIS if sample.job in (Job.READ, Job.JUDGE) else 1] * len(completion)
    return EncodedSample(np.array([*prompt, *completion], dtype=np.uint16), len(prompt), np.array(weights, dtype=np.uint8))


def prompt_ids(messages: Iterable[Message], tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """Token ids of a conversation up to where the model starts to write."""
    text = tokenizer.apply_chat_template(
        [{"role": message["role"], "content": message["content"]} for message in messages], tokenize=False, add_generation_prompt=True
    )
    assert isinstance(text, str), "a template that is not tokenised yields text"
    return tokenizer.encode(text, add_special_tokens=False)


def save_encoded(samples: Sequence[EncodedSample], path: Path) -> None:
    """Write the samples as one file; it is complete once it has its name."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as stream:
        np.savez(
            stream,
            ids=np.concatenate([sample.ids for sample in samples]),
            lengths=np.array([len(sample.ids) for sample in samples], dtype=np.int32),
            prompts=np.array([sample.prompt_length for sample in samples], dtype=np.int32),
            weights=np.concatenate([sample.weights for sample in samples]),
        )
    part.replace(path)


def load_encoded(path: Path) -> list[EncodedSample]:
    """The inverse of ``save_encoded``."""
    with np.load(path) as stored:
        ids, lengths, prompts, weights = stored["ids"], stored["lengths"], stored["prompts"], stored["weights"]
    ends = np.cumsum(lengths)
    return [
        EncodedSample(ids[end - length : end], int(prompt), weights[end - length : end])
        for end, length, prompt in zip(ends, lengths, prompts, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Batch:
    """One optimiser step's input; shapes (samples, longest)."""

    ids: torch.Tensor
    labels: torch.Tensor
    """The token that follows, or ``IGNORED``."""
    weights: torch.Tensor
    """How much each position counts."""
    tokens: int
    """Tokens that are not padding."""


def batch_plan(samples: Sequence[EncodedSample], *, batch_tokens: int, seed: int) -> list[list[int]]:
    """One pass over the samples as lists of indices, each at most ``batch_tokens`` when padded; order and mixture follow the seed."""
    rng = random.Random(seed)
    order = list(range(len(samples)))
    rng.shuffle(order)
    plan: list[list[int]] = []
    # Sorting a stretch at a time keeps lengths alike within a batch and the mixture random across batches.
    stretch = max(64, 40 * batch_tokens // 400)
    for start in range(0, len(order), stretch):
        part = sorted(order[start : start + stretch], key=lambda index: (len(samples[index].ids), index))
        plan.extend(_fill(part, samples, batch_tokens))
    rng.shuffle(plan)
    return plan


def _fill(part: Sequence[int], samples: Sequence[EncodedSample], batch_tokens: int) -> Iterator[list[int]]:
    batch: list[int] = []
    for index in part:
        if batch and (len(batch) + 1) * len(samples[index].ids) > batch_tokens:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def collate(samples: Sequence[EncodedSample], *, pad_id: int, prompt_share: float, generator: torch.Generator) -> Batch:
    """Pad on the right; learn every completion token and a random share of the prompt's."""
    longest = max(len(sample.ids) for sample in samples)
    ids = torch.full((len(samples), longest), pad_id, dtype=torch.long)
    labels = torch.full((len(samples), longest), IGNORED, dtype=torch.long)
    weights = torch.ones((len(samples), longest))
    for row, sample in enumerate(samples):
        tokens = torch.from_numpy(sample.ids.astype(np.int64))
        weights[row, : len(tokens) - 1] = torch.from_numpy(sample.weights[1:].astype(np.float32))
        ids[row, : len(tokens)] = tokens
        labels[row, : len(tokens) - 1] = tokens[1:]
        skipped = torch.rand(sample.prompt_length - 1, generator=generator) >= prompt_share
        labels[row, : sample.prompt_length - 1][skipped] = IGNORED
    return Batch(ids, labels, weights, sum(len(sample.ids) for sample in samples))
