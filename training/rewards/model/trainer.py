"""TRL's ``RewardTrainer`` on packed prompts: Bradley and Terry's loss over all comparisons of a batch, soft where two replies tie.

Decided here: the loss, and what is overridden of TRL (1.16): how rows are prepared (ours are), the loss, and the model card, which would
tell of this machine. The loop, checkpoints and resuming are TRL's and transformers'.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from datasets import Dataset
from torch.nn.functional import logsigmoid
from transformers import PreTrainedTokenizerBase, PrinterCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from trl.trainer.reward_config import RewardConfig
from trl.trainer.reward_trainer import RewardTrainer

from training.rewards.model.comparisons import Compared
from training.rewards.model.errors import TrainingDiverged
from training.rewards.model.packing import Packed, Packer, collate
from training.rewards.model.settings import RewardModelSettings

StepReport = Callable[[int, int, str], None]
"""Called with the step, all steps, and figures worth seeing."""


def dataset(groups: Sequence[Compared], packer: Packer) -> Dataset:
    """A row for each prompt: its pack and its comparisons as (better, worse, wanted, weight)."""
    packs = [packer.pack(group.prompt, group.reference, group.replies) for group in groups]
    return Dataset.from_dict(
        {
            "ids": [pack.ids for pack in packs],
            "segments": [pack.segments for pack in packs],
            "positions": [pack.positions for pack in packs],
            "ends": [pack.ends for pack in packs],
            "better": [[pair.better for pair in group.comparisons] for group in groups],
            "worse": [[pair.worse for pair in group.comparisons] for group in groups],
            "wanted": [[pair.wanted for pair in group.comparisons] for group in groups],
            "weight": [[pair.weight for pair in group.comparisons] for group in groups],
            "length": [len(pack.ids) for pack in packs],
        }
    )


class Collator:
    """A batch: the packs' tensors, and ``pairs`` (P, 3) of (row, better, worse) with ``wanted`` and ``weight`` (P,)."""

    def __init__(self, pad_id: int) -> None:
        self._pad_id = pad_id

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """Collate rows of ``dataset``."""
        packs = [Packed(tuple(row["ids"]), tuple(row["segments"]), tuple(row["positions"]), tuple(row["ends"])) for row in rows]
        pairs = [(place, *pair) for place, row in enumerate(rows) for pair in zip(row["better"], row["worse"], strict=True)]
        told = {name: torch.tensor([value for row in rows for value in row[name]], dtype=torch.float32) for name in ("wanted", "weight")}
        return collate(packs, pad_id=self._pad_id) | {"pairs": torch.tensor(pairs)} | told


def preference_loss(gap: torch.Tensor, wanted: torch.Tensor, weight: torch.Tensor | float = 1.0) -> torch.Tensor:
    """Weighted cross-entropy of the win probability sigmoid(``gap``) with the wanted one, mean over pairs; all (P,). A tie wants 0.5."""
    return -(weight * (wanted * logsigmoid(gap) + (1 - wanted) * logsigmoid(-gap))).mean()


class PackedRewardTrainer(RewardTrainer):
    """See the module."""

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        return dataset

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """None is written."""

    def compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None) -> Any:
        """Bradley and Terry's loss with the centring term of Eisenstein et al. (arXiv 2312.09244, equation 2)."""
        del num_items_in_batch
        pairs, wanted = inputs["pairs"], inputs["wanted"]
        outputs = model(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            position_ids=inputs["position_ids"],
            ends=inputs["ends"],
        )
        scores = outputs.logits.float()
        better, worse = scores[pairs[:, 0], pairs[:, 1]], scores[pairs[:, 0], pairs[:, 2]]
        loss = preference_loss(better - worse, wanted, inputs["weight"])
        if not torch.isfinite(loss):
            raise TrainingDiverged(
                f"The reward model's loss became {loss.item()} at step {self.state.global_step}: lower its learning rate "
                f"({self.args.learning_rate}), or look at the base's weights."
            )
        centring = cast(RewardConfig, self.args).center_rewards_coefficient
        if centring:
            loss = loss + centring * ((better + worse) ** 2).mean()
        with torch.no_grad():
            metrics = cast(Any, self)._metrics["train" if model.training else "eval"]
            clear = wanted != 0.5
            metrics["accuracy"].append((better > worse)[clear].float().mean().item() if clear.any() else float("nan"))
            metrics["mean_reward"].append(scores.mean().item())
        return (loss, outputs) if return_outputs else loss


class _Steps(TrainerCallback):
    def __init__(self, report: StepReport) -> None:
        self._report = report

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        del args, control, kwargs
        last = next((entry for entry in reversed(state.log_history) if "loss" in entry), None)
        self._report(state.global_step, state.max_steps, f"loss {last['loss']:.3f}" if last else "")


def fit(
    model: Any, tokenizer: PreTrainedTokenizerBase, groups: Sequence[Compared], packer: Packer, settings: RewardModelSettings,
    checkpoints: Path, report: StepReport,
) -> dict[str, float]:  # fmt: skip
    """Train ``model`` in place, going on from the newest whole checkpoint. Returns ``steps``, and this sitting's
    ``seconds`` and ``core_seconds``."""
    pad_id = cast(int, tokenizer.pad_token_id)
    args = RewardConfig(
        output_dir=str(checkpoints),
        seed=settings.seed,
        data_seed=settings.seed,
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.prompts_a_step,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=0.1,
        max_grad_norm=1.0,
        train_sampling_strategy="group_by_length",
        center_rewards_coefficient=settings.centring,
        max_length=None,
        bf16=settings.bf16,
        gradient_checkpointing=False,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=False,
        remove_unused_columns=False,
        logging_steps=10,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=settings.save_steps,
        save_total_limit=2,
        eval_strategy="no",
        report_to=[],
        disable_tqdm=True,
        log_level="error",
    )
    trainer = PackedRewardTrainer(
        model=model,
        args=args,
        data_collator=cast(Any, Collator(pad_id)),
        train_dataset=dataset(groups, packer),
        processing_class=tokenizer,
        callbacks=[_Steps(report)],
    )
    # It prints each log entry, and we have our own progress.
    trainer.remove_callback(PrinterCallback)
    began, used = time.perf_counter(), time.process_time()
    trainer.train(resume_from_checkpoint=_newest_whole(checkpoints))
    # Whoever scores with it from now on computes in float32.
    trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False)
    return {
        "steps": float(trainer.state.global_step),
        "seconds": time.perf_counter() - began,
        "core_seconds": time.process_time() - used,
    }


def _newest_whole(checkpoints: Path) -> str | None:
    """The newest checkpoint that was not cut off while it was written: its state is written last."""
    whole = [path.parent for path in checkpoints.glob("checkpoint-*/trainer_state.json")]
    return str(max(whole, key=lambda path: int(path.name.rsplit("-", 1)[1]))) if whole else None
