"""Losses against what numpy makes of the papers' formulas, against TRL where it has them, and against their own gradients."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests import tiny_model
from training.objectives.advantages import ShapeError
from training.objectives.losses import (
    Normalise,
    dpo_loss,
    explained_variance,
    kl_k3,
    p3o_loss,
    policy_loss,
    sppo_loss,
    value_loss,
    win_rates,
)

torch.set_num_threads(1)

untimed = settings(max_examples=40)
MASK = torch.tensor([[1.0, 1.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]], dtype=torch.float64)
HIDDEN = torch.where(MASK.bool(), 0.0, torch.tensor([torch.nan, torch.inf, -torch.inf, 1e30], dtype=torch.float64))
"""What may stand under a mask."""


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def policy_by_numpy(
    logp: Tensor, old: Tensor, advantages: Tensor, mask: Tensor, clip: float | None, weights: Tensor, normalise: Normalise
) -> tuple[float, float, float]:
    """Token by token, with if and else instead of minimum and clamp."""
    rows: list[list[tuple[float, bool, float]]] = []
    for i in range(mask.shape[0]):
        row: list[tuple[float, bool, float]] = []
        for t in range(mask.shape[1]):
            if not mask[i, t]:
                continue
            ratio = float(np.exp(float(logp[i, t] - old[i, t])))
            a = float(advantages[i, t])
            used = ratio
            if clip is not None and a > 0 and ratio > 1 + clip:
                used = 1 + clip
            if clip is not None and a < 0 and ratio < 1 - clip:
                used = 1 - clip
            row.append((-used * a * float(weights[i, t]), used != ratio, ratio - 1 - float(np.log(ratio))))
        if row:
            rows.append(row)
    tokens = [token for row in rows for token in row]
    by_row = [float(np.mean([token[0] for token in row])) for row in rows]
    loss = float(np.mean([token[0] for token in tokens])) if normalise == "tokens" else float(np.mean(by_row))
    return loss, float(np.mean([token[1] for token in tokens])), float(np.mean([token[2] for token in tokens]))


@untimed
@given(seed=st.integers(0, 2**16), clip=st.sampled_from([0.1, 0.2, None]), normalise=st.sampled_from(["tokens", "samples"]))
def test_the_policy_loss_is_ppos(seed: int, clip: float | None, normalise: Normalise):
    logp, old, advantages, weights = (random(3, 4, seed=seed + i) for i in range(4))
    expected = policy_by_numpy(logp, old, advantages, MASK, clip, weights, normalise)
    found = policy_loss(logp + HIDDEN, old + HIDDEN, advantages + HIDDEN, MASK, clip=clip, weights=weights + HIDDEN, normalise=normalise)
    assert (float(found.loss), float(found.clip_fraction), float(found.approx_kl)) == pytest.approx(expected)


def test_an_advantage_of_the_whole_reply_is_that_of_each_token():
    logp, old, advantages = random(3, 4), random(3, 4, seed=1), random(3, seed=2)
    whole = policy_loss(logp, old, advantages, MASK, weights=advantages)
    spread = policy_loss(logp, old, advantages.unsqueeze(1).expand(3, 4), MASK, weights=advantages.unsqueeze(1).expand(3, 4))
    assert whole.loss.equal(spread.loss)


def test_what_is_masked_gets_no_gradient_whatever_stands_there():
    old, other, weights = (random(3, 4, seed=i) + HIDDEN for i in (1, 2, 3))
    logp, values = ((random(3, 4) + HIDDEN).requires_grad_() for _ in range(2))
    policy_loss(logp, old, other, MASK, clip=None, weights=weights).loss.backward()
    value_loss(values, old, other, MASK).backward()
    for gradient in (logp.grad, values.grad):
        assert gradient is not None
        assert gradient.isfinite().all()
        assert (gradient[~MASK.bool()] == 0).all()
        assert (gradient[MASK.bool()] != 0).any()


def test_on_policy_the_gradient_is_the_policy_gradient():
    logp, advantages, mask = random(2, 3).requires_grad_(), random(2, 3, seed=1), torch.ones(2, 3)
    parts = policy_loss(logp, logp.detach(), advantages, mask)
    parts.loss.backward()
    assert logp.grad is not None
    torch.testing.assert_close(logp.grad, -advantages / 6)
    assert (float(parts.clip_fraction), float(parts.approx_kl)) == (0.0, 0.0)


def test_a_clipped_token_pulls_no_further_and_a_wrong_one_is_pulled_back():
    """Up by a half: enough for the one that should rise, too much for the one that should fall."""
    old = torch.zeros(1, 2, dtype=torch.float64)
    logp = torch.full((1, 2), float(np.log(1.5)), dtype=torch.float64, requires_grad=True)
    parts = policy_loss(logp, old, torch.tensor([[1.0, -1.0]], dtype=torch.float64), torch.ones(1, 2), clip=0.2)
    parts.loss.backward()
    assert logp.grad is not None
    torch.testing.assert_close(logp.grad, torch.tensor([[0.0, 0.75]], dtype=torch.float64))
    assert float(parts.clip_fraction) == 0.5


def test_gradients_are_those_of_finite_differences():
    logp, old, advantages = random(2, 3).requires_grad_(), random(2, 3, seed=1), random(2, 3, seed=2)
    mask, returns = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]]), random(2, 3, seed=3)
    pair = [random(4, seed=i).requires_grad_() for i in range(2)]
    fixed = [random(4, seed=i) for i in range(2, 6)]

    def check(loss: Any, *inputs: Tensor) -> None:
        assert torch.autograd.gradcheck(loss, inputs)

    check(lambda x: policy_loss(x, old, advantages, mask, normalise="samples").loss, logp)
    check(lambda x: value_loss(x, old, returns, mask), logp)
    check(lambda x: kl_k3(x, old).sum(), logp)
    check(lambda up, down: dpo_loss(up, down, fixed[0], fixed[1]), *pair)
    check(lambda up, down: sppo_loss(up, down, *fixed, beta=0.5), *pair)
    check(lambda up, down: p3o_loss((up, down), (fixed[0], fixed[1]), (fixed[2], fixed[3])), *pair)


def test_no_gradient_reaches_what_is_taken_as_a_number():
    ours, theirs = random(2, 3).requires_grad_(), [random(2, 3, seed=i).requires_grad_() for i in range(1, 4)]
    mask = torch.ones(2, 3)
    flat = [x.flatten() for x in theirs]
    loss = policy_loss(ours, theirs[0], theirs[1], mask, weights=theirs[2]).loss
    loss = loss + value_loss(ours, theirs[0], theirs[1], mask)
    loss = loss + dpo_loss(ours.flatten(), ours.flatten(), flat[0], flat[1])
    loss = loss + sppo_loss(ours.flatten(), ours.flatten(), flat[0], flat[1], flat[2], flat[2])
    for joint in (False, True):
        loss = loss + p3o_loss((ours.flatten(), ours.flatten()), (flat[0], flat[1]), (flat[2], flat[1]), joint=joint)
    loss.backward()
    assert ours.grad is not None
    assert all(x.grad is None for x in theirs)


def test_an_empty_batch_has_no_loss_and_no_gradient():
    logp = random(2, 3).requires_grad_()
    nothing = torch.zeros(2, 3)
    parts = policy_loss(logp, random(2, 3, seed=1), random(2, 3, seed=2), nothing, normalise="samples")
    (parts.loss + value_loss(logp, logp.detach(), logp.detach(), nothing)).backward()
    assert parts.loss.item() == 0
    assert logp.grad is not None
    assert (logp.grad == 0).all()


# --- critic


@untimed
@given(seed=st.integers(0, 2**16), clip=st.sampled_from([0.2, 0.5, None]))
def test_the_value_loss_is_the_worse_of_free_and_held(seed: int, clip: float | None):
    values, old, returns = (random(3, 4, seed=seed + i) for i in range(3))
    there = MASK.bool().numpy()
    v, o, r = (x.numpy()[there] for x in (values, old, returns))
    free = (v - r) ** 2
    held = free if clip is None else (np.clip(v, o - clip, o + clip) - r) ** 2
    expected = 0.5 * float(np.maximum(free, held).mean())
    assert float(value_loss(values + HIDDEN, old + HIDDEN, returns + HIDDEN, MASK, clip=clip)) == pytest.approx(expected)


def test_explained_variance_of_a_perfect_a_mean_and_a_misleading_critic():
    returns, mask = random(3, 4), torch.ones(3, 4)
    assert float(explained_variance(returns, returns, mask)) == 1
    assert float(explained_variance(torch.full_like(returns, 7.0), returns, mask)) == pytest.approx(0)
    assert float(explained_variance(-returns, returns, mask)) == pytest.approx(-3)
    half = explained_variance(returns / 2 + HIDDEN, returns + HIDDEN, MASK)
    assert float(half) == pytest.approx(0.75)


@pytest.mark.parametrize("mask", [torch.zeros(1, 3), torch.ones(1, 3)])
def test_nothing_to_explain_is_nan(mask: Tensor):
    assert explained_variance(torch.zeros(1, 3), torch.full((1, 3), 0.1), mask).isnan()


def test_k3_is_never_negative_and_its_mean_is_the_divergence():
    p, r = random(5).softmax(0), random(5, seed=1).softmax(0)
    estimates = kl_k3(p.log(), r.log())
    assert (estimates >= 0).all()
    assert float((p * estimates).sum()) == pytest.approx(float((p * (p / r).log()).sum()))


# --- pairs


@untimed
@given(seed=st.integers(0, 2**16), beta=st.sampled_from([0.05, 0.1, 1.0]))
def test_the_dpo_loss_is_the_papers(seed: int, beta: float):
    chosen, rejected, ref_chosen, ref_rejected = (random(5, seed=seed + i) for i in range(4))
    margin = (chosen - ref_chosen - rejected + ref_rejected).numpy()
    expected = float(np.mean(np.log(1 + np.exp(-beta * margin))))
    assert float(dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta=beta)) == pytest.approx(expected)


@pytest.mark.filterwarnings("ignore")  # what TRL and its libraries warn of is not ours
@pytest.mark.parametrize("loss_type", ["sigmoid", "sppo_hard"])
def test_trl_has_the_same_dpo_and_the_same_hard_sppo(loss_type: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from datasets import Dataset
    from transformers import AutoModelForCausalLM
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.dpo_trainer import DPOTrainer

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = str(tiny_model.build(tmp_path / "model"))
    rows = [
        {"prompt": "How much?", "chosen": "450 net, please.", "rejected": "Whatever."},
        {"prompt": "Hello", "chosen": "Hi.", "rejected": "Good morning, dear manager!"},
    ]
    config = DPOConfig(
        output_dir=str(tmp_path / "run"), beta=0.3, loss_type=[loss_type], per_device_train_batch_size=2, use_cpu=True, bf16=False,
        gradient_checkpointing=False, report_to=[], disable_tqdm=True, max_length=None, save_strategy="no",
    )  # fmt: skip
    policy: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    reference: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        generator = torch.Generator().manual_seed(1)
        for parameter in policy.parameters():
            parameter += 0.02 * torch.randn(parameter.shape, generator=generator)
    trainer: Any = DPOTrainer(model=policy.eval(), ref_model=reference.eval(), args=config, train_dataset=Dataset.from_list(rows))
    batch = trainer._prepare_inputs(next(iter(trainer.get_train_dataloader())))
    theirs = float(trainer.compute_loss(policy, batch))

    def sequence_logps(model: Any) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            logps = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1].log_softmax(-1)
        sampled = logps.gather(-1, batch["input_ids"][:, 1:].unsqueeze(-1)).squeeze(-1)
        chosen, rejected = (sampled * batch["completion_mask"][:, 1:]).sum(1).chunk(2)
        return chosen, rejected

    sums = (*sequence_logps(policy.eval()), *sequence_logps(reference.eval()))
    assert (sums[0] - sums[2]).abs().min() > 0.01
    if loss_type == "sigmoid":
        ours = float(dpo_loss(*sums, beta=0.3))
    else:
        # TRL leaves the half out.
        ours = 2 * float(sppo_loss(*sums, torch.ones(2), torch.zeros(2), beta=0.3))
    assert ours == pytest.approx(theirs, rel=1e-4)


def test_win_rates_count_the_reply_itself_as_a_draw():
    scores = torch.tensor([[0.0, 1.0, 3.0]])
    sigma = [[1 / (1 + np.exp(b - a)) for b in (0, 1, 3)] for a in (0, 1, 3)]
    torch.testing.assert_close(win_rates(scores), torch.tensor([np.mean(sigma, axis=1).tolist()]))
    assert float(win_rates(torch.zeros(1, 1))) == 0.5


def test_sppo_is_satisfied_at_its_target_and_nowhere_else():
    reference, beta = random(4), 0.25
    wins, losses = torch.full((4,), 0.8, dtype=torch.float64), torch.full((4,), 0.3, dtype=torch.float64)
    chosen, rejected = reference + 0.3 / beta, reference - 0.2 / beta
    assert float(sppo_loss(chosen, rejected, reference, reference, wins, losses, beta=beta)) == pytest.approx(0)
    assert float(sppo_loss(chosen + 0.1, rejected, reference, reference, wins, losses, beta=beta)) == pytest.approx(0.005)


def test_sppo_raises_a_reply_that_wins_where_dpo_lets_both_fall():
    """Both replies pushed down alike: DPO sees no difference, SPPO pulls the winner up again."""
    reference, fallen = torch.zeros(1), torch.full((1,), -3.0)
    sppo, dpo = fallen.clone().requires_grad_(), fallen.clone().requires_grad_()
    sppo_loss(sppo, fallen, reference, reference, torch.tensor([0.6]), torch.tensor([0.4]), beta=0.1).backward()
    assert sppo.grad is not None
    assert float(sppo.grad) == pytest.approx(-4)
    assert dpo_loss(dpo, fallen, reference, reference).equal(dpo_loss(torch.zeros(1), torch.zeros(1), reference, reference))


@untimed
@given(seed=st.integers(0, 2**16), shift=st.floats(-50, 50), joint=st.booleans())
def test_p3o_does_not_see_a_shift_of_both_rewards(seed: int, shift: float, joint: bool):
    first, second, old_first, old_second, reward, other = (random(5, seed=seed + i) for i in range(6))
    loss = p3o_loss((first, second), (old_first, old_second), (reward, other), joint=joint)
    torch.testing.assert_close(p3o_loss((first, second), (old_first, old_second), (reward + shift, other + shift), joint=joint), loss)


@pytest.mark.parametrize("joint", [False, True])
@pytest.mark.parametrize("clip", [0.2, None])
def test_p3o_has_the_pairwise_gradient_on_policy(joint: bool, clip: float | None):
    first, second = random(5).requires_grad_(), random(5, seed=1).requires_grad_()
    reward, other = random(5, seed=2), random(5, seed=3)
    p3o_loss((first, second), (first.detach(), second.detach()), (reward, other), clip=clip, joint=joint).backward()
    assert first.grad is not None
    assert second.grad is not None
    torch.testing.assert_close(first.grad, -(reward - other) / 2 / 5)
    torch.testing.assert_close(second.grad, (reward - other) / 2 / 5)


def test_unclipped_p3o_is_leave_one_out_on_pairs():
    """REINFORCE with the other reply as baseline, which is mean-centred GRPO times two."""
    logp, old, rewards = random(6, 2), random(6, 2, seed=1), random(6, 2, seed=2)
    pairwise = p3o_loss((logp[:, 0], logp[:, 1]), (old[:, 0], old[:, 1]), (rewards[:, 0], rewards[:, 1]), clip=None)
    one_out = 2 * (rewards - rewards.mean(1, keepdim=True))
    assert float(pairwise) == pytest.approx(float(policy_loss(logp, old, one_out, torch.ones(6, 2), clip=None).loss))


@pytest.mark.parametrize("joint", [False, True])
def test_p3o_stops_where_it_is_clipped(joint: bool):
    first, second = torch.ones(1).requires_grad_(), (-torch.ones(1)).requires_grad_()
    p3o_loss((first, second), (torch.zeros(1), torch.zeros(1)), (torch.ones(1), torch.zeros(1)), joint=joint).backward()
    assert first.grad is not None
    assert second.grad is not None
    assert (float(first.grad), float(second.grad)) == (0.0, 0.0)


def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(ShapeError, match=r"old_logp has shape \(1, 4\)"):
        policy_loss(random(3, 4), random(1, 4), random(3, 4), MASK)
    with pytest.raises(ShapeError, match="advantages has shape"):
        policy_loss(random(3, 4), random(3, 4), random(4), MASK)
    with pytest.raises(ShapeError, match="ref_rejected has shape"):
        dpo_loss(random(3), random(3), random(3), random(1))
