"""TRL as it is used here: what costs half of the time of SFT and DPO on a CPU is not done, and what comes out is the same to the bit."""

from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import Qwen3Config, Qwen3ForCausalLM

from training.objectives import library

utils: Any = library.utils
IGNORED = -100
PROMPT, REPLY = 12, 3


def tiny() -> Any:
    torch.manual_seed(0)
    shape: dict[str, Any] = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
    }
    model: Any = Qwen3ForCausalLM(Qwen3Config(vocab_size=50, head_dim=8, **shape))
    utils.add_fused_lm_head(model, outputs=("log_probs", "entropy"))
    return model


def learned(model: Any) -> tuple[Tensor, Tensor]:
    """The loss of the replies, and its gradient in one weight."""
    ids = torch.randint(0, 50, (4, PROMPT + REPLY), generator=torch.Generator().manual_seed(1))
    labels = ids.clone()
    labels[:, :PROMPT] = IGNORED
    model.zero_grad()
    loss = model(input_ids=ids, labels=labels, fused_lm_head=True).loss
    loss.backward()
    return loss.detach(), model.model.layers[0].mlp.up_proj.weight.grad.clone()


def test_that_the_head_is_computed_where_a_token_is_learned_from_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails where TRL renames what ``library`` sets, which would not fail by itself."""
    scored: list[int] = []
    apply = utils._ChunkedLogProbFunction.apply

    def counting(hidden: Tensor, *rest: Any) -> Any:
        scored.append(len(hidden))
        return apply(hidden, *rest)

    monkeypatch.setattr(utils._ChunkedLogProbFunction, "apply", counting)
    learned(tiny())
    assert scored == [4 * REPLY]


def test_that_what_is_learned_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny()
    loss, gradient = learned(model)
    monkeypatch.setattr(utils, "_use_triton", lambda _: False)
    assert torch.equal(loss, learned(model)[0])
    assert torch.allclose(gradient, learned(model)[1], rtol=1e-5, atol=1e-9)


def test_that_vllm_is_not_there_for_trl() -> None:
    assert not library.import_utils.is_vllm_available()
