"""Packed rows and the sampler against the plain model, one reply at a time."""

from typing import Any, cast

import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from tests import tiny_model
from training.objectives.packing import group, pack
from training.objectives.sampling import Sampling, sample

PROMPTS = [list(range(5, 22)), list(range(30, 35)), [7], list(range(90, 99))]
HOW = Sampling(copies=3, temperature=0.8, max_tokens=9, end_id=40, pad_id=0, width=3)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> PreTrainedModel:
    torch.set_num_threads(1)
    return AutoModelForCausalLM.from_pretrained(tiny_model.build(tmp_path_factory.mktemp("tiny"))).eval()


def alone(model: PreTrainedModel, prompt: list[int], reply: list[int], temperature: float) -> torch.Tensor:
    """Log-probabilities of a reply's tokens, computed by itself."""
    logits = cast(Any, model)(input_ids=torch.tensor([prompt + reply])).logits[0, len(prompt) - 1 : -1]
    return (logits / temperature).log_softmax(-1).gather(1, torch.tensor(reply).unsqueeze(1)).squeeze(1)


def test_a_reply_in_a_packed_row_gets_what_it_gets_alone(model: PreTrainedModel) -> None:
    replies = [[[8, 9, 10], [11], [12, 13, 14, 15]], [[60], [61, 62], [63]], [[3, 3], [3], [4, 5, 6]], [[1, 2], [1, 2], [1]]]
    groups = group(PROMPTS, replies, pad_id=0)
    packed = pack(groups)
    logits = cast(Any, model)(
        input_ids=packed.ids, attention_mask=packed.mask, position_ids=packed.positions, logits_to_keep=packed.branch_length
    ).logits
    logp = packed.unpack(logits.log_softmax(-1).gather(2, packed.labels.unsqueeze(2)).squeeze(2))
    for row, copies in enumerate(replies):
        for copy, reply in enumerate(copies):
            torch.testing.assert_close(logp[row, copy, : len(reply)], alone(model, PROMPTS[row], reply, 1.0))
            assert groups.reply_mask[row, copy].sum() == len(reply)


def test_a_packed_row_gives_the_gradient_of_separate_rows(model: PreTrainedModel) -> None:
    replies = [[[8, 9, 10], [11, 12]]]
    groups = group(PROMPTS[:1], replies, pad_id=0)
    packed = pack(groups)
    weight = model.get_input_embeddings().weight
    logits = cast(Any, model)(
        input_ids=packed.ids, attention_mask=packed.mask, position_ids=packed.positions, logits_to_keep=packed.branch_length
    ).logits
    together = packed.unpack(logits.log_softmax(-1).gather(2, packed.labels.unsqueeze(2)).squeeze(2))[groups.reply_mask].sum()
    separate = alone(model, PROMPTS[0], [8, 9, 10], 1.0).sum() + alone(model, PROMPTS[0], [11, 12], 1.0).sum()
    torch.testing.assert_close(*(torch.autograd.grad(loss, cast(torch.Tensor, weight))[0] for loss in (together, separate)))


def test_states_are_unpacked_like_log_probabilities() -> None:
    packed = pack(group([[1, 2], [3]], [[[4], [5, 6]], [[7, 8], [9]]], pad_id=0))
    x = torch.arange(packed.labels.numel()).view(packed.labels.shape)
    torch.testing.assert_close(packed.unpack(torch.stack([x, 2 * x], dim=2))[..., 1], 2 * packed.unpack(x))


def test_what_is_sampled_has_the_log_probability_that_the_model_gives_it(model: PreTrainedModel) -> None:
    samples = sample(model, PROMPTS, HOW, seed=3)
    assert [len(copies) for copies in samples.ids] == [3] * len(PROMPTS)
    for prompt, copies, said in zip(PROMPTS, samples.ids, samples.logps, strict=True):
        for reply, logps in zip(copies, said, strict=True):
            torch.testing.assert_close(torch.tensor(logps), alone(model, prompt, reply, HOW.temperature), atol=1e-5, rtol=1e-4)


def test_a_reply_ends_with_the_end_mark_or_at_the_limit(model: PreTrainedModel) -> None:
    # Of 259 tokens of a random model each comes up often enough.
    replies = [reply for seed in range(12) for copies in sample(model, PROMPTS, HOW, seed=seed).ids for reply in copies]
    ended = [reply for reply in replies if reply[-1] == HOW.end_id]
    assert ended
    assert all(HOW.end_id not in reply[:-1] for reply in replies)
    assert all(len(reply) == HOW.max_tokens for reply in replies if reply[-1] != HOW.end_id)
    assert any(len(reply) < HOW.max_tokens for reply in ended)


def test_the_same_seed_says_the_same_and_another_something_else(model: PreTrainedModel) -> None:
    assert sample(model, PROMPTS, HOW, seed=1) == sample(model, PROMPTS, HOW, seed=1)
    assert sample(model, PROMPTS, HOW, seed=1) != sample(model, PROMPTS, HOW, seed=2)


def test_tokens_come_as_often_as_the_model_says(model: PreTrainedModel) -> None:
    how = Sampling(copies=64, temperature=0.05, max_tokens=1, end_id=2, pad_id=0)
    drawn = torch.tensor([reply[0] for seed in range(40) for copies in sample(model, [PROMPTS[0]], how, seed=seed).ids for reply in copies])
    logits = cast(Any, model)(input_ids=torch.tensor([PROMPTS[0]])).logits[0, -1].detach()
    wanted = (logits / how.temperature).softmax(-1)
    seen = torch.bincount(drawn, minlength=len(wanted)) / len(drawn)
    # 2,560 draws: a share's standard error is at most 0.01.
    assert float((seen - wanted).abs().max()) < 0.04
