"""One optimiser step on several cores: each computes the gradients of its rows with a replica of the model that shares the weights.

Kernels that split every operation over all cores wait for the slowest core hundreds of times a step. Here the cores meet twice a step,
so that a neighbour on the machine costs no more than its share. Sums are taken in a fixed order: the result depends on the number of
replicas and not on who finished first.
"""

import copy
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from transformers import Qwen3ForCausalLM

from agent.serving.precision import fast_format
from training.starter.presets import Preset
from training.starter.samples import IGNORED, Batch


@dataclass(frozen=True, slots=True)
class _Rows:
    """A replica's part of a batch."""

    ids: torch.Tensor
    labels: torch.Tensor
    weights: torch.Tensor


class Replicas:
    """The model that is trained, its replicas, their threads and its optimisers. A context manager: leaving it ends the threads."""

    def __init__(self, model: Qwen3ForCausalLM, preset: Preset, *, device: torch.device, threads: int) -> None:
        count = threads if device.type == "cpu" else 1
        self._device = device
        self._models = [model, *(_sharing(model) for _ in range(count - 1))]
        self._threads_before = torch.get_num_threads()
        self._pool = ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,))
        self._optimisers = _optimisers(model, preset, count)

    def __enter__(self) -> "Replicas":
        torch.set_num_threads(1)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.shutdown()
        torch.set_num_threads(self._threads_before)

    def step(self, batch: Batch, *, rate: float) -> float:
        """One update at that share of the peak learning rates; the weighted mean cross-entropy in nats over the learned positions."""
        total = float(batch.weights[batch.labels != IGNORED].sum())
        count = len(self._models)
        rows = [_Rows(batch.ids[start::count], batch.labels[start::count], batch.weights[start::count]) for start in range(count)]
        losses = self._each([_task(self._gradients, model, own, total) for model, own in zip(self._models, rows, strict=True)])
        self._collect()
        self._each([_task(update, optimiser, peak * rate) for optimiser, peak in self._optimisers])
        return sum(losses)

    def state(self) -> list[dict[str, Any]]:
        """The optimisers' states, for a checkpoint."""
        return [optimiser.state_dict() for optimiser, _ in self._optimisers]

    def restore(self, state: Sequence[dict[str, Any]]) -> None:
        """The inverse of ``state``; raises ValueError where it was taken with another number of threads."""
        for (optimiser, _), kept in zip(self._optimisers, state, strict=True):
            optimiser.load_state_dict(kept)

    def _each(self, tasks: Sequence[Callable[[], float]]) -> list[float]:
        return [future.result() for future in [self._pool.submit(task) for task in tasks]]

    def _gradients(self, model: Qwen3ForCausalLM, rows: "_Rows", total: float) -> float:
        if not len(rows.ids):
            return 0.0
        ids, labels, weights = (part.to(self._device) for part in (rows.ids, rows.labels, rows.weights))
        learned = labels != IGNORED
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=fast_format() == "bfloat16"):
            hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state
            logits = model.lm_head(hidden[learned])
        losses = torch.nn.functional.cross_entropy(logits.float(), labels[learned], reduction="none")
        loss = (losses * weights[learned]).sum() / total
        loss.backward()
        return float(loss.detach())

    def _collect(self) -> None:
        first, *others = (list(model.parameters()) for model in self._models)
        for weights in zip(first, *others, strict=True):
            for other in weights[1:]:
                if other.grad is not None:
                    weights[0].grad = other.grad if weights[0].grad is None else weights[0].grad.add_(other.grad)
                    other.grad = None
        torch.nn.utils.clip_grad_norm_([weights for weights in first if weights.requires_grad], 1.0)


def _sharing(model: Qwen3ForCausalLM) -> Qwen3ForCausalLM:
    replica = copy.deepcopy(model)
    for own, shared in zip(replica.parameters(), model.parameters(), strict=True):
        own.data = shared.data
    return replica


def _optimisers(model: Qwen3ForCausalLM, preset: Preset, count: int) -> list[tuple[torch.optim.Optimizer, float]]:
    """Muon for the matrices inside the blocks, dealt out to the threads, and AdamW for the embedding and the norms; with their peak rates.

    Where the model carries an adapter, that alone learns, by AdamW.

    Muon: Jordan et al. 2024, its step scaled to AdamW's as in Moonlight (Liu et al. 2025, equation 4).
    """
    named = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    if any("lora_" in name for name in named):
        return [(torch.optim.AdamW(named.values(), lr=preset.learning_rate, betas=(0.9, 0.98), weight_decay=0.0), preset.learning_rate)]
    inner = [weight for name, weight in named.items() if weight.ndim == 2 and "embed" not in name]
    embedding = [weight for name, weight in named.items() if weight.ndim == 2 and "embed" in name]
    norms = [weight for weight in named.values() if weight.ndim < 2]
    groups = [{"params": embedding, "weight_decay": preset.weight_decay}, {"params": norms, "weight_decay": 0.0}]
    optimisers: list[tuple[torch.optim.Optimizer, float]] = [
        (torch.optim.AdamW(groups, lr=preset.learning_rate, betas=(0.9, 0.98), fused=True), preset.learning_rate)
    ]
    rate, decay = preset.muon_learning_rate, preset.weight_decay
    for start in range(count):
        muon = torch.optim.Muon(inner[start::count], lr=rate, momentum=0.95, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
        optimisers.append((muon, rate))
    return optimisers


def _task(function: Callable[..., float], *arguments: object) -> Callable[[], float]:
    return lambda: function(*arguments)


def update(optimiser: torch.optim.Optimizer, rate: float) -> float:
    """One step at that learning rate, in the format that this machine multiplies fast; the gradients are forgotten. Returns the rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate
    with _InFloat32() if fast_format() == "float32" else nullcontext():
        optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return rate


class _InFloat32(TorchFunctionMode):
    """Keeps PyTorch's Muon in float32: its Newton-Schulz iterations turn every update into bfloat16, and a processor without instructions
    for that spends five sixths of a step on them."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is torch.Tensor.bfloat16:
            return args[0].clone()
        return func(*args, **(kwargs or {}))
