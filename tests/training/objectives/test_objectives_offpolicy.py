"""Off-policy corrections on small distributions, where every expectation can be written out."""

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from training.objectives.advantages import ShapeError
from training.objectives.losses import policy_loss
from training.objectives.offpolicy import Correction, StalenessError, acceptance, budget, choose, icepop, obrs, staleness, tis

torch.set_num_threads(1)

untimed = settings(max_examples=60)
lambdas = st.floats(0.05, 20)
logits = st.lists(st.floats(-3, 3), min_size=4, max_size=4)


def law(scores: Sequence[float]) -> Tensor:
    return torch.tensor(scores, dtype=torch.float64).softmax(0)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def divergence(p: Tensor, q: Tensor) -> float:
    return float((p * (p / q).log()).sum())


def kept_law(p: Tensor, q: Tensor, lam: float) -> Tensor:
    """What the tokens that are kept are distributed by."""
    kept = q * acceptance(p.log(), q.log(), lam=lam)
    return kept / kept.sum()


@untimed
@given(target=logits, behaviour=logits, f=logits, lam=lambdas)
def test_obrs_is_unbiased_at_every_lambda(target: list[float], behaviour: list[float], f: list[float], lam: float):
    """E over what is sampled, and over what is kept of it: the chance to be kept times the weight that ``obrs`` itself gives."""
    p, q, value = law(target), law(behaviour), torch.tensor(f, dtype=torch.float64)
    _, weights = obrs(p.log(), q.log(), generator(), lam=lam, c1=None)
    chance = acceptance(p.log(), q.log(), lam=lam)
    assert float((q * chance * weights * value).sum()) == pytest.approx(float((p * value).sum()), abs=1e-9)


@untimed
@given(target=logits, behaviour=logits, lam=st.floats(0.05, 2), cap=st.floats(2, 5))
def test_capped_obrs_is_on_average_tis_of_the_same_cap(target: list[float], behaviour: list[float], lam: float, cap: float):
    p, q = law(target).log(), law(behaviour).log()
    _, weights = obrs(p, q, generator(), lam=lam, c1=cap)
    torch.testing.assert_close(acceptance(p, q, lam=lam) * weights, tis(p, q, cap=cap))


def test_obrs_keeps_each_token_as_often_as_it_should():
    """200,000 draws: the mean of keep * weight * f lies within four standard errors of E_p f, and the kept follow their law."""
    p, q, f, count, lam = law([0.0, 1.0, -1.0, 2.0]), law([1.0, 0.0, 0.5, -0.5]), torch.tensor([1.0, -2.0, 3.0, 0.5]).double(), 200_000, 1.5
    tokens = torch.multinomial(q, count, replacement=True, generator=generator(1))
    keep, weights = obrs(p.log()[tokens], q.log()[tokens], generator(2), lam=lam, c1=None)
    assert set(keep.unique().tolist()) == {0.0, 1.0}
    terms = keep * weights * f[tokens]
    assert abs(float(terms.mean() - (p * f).sum())) < 4 * float(terms.std()) / count**0.5
    kept = torch.bincount(tokens[keep.bool()], minlength=4) / keep.sum()
    torch.testing.assert_close(kept.double(), kept_law(p, q, lam), atol=0.006, rtol=0)


@untimed
@given(target=logits, behaviour=logits, lam=lambdas, factor=st.floats(1.01, 5))
def test_a_larger_lambda_keeps_less_and_comes_closer(target: list[float], behaviour: list[float], lam: float, factor: float):
    p, q = law(target), law(behaviour)
    few, many = (float((q * acceptance(p.log(), q.log(), lam=x)).sum()) for x in (lam * factor, lam))
    assert few <= many
    near, far = (divergence(p, kept_law(p, q, x)) for x in (lam * factor, lam))
    assert near <= far + 1e-9
    assert far <= divergence(p, q) + 1e-9


def test_lambda_at_the_largest_ratio_is_exact_rejection_sampling_and_at_the_smallest_keeps_all():
    p, q = law([0.0, 1.0, -1.0, 2.0]), law([1.0, 0.0, 0.5, -0.5])
    ratio = p / q
    torch.testing.assert_close(kept_law(p, q, float(ratio.max())), p)
    assert (acceptance(p.log(), q.log(), lam=float(ratio.min())) == 1).all()
    assert divergence(p, q) > 0.5


@untimed
@given(target=logits, behaviour=logits)
def test_at_lambda_one_what_is_not_kept_is_the_total_variation(target: list[float], behaviour: list[float]):
    p, q = law(target), law(behaviour)
    assert 1 - float((q * acceptance(p.log(), q.log())).sum()) == pytest.approx(float((p - q).abs().sum() / 2), abs=1e-9)


def test_staleness_estimates_the_total_variation_from_samples_of_unmasked_tokens():
    p, q = law([0.0, 1.0, -1.0, 2.0]), law([1.0, 0.0, 0.5, -0.5])
    tokens = torch.multinomial(q, 100_000, replacement=True, generator=generator(1)).reshape(100, -1)
    mask = (torch.rand(tokens.shape, generator=generator(2)) < 0.5).double()
    behaviour = torch.where(mask.bool(), q.log()[tokens], torch.nan)
    assert float(staleness(p.log()[tokens], behaviour, mask)) == pytest.approx(float((p - q).abs().sum() / 2), abs=0.01)


@untimed
@given(scores=logits, lam=st.floats(0.05, 1))
def test_on_policy_nothing_is_rejected_and_nothing_weighs_more(scores: list[float], lam: float):
    logp = law(scores).log()
    keep, weights = obrs(logp, logp.clone(), generator(), lam=lam)
    assert (keep == 1).all()
    assert (weights == 1).all()
    assert (tis(logp, logp) == 1).all()
    assert (icepop(logp, logp) == 1).all()
    assert float(staleness(logp, logp, torch.ones(4))) == 0


def test_the_same_generator_rejects_the_same_tokens():
    p, q = torch.randn(3, 50, generator=generator(1)), torch.randn(3, 50, generator=generator(2))
    first, again, other = (obrs(p, q, generator(seed))[0] for seed in (5, 5, 6))
    assert first.equal(again)
    assert not first.equal(other)


def test_caps_bound_the_weights():
    p, q = torch.tensor([0.0, 3.0, -3.0]), torch.zeros(3)
    _, weights = obrs(p, q, generator(), lam=1.0, c1=2.0)
    torch.testing.assert_close(weights, torch.tensor([1.0, 2.0, 1.0]))
    torch.testing.assert_close(tis(p, q, cap=2.0), torch.tensor([1.0, 2.0, float(torch.tensor(-3.0).exp())]))
    torch.testing.assert_close(
        icepop(torch.tensor([0.4, 0.5, 1.0, 5.0, 5.1]).log(), torch.zeros(5)), torch.tensor([0.0, 0.5, 1.0, 5.0, 0.0])
    )


def test_a_target_other_than_the_old_policy_brings_the_ratio_of_the_two():
    target, behaviour, old = torch.tensor([0.5, 0.2]).log(), torch.tensor([0.25, 0.4]).log(), torch.tensor([0.6, 0.9]).log()
    _, weights = obrs(target, behaviour, generator(), c1=None, logp_old=old, c2=3.0)
    torch.testing.assert_close(weights, torch.tensor([2.0 * 1.2, 1.0 * 3.0]))


def test_through_the_policy_loss_the_gradient_is_that_of_the_target_policy():
    """Old replies, corrected, against the exact policy gradient on the target's own law: the whole way, softmax included."""
    scores = torch.tensor([0.0, 1.0, -1.0, 2.0], dtype=torch.float64, requires_grad=True)
    q, reward, count = law([1.0, 0.0, 0.5, -0.5]), torch.tensor([1.0, -2.0, 3.0, 0.5]).double(), 400_000
    p = scores.detach().softmax(0)
    (-(scores.softmax(0) * reward).sum()).backward()
    assert scores.grad is not None
    exact = scores.grad.clone()
    tokens = torch.multinomial(q, count, replacement=True, generator=generator(1)).reshape(1, -1)
    keep, weights = obrs(p.log()[tokens], q.log()[tokens], generator(2), c1=None)

    def gradient(weights: Tensor | None) -> Tensor:
        scores.grad = None
        logp = scores.log_softmax(0)[tokens]
        policy_loss(logp, logp.detach(), reward[tokens], torch.ones(tokens.shape), clip=None, weights=weights).loss.backward()
        assert scores.grad is not None
        return scores.grad.clone()

    torch.testing.assert_close(gradient(keep * weights), exact, atol=0.02, rtol=0)
    assert (gradient(None) - exact).abs().max() > 0.3


@pytest.mark.parametrize("accept", [0.5, 0.9, 0.99])
def test_a_budget_is_met_by_its_lambda(accept: float):
    p, q, mask = torch.randn(4, 30, generator=generator(1)), torch.randn(4, 30, generator=generator(2)), torch.ones(4, 30)
    lam = budget(p, q, mask, accept=accept)
    assert float(acceptance(p, q, lam=lam).mean()) == pytest.approx(accept, abs=1e-5)


@pytest.mark.parametrize(
    ("found", "then"), [(0.0, "tis"), (0.049, "tis"), (0.05, "obrs"), (0.3, "obrs"), (0.5, "obrs"), (0.51, "drop"), (1.0, "drop")]
)
def test_the_correction_follows_the_staleness(found: float, then: Correction):
    assert choose(found) == then


@pytest.mark.parametrize("found", [float("nan"), -0.1, 1.1])
def test_a_staleness_that_is_no_total_variation_is_refused(found: float):
    with pytest.raises(StalenessError, match=str(found)):
        choose(found)


def test_log_probabilities_of_different_tokens_are_refused():
    with pytest.raises(ShapeError, match="logp_behaviour"):
        tis(torch.zeros(2, 3), torch.zeros(2))
