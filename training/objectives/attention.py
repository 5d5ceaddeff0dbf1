"""Attention of a few new tokens to many old ones on a CPU, without the kernel that is made for many.

torch's own goes through queries in blocks: for a single one in bfloat16 it takes four times as long as two plain products (16 rows of 640
tokens, 8 heads of 64: 10.0 against 2.3 ms of one core). A reply is written one token at a time.
"""

from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

NAME = "parley_few"
FEW = 16
"""Queries of a row up to which the plain products are taken."""


def few_queries(model: PreTrainedModel) -> PreTrainedModel:
    """The model, which from here on attends so; on a CPU only, elsewhere it stays as it is."""
    if model.device.type == "cpu":
        model.set_attn_implementation(NAME)
    return model


def _attend(
    module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **kwargs: Any
) -> tuple[Tensor, Tensor | None]:
    """Query (rows, heads, new, size), key and value (rows, heads or fewer, all, size), mask (rows, 1, new, all) bool."""
    if query.shape[2] > FEW or attention_mask is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
    copies = query.shape[1] // key.shape[1]
    if copies > 1:
        key, value = key.repeat_interleave(copies, 1), value.repeat_interleave(copies, 1)
    scores = (query @ key.transpose(2, 3)).float() * float(kwargs["scaling"])
    weights = torch.softmax(scores.masked_fill(~attention_mask, float("-inf")), dim=-1)
    return (weights.to(value.dtype) @ value).transpose(1, 2).contiguous(), None


AttentionInterface.register(NAME, _attend)
AttentionMaskInterface.register(NAME, sdpa_mask)
