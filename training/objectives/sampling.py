"""Sampling replies with a plain model in this process: many prompts, G replies to each, the prompt's keys and values kept once.

TRL's way is ``generate`` over G copies of every prompt, whose cache is read and copied anew at each token. Here the G replies to a prompt
are columns of one row: each step feeds G tokens a row, and a mask keeps the columns apart. Prompts of like length go together, and a row
leaves when its replies have ended. What is sampled follows from the seed alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from llguidance import LLMatcher
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from training.objectives.forbidden import Forbidden
from training.objectives.grammar import Shapes
from training.objectives.packing import rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """G replies to each of N prompts, in the prompts' order."""

    ids: list[list[list[int]]]
    """Tokens of each reply, the end mark included where it came."""
    logps: list[list[list[float]]]
    """Log-probability of each token as it was sampled, at the sampling temperature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How replies are drawn. There is no top-p and no top-k: a cut would bias every ratio."""

    copies: int
    """G."""
    temperature: float
    max_tokens: int
    end_id: int
    pad_id: int
    width: int = 16
    """Prompts that are worked on at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the replies to a prompt are held to while they are drawn."""

    never: Forbidden = field(default_factory=Forbidden)
    shape: LLMatcher | None = None
    """Of the whole answer (``training.objectives.grammar``); None lets anything come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """The replies to some of the prompts, which were worked on at once."""

    rows: list[int]
    """Which prompts."""
    ids: list[list[list[int]]]
    logps: list[list[list[float]]]
    """Both as in ``Samples``, for these rows."""


def sample(model: PreTrainedModel, prompts: Sequence[Sequence[int]], how: Sampling, *, seed: int, bounds: Sequence[Bounds] = ()) -> Samples:
    """Draw the replies; the same weights, prompts and seed give the same ones on one machine.

    ``bounds`` are one for each prompt, or none.
    """
    return gathered(list(draw(model, prompts, how, seed=seed, bounds=bounds)))


def gathered(drawn: Sequence[Drawn]) -> Samples:
    """All of them, in the prompts' order."""
    placed = sorted((row, ids, logps) for part in drawn for row, ids, logps in zip(part.rows, part.ids, part.logps, strict=True))
    return Samples(ids=[ids for _, ids, _ in placed], logps=[logps for _, _, logps in placed])


def draw(
    model: PreTrainedModel, prompts: Sequence[Sequence[int]], how: Sampling, *, seed: int, bounds: Sequence[Bounds] = ()
) -> Iterator[Drawn]:
    """The same, told of as soon as a set of prompts is done with; what the caller does in between changes nothing."""
    generator = torch.Generator(device=model.device).manual_seed(seed)
    for rows in sets(prompts, how):
        with torch.inference_mode():
            batch = _Batch(model, [prompts[row] for row in rows], how, [bounds[row] for row in rows] if bounds else ())
            tokens, logps = (x.cpu() for x in batch.run(generator))
        lengths = [[_length(reply, how.end_id) for reply in copies] for copies in tokens]
        yield Drawn(rows=rows, ids=_cut(tokens, lengths), logps=_cut(logps, lengths))


def sets(prompts: Sequence[Sequence[int]], how: Sampling) -> list[list[int]]:
    """Which prompts go together: those of like length."""
    by_length = sorted(range(len(prompts)), key=lambda index: (len(prompts[index]), index))
    return [by_length[start : start + how.width] for start in range(0, len(prompts), how.width)]


def _length(tokens: Tensor, end_id: int) -> int:
    """Up to and with the first end mark."""
    ends = (tokens == end_id).nonzero()
    return int(ends[0]) + 1 if len(ends) else len(tokens)


def _cut(x: Tensor, lengths: list[list[int]]) -> list[list[list[Any]]]:
    """(N, G, T) as lists, each reply at its length."""
    return [[reply[:length] for reply, length in zip(*row, strict=True)] for row in zip(x.tolist(), lengths, strict=True)]


class _Batch:
    """Some prompts that are answered together; N is the number of rows that are still running."""

    def __init__(self, model: PreTrainedModel, prompts: Sequence[Sequence[int]], how: Sampling, bounds: Sequence[Bounds]) -> None:
        self._model, self._how = model, how
        self._bounded = bool(bounds)
        self._never = [one.never for one in bounds]
        self._shapes = Shapes([one.shape for one in bounds], how.copies)
        device = model.device
        width = rounded(max(map(len, prompts)))
        ids = torch.tensor([[how.pad_id] * (width - len(prompt)) + list(prompt) for prompt in prompts], device=device)
        self._lengths = torch.tensor([len(prompt) for prompt in prompts], device=device)
        shown = torch.arange(width - 1, device=device) >= width - self._lengths.unsqueeze(1)
        self._cache = DynamicCache()
        if width > 1:
            self._forward(ids[:, :-1], shown, (shown.long().cumsum(1) - 1).clamp(min=0), logits=1)
        self._fed = ids[:, -1:].repeat(1, how.copies)
        self._mask = shown[:, None, None, :].expand(-1, 1, how.copies, -1)
        self._rows = torch.arange(len(prompts), device=device)
        self._ended = torch.zeros(len(prompts), how.copies, dtype=torch.bool, device=device)

    def run(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Tokens and their log-probabilities, (N, G, longest) both."""
        count, copies = self._ended.shape
        tokens = torch.full((count, copies, self._how.max_tokens), self._how.pad_id, device=self._ended.device)
        logps = torch.zeros(tokens.shape, device=self._ended.device)
        for step in range(self._how.max_tokens):
            logits = self._step(step)
            rows = self._rows.tolist()
            if self._bounded:
                self._shapes.keep_to(logits, rows)
                self._forbid(logits, tokens[:, :, :step], rows)
            scores = torch.log_softmax(logits / self._how.temperature, dim=-1)
            drawn = torch.multinomial(scores.exp().flatten(0, 1), 1, generator=generator).view(len(self._rows), copies)
            drawn = torch.where(self._ended[self._rows], self._how.pad_id, drawn)
            tokens[self._rows, :, step] = drawn
            logps[self._rows, :, step] = scores.gather(2, drawn.unsqueeze(2)).squeeze(2)
            self._ended[self._rows] |= drawn == self._how.end_id
            self._fed = drawn
            if self._bounded:
                self._shapes.go_on(drawn.tolist(), rows)
            if not self._leave():
                return tokens[:, :, : step + 1], logps[:, :, : step + 1]
        return tokens, logps

    def _step(self, step: int) -> Tensor:
        """Logits (N, G, vocabulary) in float32."""
        count, copies = self._fed.shape
        own = torch.eye(copies, dtype=torch.bool, device=self._fed.device).expand(count, 1, -1, -1)
        self._mask = torch.cat([self._mask, own], dim=3)
        positions = (self._lengths - 1 + step).unsqueeze(1).expand(-1, copies)
        return self._forward(self._fed, self._mask, positions, logits=copies).float()

    def _forward(self, ids: Tensor, mask: Tensor, positions: Tensor, *, logits: int) -> Tensor:
        output = cast(Any, self._model)(
            input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=self._cache, use_cache=True, logits_to_keep=logits
        )
        return output.logits

    def _forbid(self, logits: Tensor, written: Tensor, rows: Sequence[int]) -> None:
        """Leave no chance to what may not come next in each reply that is being written; where nothing is left, it ends there."""
        reach = max(self._never[row].reach for row in rows)
        tails = written[self._rows, :, max(0, written.shape[2] - reach) :].tolist()
        for place, (row, copies) in enumerate(zip(rows, tails, strict=True)):
            for copy, tail in enumerate(copies):
                if forbidden := self._never[row].after(tail):
                    logits[place, copy, forbidden] = -torch.inf
        stuck = logits.isneginf().all(dim=2)
        if bool(stuck.any()):
            logits[..., self._how.end_id] = torch.where(stuck, 0.0, logits[..., self._how.end_id])

    def _leave(self) -> bool:
        """Take out the rows whose replies have all ended; whether any is left."""
        running = ~self._ended[self._rows].all(dim=1)
        if not bool(running.all()):
            kept = running.nonzero().squeeze(1)
            self._rows, self._fed, self._mask, self._lengths = (x[kept] for x in (self._rows, self._fed, self._mask, self._lengths))
            cast(Any, self._cache).batch_select_indices(kept)
        return len(self._rows) > 0
