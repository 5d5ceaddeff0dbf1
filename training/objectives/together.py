"""TRL's DPO with each prompt computed once, not once for each of the two replies to it (decision 20).

TRL lays a batch of B pairs out as 2·B rows, the chosen replies first, each behind its prompt, and asks the model for log-probabilities of
the replies alone. Decided here: that the model answers that question from B packed rows, so that the trainer, its losses and what it logs
stay TRL's. What comes out is what separate rows give, up to rounding.
"""

from functools import wraps
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from training.objectives.packing import Groups, group, pack

_IGNORED = -100
_ANSWERS = ("log_probs", "entropy", "log_sum_sq_probs", "mean_logits", "is_top1")


def prompts_once(model: PreTrainedModel) -> None:
    """From here on the model's fused head (TRL's ``add_fused_lm_head``) computes what two rows share once."""
    fused: Any = model.forward

    @wraps(fused)
    def forward(*args: Any, fused_lm_head: bool = False, **inputs: Any) -> Any:
        pairs = _pairs(inputs["input_ids"], inputs["labels"]) if fused_lm_head else None
        if pairs is None:
            return fused(*args, fused_lm_head=fused_lm_head, **inputs)
        return _answer(fused, pairs, inputs["labels"][:, 1:] != _IGNORED)

    vars(model)["forward"] = forward


def _pairs(ids: Tensor, labels: Tensor) -> Groups | None:
    """B prompts with two replies each; None where rows are no such pairs, or a reply has been cut off with its prompt."""
    learned = labels != _IGNORED
    starts, lengths = learned.int().argmax(1).tolist(), learned.sum(1).tolist()
    prompts = [row[:start] for row, start in zip(ids.tolist(), starts, strict=True)]
    replies = [row[start : start + length] for row, start, length in zip(ids.tolist(), starts, lengths, strict=True)]
    half = len(prompts) // 2
    if prompts[:half] != prompts[half:] or not all(prompts) or not all(replies):
        return None
    return group(prompts[:half], list(zip(replies[:half], replies[half:], strict=True)), pad_id=0, device=ids.device)


def _answer(fused: Any, pairs: Groups, learned: Tensor) -> Any:
    """What the fused head tells of the packed rows, where it stands in separate ones: (2·B, L - 1) like ``learned``."""
    packed = pack(pairs)
    # Branches stand one behind the other from the left, with nothing between them.
    is_there = torch.arange(packed.branch_length, device=learned.device) < pairs.reply_mask.sum((1, 2)).unsqueeze(1)
    labels = packed.labels.masked_fill(~is_there, _IGNORED)
    of_prompts = labels.new_full((len(labels), packed.ids.shape[1] - packed.branch_length), _IGNORED)
    told = fused(
        input_ids=packed.ids,
        attention_mask=packed.mask,
        position_ids=packed.positions,
        shift_labels=torch.cat([of_prompts, labels], dim=1),
        fused_lm_head=True,
    )
    for name in _ANSWERS:
        if (packed_answer := told.get(name)) is not None:
            by_reply = packed.unpack(packed_answer[:, -packed.branch_length :]).transpose(0, 1)[pairs.reply_mask.transpose(0, 1)]
            told[name] = packed_answer.new_zeros(learned.shape).masked_scatter(learned, by_reply)
    told["label_mask"] = learned
    return told
