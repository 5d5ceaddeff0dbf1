"""A prompt and all the replies to it as one row, so that the prompt is computed once and not once for each reply.

A prompt is some 500 tokens and a reply 40, and a group of G replies shares its prompt: as G rows that is G times the prompt. Here the
replies stand one behind the other after it as branches, each with the positions that it would have alone, and an attention mask keeps them
apart: a token sees the prompt and its own branch up to itself. The model's answers are those of separate rows. Decided here: that layout,
and the way back from it. (Also known as tree attention, or shared-prefix packing.)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """N prompts of at most P tokens with G replies each, of at most T tokens; all on one device."""

    prompt_ids: Tensor
    """(N, P), padded on the left."""
    prompt_mask: Tensor
    """(N, P), bool."""
    reply_ids: Tensor
    """(N, G, T), padded on the right."""
    reply_mask: Tensor
    """(N, G, T), bool."""

    def rows(self, rows: slice) -> "Groups":
        """Some of the prompts."""
        return Groups(**{name: getattr(self, name)[rows] for name in self.__slots__})

    def with_ends(self) -> "Groups":
        """The replies one token longer, whatever that is: what stands behind a reply's last word is then computed as well."""
        ends = torch.zeros_like(self.reply_ids[:, :, :1])
        longer = torch.cat([self.reply_ids, ends], dim=2)
        return replace(self, reply_ids=longer, reply_mask=torch.cat([ends == 0, self.reply_mask], dim=2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """Groups as rows of at most L tokens, of which the last M are of the branches."""

    ids: Tensor
    """(N, L)."""
    positions: Tensor
    """(N, L)."""
    mask: Tensor
    """(N, 1, L, L), bool: what each token sees."""
    labels: Tensor
    """(N, M): the reply token that is foretold at each of the last M places."""
    places: Tensor
    """(N, G, T): where among the last M the token stands from which each reply token is foretold; 0 where masked."""
    branch_length: int
    """M."""

    def unpack(self, x: Tensor) -> Tensor:
        """What was computed at the last M positions, (N, M) or (N, M, H), at each reply token: (N, G, T) or (N, G, T, H)."""
        count, copies, length = self.places.shape
        flat = self.places.reshape(count, copies * length)
        if x.dim() == 2:
            return x.gather(1, flat).reshape(self.places.shape)
        return x.gather(1, flat.unsqueeze(2).expand(-1, -1, x.shape[2])).reshape(*self.places.shape, x.shape[2])


MULTIPLE = 64
"""Lengths are padded to multiples of this: a math library keeps something for every shape that it meets, and lengths are all different."""


def group(
    prompts: Sequence[Sequence[int]], replies: Sequence[Sequence[Sequence[int]]], *, pad_id: int, device: torch.device | str = "cpu"
) -> Groups:
    """Token ids as padded tensors on the device: N prompts, and for each the same number of replies."""
    width, length = rounded(max(map(len, prompts)) - 1) + 1, max(len(reply) for copies in replies for reply in copies)
    return Groups(
        prompt_ids=torch.tensor([[pad_id] * (width - len(prompt)) + list(prompt) for prompt in prompts], device=device),
        prompt_mask=torch.tensor([[place >= width - len(prompt) for place in range(width)] for prompt in prompts], device=device),
        reply_ids=torch.tensor([[[*reply, *[pad_id] * (length - len(reply))] for reply in copies] for copies in replies], device=device),
        reply_mask=torch.tensor(
            [[[place < len(reply) for place in range(length)] for reply in copies] for copies in replies], device=device
        ),
    )


def pack(groups: Groups) -> Packed:
    """The rows. Each branch begins with the prompt's last token, from which the first token of every reply is foretold."""
    count, copies, length = groups.reply_ids.shape
    device = groups.reply_ids.device
    # What each branch is fed: the prompt's last token, then the reply without its own last one.
    first = groups.prompt_ids[:, -1:].unsqueeze(1).expand(-1, copies, 1)
    fed = torch.cat([first, groups.reply_ids[:, :, :-1]], dim=2).reshape(count, -1)
    present = groups.reply_mask.reshape(count, -1)
    number = torch.arange(1, copies + 1, device=device).repeat_interleave(length).expand(count, -1)
    step = torch.arange(length, device=device).repeat(copies).expand(count, -1)
    # Branches close up to the left: padding within a row would be computed like words.
    target = (present.cumsum(1) - 1).clamp(min=0)
    size = rounded(int(present.sum(1).max()))
    prompt_length = groups.prompt_mask.sum(1, keepdim=True)
    ids = _closed_up(fed, present, target, size, fill=0)
    labels = _closed_up(groups.reply_ids.reshape(count, -1), present, target, size, fill=0)
    branch = _closed_up(number, present, target, size, fill=-1)
    positions = _closed_up(step + prompt_length - 1, present, target, size, fill=0)
    shared = groups.prompt_mask[:, :-1]
    all_ids = torch.cat([groups.prompt_ids[:, :-1], ids], dim=1)
    all_positions = torch.cat([(shared.long().cumsum(1) - 1).clamp(min=0), positions], dim=1)
    all_branches = torch.cat([torch.where(shared, 0, -1), branch], dim=1)
    return Packed(
        ids=all_ids,
        positions=all_positions,
        mask=_visible(all_branches, all_positions).unsqueeze(1),
        labels=labels,
        places=torch.where(present, target, 0).reshape(count, copies, length),
        branch_length=size,
    )


def rounded(length: int) -> int:
    """The next multiple."""
    return -(-length // MULTIPLE) * MULTIPLE


def _closed_up(x: Tensor, present: Tensor, target: Tensor, size: int, *, fill: int) -> Tensor:
    """What is present of (N, G*T), moved to its target among ``size`` columns."""
    # One column more takes what is not there.
    moved = torch.full((x.shape[0], size + 1), fill, dtype=x.dtype, device=x.device)
    moved.scatter_(1, torch.where(present, target, size), x)
    return moved[:, :size]


def _visible(branches: Tensor, positions: Tensor) -> Tensor:
    """(N, L, L): 0 marks the prompt, -1 padding. Every token sees itself, for a row of nothing would be nan."""
    key, query = branches.unsqueeze(1), branches.unsqueeze(2)
    earlier = positions.unsqueeze(1) <= positions.unsqueeze(2)
    itself = torch.eye(branches.shape[1], dtype=torch.bool, device=branches.device)
    return ((key == 0) | (key == query)) & (key >= 0) & earlier | itself
