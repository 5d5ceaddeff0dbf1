"""The training loop: warm-up, plateau and decay, and checkpoints from which a run goes on to the very same weights.

Written out rather than given to a trainer class because a step here is one forward pass whose logits exist only at learned positions,
which on a CPU is where the time goes. What a step sees follows from (seed, step) alone, so a checkpoint needs no generator states.
"""

import itertools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import Qwen3ForCausalLM

from training.starter.presets import Preset
from training.starter.replicas import Replicas
from training.starter.samples import Batch, EncodedSample, batch_plan, collate

DECAY_SHARE = 0.3
"""Share of the steps over which the learning rate comes down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """One optimiser step, for whoever shows progress."""

    step: int
    steps: int
    loss: float
    """Weighted mean cross-entropy in nats over the learned positions."""
    tokens_per_second: float
    remaining_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSummary:
    """What a finished run amounts to; counts are over all of its sittings."""

    tokens: int
    seconds: float
    last_loss: float


@dataclass(slots=True)
class _Progress:
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    smooth_loss: float = float("nan")

    def count(self, loss: float, *, tokens: int, seconds: float) -> None:
        self.step += 1
        self.tokens += tokens
        self.seconds += seconds
        self.smooth_loss = loss if math.isnan(self.smooth_loss) else 0.97 * self.smooth_loss + 0.03 * loss


def pretrain(
    model: Qwen3ForCausalLM,
    samples: Sequence[EncodedSample],
    *,
    preset: Preset,
    seed: int,
    pad_id: int,
    threads: int,
    checkpoint: Path,
    resume: bool,
    report: Callable[[StepReport], None],
    stop_after: int | None = None,
) -> TrainingSummary:
    """Train the model in place for ``preset.steps`` steps.

    With ``resume`` it goes on from ``checkpoint`` where there is one, and ends at the same weights as a run that was never cut off.
    ``stop_after`` ends this sitting at that step, checkpointed, as a kill would. On a GPU it trains there and hands the model back on it.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.nn.Module.to(model, device=device)
    model.train()
    order = _Order(samples, preset=preset, seed=seed, pad_id=pad_id)
    last_step = preset.steps if stop_after is None else min(stop_after, preset.steps)
    with Replicas(model, preset, device=device, threads=threads) as replicas:
        done = _restore(checkpoint, model, replicas) if resume and checkpoint.exists() else _Progress()
        last_saved = sitting = time.monotonic()
        sitting_tokens = 0
        while done.step < last_step:
            started = time.monotonic()
            batch = order.batch(done.step)
            loss = replicas.step(batch, rate=schedule(done.step, steps=preset.steps, warmup=preset.warmup_steps))
            now = time.monotonic()
            done.count(loss, tokens=batch.tokens, seconds=now - started)
            sitting_tokens += batch.tokens
            report(_report(done, preset.steps, sitting_tokens / (now - sitting)))
            if now - last_saved >= preset.checkpoint_seconds or done.step == last_step:
                _save(checkpoint, model, replicas, done)
                last_saved = now
    return TrainingSummary(tokens=done.tokens, seconds=done.seconds, last_loss=done.smooth_loss)


def _report(done: _Progress, steps: int, speed: float) -> StepReport:
    left = (steps - done.step) * done.seconds / done.step
    return StepReport(step=done.step, steps=steps, loss=done.smooth_loss, tokens_per_second=speed, remaining_seconds=left)


def schedule(step: int, *, steps: int, warmup: int) -> float:
    """Share of the peak learning rate at a step: linear warm-up, a long plateau, a linear way down to zero.

    Two runs of different length are the same up to where the shorter one begins to come down, so a long run may go on from a short one.
    """
    if step < warmup:
        return (step + 1) / warmup
    decay = max(1, round(DECAY_SHARE * steps))
    return min(1.0, (steps - step) / decay)


class _Order:
    """Which samples each step sees: pass after pass over all of them."""

    def __init__(self, samples: Sequence[EncodedSample], *, preset: Preset, seed: int, pad_id: int) -> None:
        self._preset, self._seed, self._pad_id = preset, seed, pad_id
        self._samples = _Passes(samples, batch_tokens=preset.batch_tokens, seed=seed)

    def batch(self, step: int) -> Batch:
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + step)
        chosen = self._samples.at(step)
        return collate(chosen, pad_id=self._pad_id, prompt_share=self._preset.prompt_share, generator=generator)


class _Passes:
    """Endless passes over some samples, addressed by step."""

    def __init__(self, samples: Sequence[EncodedSample], *, batch_tokens: int, seed: int) -> None:
        self._samples, self._batch_tokens, self._seed = samples, batch_tokens, seed
        self._plans: list[list[list[int]]] = []

    def at(self, step: int) -> list[EncodedSample]:
        for number in itertools.count():
            if number == len(self._plans):
                self._plans.append(batch_plan(self._samples, batch_tokens=self._batch_tokens, seed=self._seed * 7919 + number))
            plan = self._plans[number]
            if step < len(plan):
                return [self._samples[index] for index in plan[step]]
            step -= len(plan)
        raise AssertionError("the passes never end")


def _save(path: Path, model: Qwen3ForCausalLM, replicas: Replicas, done: _Progress) -> None:
    part = path.with_name(path.name + ".part")
    state = {
        "model": model.state_dict(),
        "optimiser": replicas.state(),
        "step": done.step,
        "tokens": done.tokens,
        "seconds": done.seconds,
        "smooth_loss": done.smooth_loss,
    }
    torch.save(state, part)
    part.replace(path)


def _restore(path: Path, model: Qwen3ForCausalLM, replicas: Replicas) -> _Progress:
    state = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(state["model"])
    replicas.restore(state["optimiser"])
    return _Progress(state["step"], state["tokens"], state["seconds"], state["smooth_loss"])
