"""Rollouts: the policy as it is now answers contexts, and its answers become replies as they would go out.

Decided here: that replies are sampled from the weights alone (``Policy.writer``), without the grammar that holds a served reply to its
form, and that an answer which is no reply stays None, to be paid for and counted.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from agent.domain import Reply, TurnContext
from agent.language.blanks import UnknownBlank
from agent.language.prompts import render_write
from agent.language.writer import WriterFailed, read_answer
from training.objectives.policy import Policy, PolicyError
from training.objectives.sampling import Drawn, Samples, Sampling, gathered
from training.objectives.settings import RunSettings
from training.starter.samples import prompt_ids

Written = Callable[[Sequence[int], Sequence[TurnContext], Sequence[Sequence[Reply | None]]], None]
"""Told, for each set of contexts, which of the rollout's they are (from 0) and what was replied to each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """G replies to each of N contexts."""

    contexts: tuple[TurnContext, ...]
    prompts: list[list[int]]
    """Token ids."""
    samples: Samples
    replies: list[list[Reply | None]]
    """None for an answer that cannot be read."""
    seconds: float
    outcomes: list[list[float]] | None = None
    """What each reply is paid besides its own reward, where it is a turn of a dialogue."""
    figures: Mapping[str, float] = field(default_factory=dict[str, float])
    """Of the dialogues, to be logged."""

    @property
    def readable(self) -> list[tuple[TurnContext, Reply]]:
        """What there is to score, context by context."""
        return readable(self.contexts, self.replies)


def readable(contexts: Sequence[TurnContext], replies: Sequence[Sequence[Reply | None]]) -> list[tuple[TurnContext, Reply]]:
    """Each reply that there is, with its context."""
    pairs = zip(contexts, replies, strict=True)
    return [(context, reply) for context, copies in pairs for reply in copies if reply is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Contexts to roll out from, with their prompts as token ids."""

    contexts: tuple[TurnContext, ...]
    prompts: tuple[list[int], ...]

    def __len__(self) -> int:
        return len(self.contexts)


def pool(contexts: Sequence[TurnContext], policy: Policy, settings: RunSettings) -> Pool:
    """Raises PolicyError for no contexts, and for a prompt that with the longest reply does not fit the model's window."""
    if not contexts:
        raise PolicyError("there are no contexts to roll out from: the snapshot is empty, or none of it is in this split")
    prompts = [prompt_ids(render_write(context), policy.tokenizer) for context in contexts]
    fitting(prompts, int(policy.trunk.config.max_position_embeddings), settings)
    return Pool(contexts=tuple(contexts), prompts=tuple(prompts))


def fitting(prompts: Sequence[Sequence[int]], window: int, settings: RunSettings) -> None:
    """Raise PolicyError for a prompt that with the longest reply does not fit the model's window."""
    longest = max(map(len, prompts))
    if longest + settings.max_tokens > window:
        raise PolicyError(
            f"the longest prompt has {longest} tokens and a reply may have {settings.max_tokens}, but the model's window is {window}: "
            "lower max_tokens or take a model with a longer window"
        )


def roll_out(
    policy: Policy,
    source: Pool,
    chosen: Sequence[int],
    settings: RunSettings,
    *,
    copies: int,
    seed: int,
    written: Written | None = None,
) -> Rollout:
    """``copies`` replies to each chosen context of the pool; the same weights and seed give the same ones.

    ``written`` hears of each set of contexts once it is done with, while others are still to come.
    """
    began = time.perf_counter()
    prompts = [source.prompts[index] for index in chosen]
    contexts = tuple(source.contexts[index] for index in chosen)
    replies: dict[int, list[Reply | None]] = {}
    parts: list[Drawn] = []
    for part in policy.writer()(prompts, sampling(policy, settings, copies=copies), seed=seed):
        said = [[read(contexts[row], words(policy, ids)) for ids in copied] for row, copied in zip(part.rows, part.ids, strict=True)]
        if written is not None:
            written(part.rows, [contexts[row] for row in part.rows], said)
        replies |= zip(part.rows, said, strict=True)
        parts.append(part)
    return Rollout(
        contexts=contexts,
        prompts=prompts,
        samples=gathered(parts),
        replies=[replies[row] for row in range(len(contexts))],
        seconds=time.perf_counter() - began,
    )


def sampling(policy: Policy, settings: RunSettings, *, copies: int) -> Sampling:
    """How a run draws its replies."""
    end, pad = policy.tokenizer.eos_token_id, policy.tokenizer.pad_token_id
    assert isinstance(end, int), "a chat model's tokenizer has an end mark"
    assert isinstance(pad, int), "and one to pad with"
    return Sampling(
        copies=copies,
        temperature=settings.temperature,
        max_tokens=settings.max_tokens,
        end_id=end,
        pad_id=pad,
        width=settings.rollout_width,
    )


def words(policy: Policy, ids: Sequence[int]) -> str:
    """Sampled tokens as text."""
    return str(policy.tokenizer.decode(list(ids), skip_special_tokens=True))


def read(context: TurnContext, answer: str) -> Reply | None:
    """The answer as a reply with its blanks filled; None where it is none."""
    try:
        return read_answer(context, answer)
    except (WriterFailed, UnknownBlank):
        return None
