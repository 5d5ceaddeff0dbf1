"""The network: a Qwen3 decoder with a scalar head that reads the score of every reply of a packed prompt.

Decided here: how a base becomes a reward model (all weights or a LoRA adapter beside the head) and the form in which its weights are kept,
which is that of ``Qwen3ForSequenceClassification`` or of peft.
"""

from pathlib import Path
from typing import Any, cast

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel, Qwen3ForSequenceClassification
from transformers.modeling_outputs import SequenceClassifierOutputWithPast
from trl.trainer.reward_trainer import suppress_seqcls_warning

from training.rewards.model.errors import RewardModelError

_LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


class ReplyScorer(Qwen3ForSequenceClassification):
    """The same network and weights as its parent, pooled at ``ends`` instead of at a sequence's last token."""

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, position_ids: torch.Tensor, ends: torch.Tensor, **_: Any
    ) -> SequenceClassifierOutputWithPast:
        """Scores as ``logits`` (B, R); the arguments are those of ``packing.collate``."""
        backbone = cast(Any, self.model)
        hidden = backbone(input_ids, attention_mask=attention_mask, position_ids=position_ids, use_cache=False).last_hidden_state
        at_ends = hidden.gather(1, ends[..., None].expand(-1, -1, hidden.shape[-1]))
        scores = cast(torch.Tensor, self.score(at_ends).squeeze(-1))
        return SequenceClassifierOutputWithPast(logits=cast(Any, scores))


def fresh_scorer(base: Path, *, lora_rank: int, seed: int) -> PreTrainedModel | PeftModel:
    """The base with a new head, and an adapter where ``lora_rank`` is not 0; the same for the same arguments."""
    torch.manual_seed(seed)
    model = _loaded(base)
    if not lora_rank:
        return model
    config = LoraConfig(
        r=lora_rank, lora_alpha=2 * lora_rank, target_modules=_LINEAR, task_type="SEQ_CLS", modules_to_save=["score"],
        base_model_name_or_path=str(base),
    )  # fmt: skip
    return cast(PeftModel, get_peft_model(cast(Any, model), config))


def save_scorer(model: PreTrainedModel | PeftModel, folder: Path) -> None:
    """Write the weights: a model folder, or an adapter folder that names its base."""
    if isinstance(model, PeftModel):
        # "auto" would ask the hub whether the vocabulary has grown.
        model.save_pretrained(str(folder), save_embedding_layers=False)
        (folder / "README.md").unlink(missing_ok=True)
        return
    model.config.architectures = ["Qwen3ForSequenceClassification"]
    model.save_pretrained(str(folder))


def load_scorer(folder: Path, base: Path) -> ReplyScorer:
    """What ``save_scorer`` wrote, in float32 and ready to score; an adapter is merged into its ``base``."""
    if not (folder / "adapter_config.json").is_file():
        return _loaded(folder).eval()
    adapted = PeftModel.from_pretrained(cast(Any, _loaded(base)), str(folder))
    return cast(ReplyScorer, cast(Any, adapted).merge_and_unload().eval())


def _loaded(folder: Path) -> ReplyScorer:
    if not (folder / "config.json").is_file():
        raise RewardModelError(f"There is no model at {folder} (config.json is missing): name a folder with a Qwen3 model as base.")
    # That a language model's weights have no head for scores is known, and no reason to warn.
    with suppress_seqcls_warning():
        return ReplyScorer.from_pretrained(folder, num_labels=1, dtype=torch.float32, attn_implementation="sdpa")
