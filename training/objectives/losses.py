"""The losses that policies and critics are trained on, as functions of log-probabilities and values.

Decided here: the formulas. Shapes: B replies of T tokens, mask (B, T) of 1 and 0; what stands under a 0 never matters, nor does it get a
gradient. Log-probabilities are natural, of the sampled token; "sequence" ones are their sum over a reply. Gradients flow through what the
policy or the critic says now; what comes from an old, reference or behaviour model is taken as a number.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from training.objectives.advantages import require_shape

Normalise = Literal["tokens", "samples"]


@dataclass(frozen=True, slots=True)
class LossParts:
    """A scalar loss with its gradient, and two figures without: the share of tokens clipped and the estimated KL(old || new) per token."""

    loss: Tensor
    clip_fraction: Tensor
    approx_kl: Tensor


def mean_over(x: Tensor, mask: Tensor, normalise: Normalise = "tokens") -> Tensor:
    """The mean over unmasked tokens, or of each reply's mean; replies without tokens do not count, and without any the result is 0."""
    known = _known(x, mask)
    if normalise == "tokens":
        return known.sum() / mask.sum().clamp(min=1)
    each = known.sum(1) / mask.sum(1).clamp(min=1)
    return each.sum() / mask.bool().any(1).sum().clamp(min=1)


def policy_loss(
    logp: Tensor,
    old_logp: Tensor,
    advantages: Tensor,
    mask: Tensor,
    *,
    clip: float | None = 0.2,
    weights: Tensor | None = None,
    normalise: Normalise = "tokens",
) -> LossParts:
    """PPO's clipped surrogate; ``clip=None`` is the plain importance-weighted policy gradient.

    ``advantages`` are (B, T), or (B,) where a whole reply shares one. ``weights`` (B, T) or (B,) multiply each token's term without a
    gradient: off-policy corrections, 0 for a token that is rejected. The mean is over all unmasked tokens, rejected ones included, which
    is what keeps ``obrs`` unbiased. Schulman et al. 2017 (arXiv 1707.06347), eq. 7.
    """
    require_shape(tuple(mask.shape), logp=logp, old_logp=old_logp)
    advantage = _per_token(advantages, mask, "advantages")
    log_ratio = _known(logp, mask) - _known(old_logp.detach(), mask)
    ratio = log_ratio.exp()
    gain = ratio * advantage
    clipped = torch.zeros_like(gain)
    if clip is not None:
        bounded = ratio.clamp(1 - clip, 1 + clip) * advantage
        clipped = (bounded < gain).to(gain.dtype)
        gain = torch.minimum(gain, bounded)
    if weights is not None:
        gain = gain * _per_token(weights, mask, "weights")
    with torch.no_grad():
        kl = mean_over(ratio - 1 - log_ratio, mask)
    return LossParts(loss=-mean_over(gain, mask, normalise), clip_fraction=mean_over(clipped, mask), approx_kl=kl)


def _known(x: Tensor, mask: Tensor) -> Tensor:
    """0 where masked, before anything is computed of it: an inf or nan that is masked only afterwards still has a nan for a gradient."""
    return torch.where(mask.bool(), x, torch.zeros_like(x))


def _per_token(x: Tensor, mask: Tensor, name: str) -> Tensor:
    if x.dim() == 1:
        require_shape(tuple(mask.shape[:1]), **{name: x})
        x = x.unsqueeze(1).expand(mask.shape)
    require_shape(tuple(mask.shape), **{name: x})
    return _known(x.detach(), mask)


def value_loss(values: Tensor, old_values: Tensor, returns: Tensor, mask: Tensor, *, clip: float | None = 0.2) -> Tensor:
    """Half the squared error of the critic, the worse of it and of the value held within ``clip`` of the old one (in the reward's unit).

    ``clip=None`` is the plain regression, and never looks at ``old_values``. As in OpenAI's PPO and TRL's last one.
    """
    require_shape(tuple(mask.shape), values=values, old_values=old_values, returns=returns)
    value, target = _known(values, mask), _known(returns.detach(), mask)
    error = (value - target).square()
    if clip is not None:
        old = _known(old_values.detach(), mask)
        held = torch.minimum(torch.maximum(value, old - clip), old + clip)
        error = torch.maximum(error, (held - target).square())
    return 0.5 * mean_over(error, mask)


def explained_variance(values: Tensor, returns: Tensor, mask: Tensor) -> Tensor:
    """``1 - Var(returns - values) / Var(returns)`` over unmasked tokens: 1 is a perfect critic, 0 one that knows no more than the mean.

    nan where the returns do not vary: there is nothing to explain.
    """
    require_shape(tuple(mask.shape), values=values, returns=returns)
    present = mask.bool()
    with torch.no_grad():
        known, left = returns[present].double(), (returns - values)[present].double()
        if known.numel() == 0 or bool(known.max() == known.min()):
            return values.new_tensor(torch.nan)
        return (1 - left.var(correction=0) / known.var(correction=0)).to(values.dtype)


def kl_k3(logp: Tensor, ref_logp: Tensor) -> Tensor:
    """Schulman's k3 estimate of KL(policy || reference) at each sampled token: never negative, unbiased when the policy sampled."""
    log_ratio = ref_logp - logp
    return log_ratio.exp() - log_ratio - 1


def dpo_loss(chosen: Tensor, rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor, *, beta: float = 0.1) -> Tensor:
    """DPO on sequence log-probabilities (B,) of policy and reference: ``-log sigmoid(beta * (chosen's log-ratio - rejected's))``.

    Rafailov et al. 2023 (arXiv 2305.18290), eq. 7.
    """
    require_shape(tuple(chosen.shape), rejected=rejected, ref_chosen=ref_chosen, ref_rejected=ref_rejected)
    margin = (chosen - ref_chosen.detach()) - (rejected - ref_rejected.detach())
    return -logsigmoid(beta * margin).mean()


def win_rates(scores: Tensor) -> Tensor:
    """Each reply's mean chance (N, K) to be preferred to the K of its prompt, itself at 1/2, by Bradley-Terry on scores (N, K)."""
    return torch.sigmoid(scores.unsqueeze(2) - scores.unsqueeze(1)).mean(2)


def sppo_loss(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    chosen_wins: Tensor,
    rejected_wins: Tensor,
    *,
    beta: float = 0.001,
) -> Tensor:
    """SPPO on sequence log-probabilities (B,): each log-ratio to the last iterate is regressed on ``(win rate - 1/2) / beta``.

    ``*_wins`` (B,) are win rates against the last iterate's own replies (``win_rates``, or a judge of pairs, which may be cyclic).
    With beta = 0.001 a win rate of 0.6 asks for +100 nats: only the step size and the number of steps bound it. arXiv 2405.00675.
    """
    require_shape(
        tuple(chosen.shape),
        rejected=rejected,
        ref_chosen=ref_chosen,
        ref_rejected=ref_rejected,
        chosen_wins=chosen_wins,
        rejected_wins=rejected_wins,
    )
    up = chosen - ref_chosen.detach() - (chosen_wins.detach() - 0.5) / beta
    down = rejected - ref_rejected.detach() - (rejected_wins.detach() - 0.5) / beta
    return 0.5 * (up.square() + down.square()).mean()


def p3o_loss(
    logp: tuple[Tensor, Tensor],
    old_logp: tuple[Tensor, Tensor],
    rewards: tuple[Tensor, Tensor],
    *,
    clip: float | None = 0.2,
    joint: bool = False,
) -> Tensor:
    """P3O on two replies to each prompt: sequence log-probabilities (B,) and rewards (B,); a shift of both rewards cancels.

    Separately clipped (V1): PPO's term for each reply with the reward's difference as advantage. Jointly (V2): the clip is on the log of
    the ratios' quotient. On-policy both have the gradient ``-(r1 - r2) * grad(log p1 - log p2) / 2``. Rewards are expected with their KL
    penalty taken off. Long replies make sequence ratios wild: give per-token means instead of sums (GSPO). arXiv 2310.00212; the printed
    forms of V1 and V2 are not known to us, these are reconstructions.
    """
    (first, second), (old_first, old_second), (reward, other) = logp, old_logp, rewards
    require_shape(tuple(first.shape), second=second, old_first=old_first, old_second=old_second, reward=reward, other=other)
    gap = (reward - other).detach()
    up, down = first - old_first.detach(), second - old_second.detach()
    if joint:
        quotient, both = up - down, (up + down).detach().exp()
        gain = both * _clipped(quotient, gap, None if clip is None else (-clip, clip))
    else:
        bounds = None if clip is None else (1 - clip, 1 + clip)
        gain = _clipped(up.exp(), gap, bounds) + _clipped(down.exp(), -gap, bounds)
    return -0.5 * gain.mean()


def _clipped(x: Tensor, advantage: Tensor, bounds: tuple[float, float] | None) -> Tensor:
    gain = x * advantage
    return gain if bounds is None else torch.minimum(gain, x.clamp(*bounds) * advantage)
