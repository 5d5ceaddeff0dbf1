"""The part of ``benchmarks.training`` for a GPU: tokens a second and the share of its peak (MFU), of a larger Qwen3 with random weights.

Nothing is downloaded: speed does not depend on what the weights say. Decided here: the shapes, what counts as useful work, and the peak,
which is measured with one large product of matrices and not taken from a data sheet. Measured are the two ends of a step: sampling G
replies to each prompt (``training.objectives.sampling``), and forward and backward over packed groups (``training.objectives.packing``)
with a LoRA adapter. Padding is no useful work, and frozen weights want no gradient: a token costs four operations a weight, not six.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, cast

import torch
from peft import LoraConfig, get_peft_model
from rich.console import Console
from rich.table import Table
from transformers import Qwen3Config, Qwen3ForCausalLM

from db.errors import ParleyError
from training.objectives.packing import Groups, group, pack
from training.objectives.sampling import Sampling, sample
from training.objectives.settings import LINEAR

_END, _PAD = 2, 0


class NoGPU(ParleyError):
    """There is no GPU to measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A model, and the groups that it is measured on."""

    name: str
    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int = 128
    vocabulary: int = 151_936
    prompts: int = 16
    copies: int = 8
    prompt_tokens: int = 512
    reply_tokens: int = 64
    minibatch: int = 8
    """Prompts in one forward and backward pass."""

    def config(self) -> Qwen3Config:
        """As transformers wants it."""
        return Qwen3Config(
            vocab_size=self.vocabulary,
            hidden_size=self.hidden,
            intermediate_size=self.intermediate,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.kv_heads,
            head_dim=self.head_dim,
            max_position_embeddings=2 * (self.prompt_tokens + self.reply_tokens),
            eos_token_id=_END,
            pad_token_id=_PAD,
            tie_word_embeddings=True,
        )


SHAPES = (
    Shape(name="Qwen3-0.6B", layers=28, hidden=1024, intermediate=3072, heads=16, kv_heads=8),
    Shape(name="Qwen3-1.7B", layers=28, hidden=2048, intermediate=6144, heads=16, kv_heads=8),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """What was measured of one shape."""

    name: str
    weights: int
    sampled_tokens_per_s: float
    """Reply tokens, prompts computed on the way."""
    trained_tokens_per_s: float
    """Tokens of prompts and replies, each prompt once for its group."""
    trained_replies_per_s: float
    mfu: float
    """Of forward and backward."""
    peak_tflops: float
    memory_mb: float


def measure(shape: Shape, device: torch.device, *, repeats: int = 5) -> Speed:
    """One shape on one device, in bfloat16; the first time of each part is not counted."""
    torch.manual_seed(0)
    model = cast(Any, Qwen3ForCausalLM(shape.config())).to(device=device, dtype=torch.bfloat16)
    prompts = torch.randint(3, shape.vocabulary, (shape.prompts, shape.prompt_tokens)).tolist()
    how = Sampling(copies=shape.copies, temperature=1.0, max_tokens=shape.reply_tokens, end_id=_END, pad_id=_PAD)
    sampled = sample(model.eval(), prompts, how, seed=0).ids
    said = sum(len(ids) for copies in sampled for ids in copies)
    sampling = timed(lambda: sample(model, prompts, how, seed=0), device, repeats)
    config = LoraConfig(r=64, lora_alpha=64, target_modules=list(LINEAR), task_type="CAUSAL_LM")
    learner = cast(Any, get_peft_model(model, config)).train()
    rows = slice(0, shape.minibatch)
    groups = _moved(group(prompts[rows], sampled[rows], pad_id=_PAD), device)
    packed = pack(groups)

    def learn() -> None:
        output = learner(
            input_ids=packed.ids,
            attention_mask=packed.mask,
            position_ids=packed.positions,
            use_cache=False,
            logits_to_keep=packed.branch_length,
        )
        scores = torch.log_softmax(output.logits.float(), dim=-1)
        scores.gather(2, packed.labels.unsqueeze(2)).mean().backward()
        learner.zero_grad(set_to_none=True)

    training = timed(learn, device, repeats)
    needed, peak = work(groups), peak_flops(device)
    head = model.get_input_embeddings().weight.numel()
    weights = sum(parameter.numel() for parameter in model.parameters() if not parameter.requires_grad)
    return Speed(
        name=shape.name,
        weights=weights,
        sampled_tokens_per_s=said / sampling,
        trained_tokens_per_s=needed.tokens / training,
        trained_replies_per_s=shape.minibatch * shape.copies / training,
        mfu=needed.flops(shape.config(), weights - head, head) / training / peak,
        peak_tflops=peak / 1e12,
        memory_mb=torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else 0.0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a model has to do for some groups, padding left out."""

    tokens: int
    """That go through its layers: each prompt once, without its last token, and every reply."""
    said: int
    """Reply tokens, which the head foretells."""
    pairs: int
    """Of a token with one that it sees."""

    def flops(self, config: Qwen3Config, body: int, head: int) -> float:
        """Operations of forward and backward with frozen weights, ``body`` of them in the layers and ``head`` in the head.

        A weight costs 2 a token forward and 2 backward. A pair costs 4 for each dimension of each head and layer forward (its score, and
        its share of the value) and twice that backward, where both sides of each product want a gradient.
        """
        dimensions = int(cast(Any, config).num_hidden_layers) * int(cast(Any, config).num_attention_heads) * int(cast(Any, config).head_dim)
        return 4.0 * (body * self.tokens + head * self.said) + 12.0 * dimensions * self.pairs


def work(groups: Groups) -> Work:
    """Of packed groups."""
    prompts = groups.prompt_mask.sum(1) - 1
    replies = groups.reply_mask.sum(2)
    within = (prompts * (prompts + 1) // 2).sum() + (replies * (replies + 1) // 2).sum()
    across = (prompts * replies.sum(1)).sum()
    said = int(replies.sum())
    return Work(tokens=int(prompts.sum()) + said, said=said, pairs=int(within + across))


def peak_flops(device: torch.device, size: int = 8192) -> float:
    """Operations a second of one product of bfloat16 matrices; smaller ones where there is no GPU."""
    side = size if device.type == "cuda" else 512
    one, other = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    return 2 * side**3 / timed(lambda: one @ other, device, 20)


def timed(call: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Median seconds, after one call that does not count."""
    seconds: list[float] = []
    for _ in range(repeats + 1):
        _wait_for(device)
        began = time.perf_counter()
        call()
        _wait_for(device)
        seconds.append(time.perf_counter() - began)
    return median(seconds[1:])


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _moved(groups: Groups, device: torch.device) -> Groups:
    return Groups(
        prompt_ids=groups.prompt_ids.to(device),
        prompt_mask=groups.prompt_mask.to(device),
        reply_ids=groups.reply_ids.to(device),
        reply_mask=groups.reply_mask.to(device),
    )


def main(console: Console, *, as_json: bool) -> None:
    """Measure and print. Raises NoGPU."""
    if not torch.cuda.is_available():
        raise NoGPU("There is no GPU that torch can use here: leave --gpu out, or install requirements/gpu.lock on a machine with one.")
    device = torch.device("cuda")
    found = [measure(shape, device) for shape in SHAPES]
    table = Table(title=f"{torch.cuda.get_device_name(device)}, random weights, bfloat16, LoRA r = 64")
    for column in ("shape", "weights", "sampled tokens / s", "trained tokens / s", "trained replies / s", "MFU", "peak TFLOP/s", "MB"):
        table.add_column(column, justify="left" if column == "shape" else "right")
    for one in found:
        table.add_row(
            one.name, f"{one.weights / 1e9:.2f} B", f"{one.sampled_tokens_per_s:,.0f}", f"{one.trained_tokens_per_s:,.0f}",
            f"{one.trained_replies_per_s:,.1f}", f"{one.mfu:.0%}", f"{one.peak_tflops:,.0f}", f"{one.memory_mb:,.0f}",
        )  # fmt: skip
    console.print(table)
    if as_json:
        print(json.dumps([asdict(one) for one in found]))
