"""A prompt and all replies to it as one sequence: the prompt is read once, and no reply sees another one.

Decided here: which part of a prompt the model reads (system messages, which every prompt has alike, are left out), the mask, and where a
score is read: at the mark that ends a reply. The score of a packed reply is that of the same reply alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerBase

from training.rewards.model.comparisons import Prompt

PROMPT = 0
"""Segment of the prompt's tokens; replies count from 1, padding is -1."""


@dataclass(frozen=True, slots=True)
class Packed:
    """One prompt with its replies as token ids."""

    ids: tuple[int, ...]
    segments: tuple[int, ...]
    """For each token the reply it belongs to, from 1; 0 is the prompt."""
    positions: tuple[int, ...]
    """A reply's positions follow the prompt's, whatever stands between."""
    ends: tuple[int, ...]
    """Where each reply's score is read."""


class Packer:
    """Turns prompts and replies into ``Packed`` with one tokenizer."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, *, prompt_tokens: int, completion_tokens: int) -> None:
        self._tokenizer = tokenizer
        self._prompt_tokens = prompt_tokens
        self._completion_tokens = completion_tokens

    def pack(self, prompt: Prompt, reference: str | None, replies: Sequence[str]) -> Packed:
        """The prompt (with the reference at its end, where there is one) and the replies."""
        ids = self._prompt_ids(prompt, reference)
        segments, positions, ends = [PROMPT] * len(ids), list(range(len(ids))), list[int]()
        start = len(ids)
        for number, reply in enumerate(replies, 1):
            tokens = self.reply_ids(reply)
            ids += tokens
            segments += [number] * len(tokens)
            positions += range(start, start + len(tokens))
            ends.append(len(ids) - 1)
        return Packed(tuple(ids), tuple(segments), tuple(positions), tuple(ends))

    def reply_ids(self, reply: str) -> list[int]:
        """A reply's tokens with the mark that ends it; a long one is cut."""
        end = self._tokenizer.eos_token_id
        assert isinstance(end, int), "a chat model has one mark that ends a message"
        return [*self._tokenizer.encode(reply, add_special_tokens=False)[: self._completion_tokens - 1], end]

    def _prompt_ids(self, prompt: Prompt, reference: str | None) -> list[int]:
        shown = [(role, content) for role, content in prompt if role != "system"] or list(prompt)
        if reference is not None:
            role, content = shown[-1]
            shown[-1] = (role, f"{content}\na good reply: {reference}")
        text = self._tokenizer.apply_chat_template(
            [{"role": role, "content": content} for role, content in shown], tokenize=False, add_generation_prompt=True
        )
        assert isinstance(text, str), "a template that is not tokenised yields text"
        return self._tokenizer.encode(text, add_special_tokens=False)[-self._prompt_tokens :]


def collate(packs: Sequence[Packed], *, pad_id: int) -> dict[str, torch.Tensor]:
    """Tensors of a batch of B packs padded to T tokens and R replies.

    ``input_ids`` and ``position_ids`` (B, T); ``attention_mask`` (B, 1, T, T), true where a token (row) may look at another (column);
    ``ends`` (B, R), padded with 0.
    """
    longest, most = max(len(pack.ids) for pack in packs), max(len(pack.ends) for pack in packs)
    ids, positions, segments, ends = (
        torch.tensor([[*values, *[fill] * (width - len(values))] for values in column])
        for column, width, fill in (
            ([pack.ids for pack in packs], longest, pad_id),
            ([pack.positions for pack in packs], longest, 0),
            ([pack.segments for pack in packs], longest, -1),
            ([pack.ends for pack in packs], most, 0),
        )
    )
    return {"input_ids": ids, "position_ids": positions, "attention_mask": _mask(segments), "ends": ends}


def _mask(segments: torch.Tensor) -> torch.Tensor:
    """(B, T) segments to (B, 1, T, T): backwards only, to the prompt and to the own reply; padding sees itself, lest a row be empty."""
    length = segments.shape[1]
    rows, columns = segments[:, :, None], segments[:, None, :]
    backwards = torch.ones(length, length, dtype=torch.bool).tril()
    seen = backwards & (((columns == PROMPT) & (rows >= PROMPT)) | (rows == columns))
    return (seen | torch.eye(length, dtype=torch.bool))[:, None]
