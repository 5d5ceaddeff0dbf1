from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, DynamicCache, PreTrainedModel

from tests import tiny_model
from training.objectives.attention import FEW, few_queries

OLD = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.build(tmp_path_factory.mktemp("attention") / "model")


def _model(folder: Path) -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def _continued(model: PreTrainedModel, new: int) -> Tensor:
    """Logits of the last ``new`` tokens of three rows, the first of them padded on the left, over a cache of what was before."""
    ids = torch.randint(3, 200, (3, OLD + new), generator=torch.Generator().manual_seed(1))
    shown = torch.ones_like(ids, dtype=torch.bool)
    shown[0, :20] = False
    called, cache = cast(Any, model), DynamicCache()
    positions = (shown.long().cumsum(1) - 1).clamp(min=0)
    with torch.inference_mode():
        called(input_ids=ids[:, :OLD], attention_mask=shown[:, :OLD], position_ids=positions[:, :OLD], past_key_values=cache)
        earlier = torch.arange(OLD + new) <= torch.arange(OLD, OLD + new).unsqueeze(1)
        mask = shown[:, None, None, :] & earlier[None, None]
        return called(input_ids=ids[:, OLD:], attention_mask=mask, position_ids=positions[:, OLD:], past_key_values=cache).logits


@pytest.mark.parametrize("new", [1, 4, FEW, FEW + 1])
def test_a_few_new_tokens_see_what_they_saw_before(folder: Path, new: int) -> None:
    torch.testing.assert_close(_continued(few_queries(_model(folder)), new), _continued(_model(folder), new), rtol=0, atol=1e-5)


def test_what_is_masked_is_not_seen(folder: Path) -> None:
    """The comparison above would see it: without the mask the padded row comes out otherwise."""
    model = few_queries(_model(folder))
    ids = torch.randint(3, 200, (1, 30), generator=torch.Generator().manual_seed(2))
    called = cast(Any, model)

    def last(mask: Tensor) -> Tensor:
        cache = DynamicCache()
        with torch.inference_mode():
            called(input_ids=ids[:, :-1], past_key_values=cache)
            return called(input_ids=ids[:, -1:], attention_mask=mask, past_key_values=cache).logits

    everything, half = torch.ones(1, 1, 1, 30, dtype=torch.bool), torch.ones(1, 1, 1, 30, dtype=torch.bool)
    half[..., :15] = False
    assert not torch.allclose(last(everything), last(half), atol=1e-3)
