"""Adapters on a CPU: each token is changed by its own adapter and by no other, and one without an adapter not at all."""

import pytest
import torch
from torch import Tensor

from agent.serving import cpu_lora

SLOTS, RANK, INPUT, OUTPUT = 3, 4, 10, 6
A = torch.randn(SLOTS, 1, RANK, INPUT, generator=torch.Generator().manual_seed(1)).to(torch.bfloat16)
B = torch.randn(SLOTS, 1, OUTPUT, RANK, generator=torch.Generator().manual_seed(2)).to(torch.bfloat16)
RUNS = [(0, 2), (-1, 3), (2, 1), (0, 1)]
BATCHES = [[0], [1, 1, 1], [-1, -1], [slot for slot, length in RUNS for _ in range(length)]]


def product(inputs: Tensor, stacked: Tensor, slots: list[int]) -> Tensor:
    """Token by token, as it is defined."""
    rows = [torch.zeros(stacked.shape[-2]) if slot < 0 else stacked[slot, 0].float() @ row for slot, row in zip(slots, inputs, strict=True)]
    return torch.stack(rows)


@pytest.mark.parametrize("slots", BATCHES)
def test_that_tokens_are_shrunk_by_their_own_adapter(slots: list[int]) -> None:
    inputs = torch.randn(len(slots), INPUT)
    output = torch.full((len(slots), RANK), 7.0)
    cpu_lora.bgmv_shrink(inputs, A, output, torch.tensor(slots), 0.5)
    torch.testing.assert_close(output, 0.5 * product(inputs, A, slots))


@pytest.mark.parametrize("slots", BATCHES)
@pytest.mark.parametrize("add", [True, False])
def test_that_tokens_are_expanded_by_their_own_adapter(slots: list[int], add: bool) -> None:
    inputs = torch.randn(len(slots), RANK)
    before = torch.randn(len(slots), OUTPUT)
    output = before.clone()
    cpu_lora.bgmv_expand(inputs, B, output, torch.tensor(slots), add)
    torch.testing.assert_close(output, product(inputs, B, slots) + (before if add else 0))


def test_that_runs_of_tokens_come_to_the_same_as_single_ones() -> None:
    slots = BATCHES[-1]
    which, lengths = (torch.tensor(part) for part in zip(*RUNS, strict=True))
    rest = (torch.zeros(1), lengths, which, len(RUNS), 3, len(slots))
    inputs, low = torch.randn(len(slots), INPUT), torch.randn(len(slots), RANK)

    shrunk = torch.zeros(len(slots), RANK)
    cpu_lora.sgmv_shrink(inputs, A, shrunk, *rest, 2.0)
    torch.testing.assert_close(shrunk, 2 * product(inputs, A, slots))

    expanded = torch.ones(len(slots), OUTPUT)
    cpu_lora.sgmv_expand(low, B, expanded, *rest, add_inputs=True)
    torch.testing.assert_close(expanded, 1 + product(low, B, slots))


def test_that_a_part_of_joined_projections_changes_its_columns_alone() -> None:
    slots = BATCHES[-1]
    which, lengths = (torch.tensor(part) for part in zip(*RUNS, strict=True))
    low = torch.randn(len(slots), RANK)
    wanted = torch.ones(len(slots), 2 + OUTPUT + 3)
    wanted[:, 2 : 2 + OUTPUT] += product(low, B, slots)

    single = torch.ones_like(wanted)
    cpu_lora.bgmv_expand_slice(low, B, single, torch.tensor(slots), 2, OUTPUT)
    torch.testing.assert_close(single, wanted)
    runs = torch.ones_like(wanted)
    cpu_lora.sgmv_expand_slice(low, B, runs, torch.zeros(1), lengths, which, len(RUNS), 3, len(slots), 2, OUTPUT, add_inputs=True)
    torch.testing.assert_close(runs, wanted)


def test_that_padding_of_the_output_is_left_alone() -> None:
    low, output = torch.randn(2, RANK), torch.zeros(2, OUTPUT + 2)
    cpu_lora.bgmv_expand(low, B, output, torch.tensor([1, 1]))
    torch.testing.assert_close(output[:, :OUTPUT], product(low, B, [1, 1]))
    assert not output[:, OUTPUT:].any()
