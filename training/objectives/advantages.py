"""From rewards to advantages: over the tokens of one reply, over the replies of one group, over several rewards.

Decided here: the formulas, and nothing else. Every function is pure and leaves its arguments as they were. Shapes: B replies of T
tokens, or N groups of G replies to the same prompt with K rewards each. A mask holds 1 where there is something and 0 where there is
not, and what stands at a 0 never matters, not even a nan. Who computes rewards and values, and what is trained on the advantages, is
decided elsewhere.
"""

import torch
from torch import Tensor

from db.errors import ParleyError

_EPSILON = 1e-8
"""Keeps a variance of 0 away from a division; that of TRL's own whitening."""


class ShapeError(ParleyError):
    """Tensors that should lie side by side do not."""


def require_shape(shape: tuple[int, ...], **tensors: Tensor) -> None:
    """Raise ShapeError, naming the tensor, unless all have that shape: broadcasting would otherwise hide a mistake."""
    for name, tensor in tensors.items():
        if tuple(tensor.shape) != tuple(shape):
            raise ShapeError(f"{name} has shape {tuple(tensor.shape)}, expected {tuple(shape)}; give it one value for each of them")


# --- over the tokens of a reply


def token_rewards(total: Tensor, kl: Tensor, mask: Tensor, *, beta: float) -> Tensor:
    """The reward of each token (B, T): ``-beta * kl`` everywhere, and the reply's total (B,) besides at its last unmasked token."""
    require_shape(tuple(mask.shape), kl=kl)
    require_shape((mask.shape[0],), total=total)
    penalty = torch.where(mask.bool(), -beta * kl, torch.zeros_like(kl))
    return penalty + last(mask) * total.unsqueeze(1).to(kl.dtype)


def last(mask: Tensor) -> Tensor:
    """1 at the last unmasked token of each reply and 0 elsewhere (B, T); all 0 for a reply without tokens."""
    present = mask.bool()
    later = present.flip(1).cumsum(1).flip(1)
    return (present & (later == 1)).to(mask.dtype)


def gae(rewards: Tensor, values: Tensor, mask: Tensor, *, gamma: float = 1.0, lam: float = 0.95) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimation: advantages and returns, (B, T) each, 0 where masked.

    The last unmasked token of a reply is terminal: no value follows it. A masked token is passed over as if it were not there, so that
    padding on either side and holes give the same. ``returns = advantages + values`` is what the critic is regressed on.
    Schulman et al. 2016 (arXiv 1506.02438), eq. 16.
    """
    require_shape(tuple(mask.shape), rewards=rewards, values=values)
    present = mask.bool()
    advantage, next_value = torch.zeros_like(values[:, :1]), torch.zeros_like(values[:, :1])
    backwards: list[Tensor] = []
    for t in range(mask.shape[1] - 1, -1, -1):
        here, value = present[:, t : t + 1], values[:, t : t + 1]
        delta = rewards[:, t : t + 1] + gamma * next_value - value
        advantage = torch.where(here, delta + gamma * lam * advantage, advantage)
        next_value = torch.where(here, value, next_value)
        backwards.append(advantage)
    zeros = torch.zeros_like(values)
    advantages = torch.where(present, torch.cat(backwards[::-1], dim=1), zeros) if backwards else zeros
    return advantages, torch.where(present, advantages + values, zeros)


def returns_to_go(total: Tensor, mask: Tensor, *, gamma: float = 1.0) -> Tensor:
    """The discounted reward (B, T) that each token still leads to when only the last one is paid: ``gamma ** (T - t) * total``.

    What a frozen value model is fitted to (DVPO, methods of arXiv 2502.16944, by Monte Carlo instead of bootstrapping).
    """
    require_shape((mask.shape[0],), total=total)
    left = mask.flip(1).cumsum(1).flip(1) - 1
    return mask * gamma ** left.clamp(min=0) * total.unsqueeze(1)


def frozen_value(q: Tensor, mask: Tensor, *, difference: bool = False, start: Tensor | None = None) -> Tensor:
    """DVPO's static advantages (B, T) out of a frozen value model's ``q[t] = Q(prompt, tokens up to and with t)``.

    The paper takes Q itself, which has no baseline: here the masked mean of the batch is taken off. With ``difference`` it is the step
    ``q[t] - q[t-1]``, the credit of that one token; before the first token stands ``start`` (B,), the value of the prompt alone, or else
    the batch's mean of first tokens. The scale is left as it is; ``whiten`` comes after. arXiv 2502.16944; both baselines are our choice.
    """
    require_shape(tuple(mask.shape), q=q)
    present = mask.bool()
    known = torch.where(present, q, torch.zeros_like(q))
    if not difference:
        mean = known.sum() / mask.sum().clamp(min=1)
        return torch.where(present, q - mean, torch.zeros_like(q))
    places = torch.where(present, torch.arange(1, mask.shape[1] + 1, device=mask.device), 0)
    earlier = torch.cat([torch.zeros_like(places[:, :1]), places.cummax(1).values[:, :-1]], dim=1)
    first = present & (earlier == 0)
    if start is None:
        start = ((known * first).sum() / first.sum().clamp(min=1)).expand(mask.shape[0])
    require_shape((mask.shape[0],), start=start)
    before = torch.cat([start.unsqueeze(1).to(q.dtype), known], dim=1).gather(1, earlier)
    return torch.where(present, q - before, torch.zeros_like(q))


def moments(x: Tensor, mask: Tensor) -> Tensor:
    """Count, sum and sum of squares of the unmasked values, as three float64.

    With several processes, add them up before whitening, for a mean of each process's own would give each its own zero:
    ``torch.distributed.all_reduce(m := moments(x, mask)); whiten(x, mask, shared=m)``.
    """
    require_shape(tuple(mask.shape), x=x)
    known = torch.where(mask.bool(), x, torch.zeros_like(x)).to(torch.float64)
    return torch.stack([mask.bool().sum().to(torch.float64), known.sum(), known.square().sum()])


def whiten(x: Tensor, mask: Tensor, *, shift_mean: bool = True, shared: Tensor | None = None) -> Tensor:
    """Values at mean 0 and unit (sample) deviation over all that is unmasked; 0 where masked.

    ``shift_mean=False`` keeps the mean where it was. ``shared`` are the ``moments`` of all processes together; without them this batch
    stands for itself. A batch that does not vary is all 0 (or all its mean), and so is a single value.
    """
    count, total, squares = (moments(x, mask) if shared is None else shared.to(torch.float64)).unbind()
    mean = total / count.clamp(min=1)
    variance = ((squares - count * mean.square()) / (count - 1).clamp(min=1)).clamp(min=0)
    centred = (x.to(torch.float64) - mean) * torch.rsqrt(variance + _EPSILON)
    whitened = (centred if shift_mean else centred + mean).to(x.dtype)
    return torch.where(mask.bool(), whitened, torch.zeros_like(whitened))


# --- over the replies of a group


def group_zscore(rewards: Tensor, eps: float = 1e-4) -> Tensor:
    """GRPO's advantages (N, G): each reward's distance from its group's mean, in sample deviations of the group.

    A group of one, or of equal rewards, has nothing to compare and gets 0. Shao et al. 2024 (arXiv 2402.03300), section 4.1.
    """
    centred = rewards - rewards.mean(1, keepdim=True)
    return torch.where(_varies(rewards), centred / (_deviation(centred, rewards.shape[1]) + eps), torch.zeros_like(rewards))


def _varies(rewards: Tensor) -> Tensor:
    """Asked of the values themselves: the deviation of equal floats is rounding, not 0."""
    return (rewards.amax(1, keepdim=True) > rewards.amin(1, keepdim=True)).expand_as(rewards)


def _deviation(centred: Tensor, count: Tensor | int) -> Tensor:
    among = torch.as_tensor(count, dtype=centred.dtype, device=centred.device)
    return (centred.square().sum(1, keepdim=True) / (among - 1).clamp(min=1)).sqrt()


def ranks(rewards: Tensor, *, tie_band: float = 0.0, unit_std: bool = False) -> Tensor:
    """GOPO's advantages (N, G): equally spaced from 2 for the best to -2 for the worst, ties in the middle of their places.

    ``A = 2 - 4 (rank - 1) / (G - 1)``, written as the balance of a reply's duels, ``2 / (G - 1) * sum_j sign(r_i - r_j)``: it sums to
    0, and is 0 for equal rewards and for a group of one. Differences below ``tie_band`` (the scorer's test-retest deviation) are ties.
    ``unit_std`` divides by the sample deviation of G untied ranks, so that a step is as large as GRPO's; a group of ties is not blown up.
    arXiv 2602.03876; the average ranks are ours, the published double argsort makes advantages out of equal rewards.
    """
    size = rewards.shape[1]
    duels = rewards.unsqueeze(2) - rewards.unsqueeze(1)
    won = torch.where(duels.abs() >= tie_band, duels.sign(), torch.zeros_like(duels)).sum(2)
    advantages = won * 2 / max(size - 1, 1)
    spread = 4 / (size - 1) * (size * (size + 1) / 12) ** 0.5 if size > 1 else 1.0
    return advantages / spread if unit_std else advantages


# --- over several rewards


def gdpo(
    rewards: Tensor, weights: Tensor, *, mask: Tensor | None = None, sigma_floor: float | Tensor = 0.0, shared: Tensor | None = None
) -> Tensor:
    """GDPO's advantages (N, G): ``decoupled``, whitened over the replies of the batch, so that neither K nor the weights set the scale.

    A reply of which no reward is known gets 0 and does not count. With several processes, ``shared`` are the added ``moments`` of
    ``decoupled(...)`` over ``mask.any(2)``. arXiv 2601.05242; whitened over replies, not tokens, so that long ones weigh no more.
    """
    known = torch.ones_like(rewards) if mask is None else mask
    summed = decoupled(rewards, weights, mask=mask, sigma_floor=sigma_floor)
    return whiten(summed, known.bool().any(2), shared=shared)


def decoupled(rewards: Tensor, weights: Tensor, *, mask: Tensor | None = None, sigma_floor: float | Tensor = 0.0) -> Tensor:
    """The weighted sum (N, G) of each reward's own z-score in its group: normalised first, added after.

    ``rewards`` are (N, G, K), ``weights`` (K,). ``mask`` is 0 for a reward that is missing or does not apply: it adds nothing, and its
    group is compared without it. ``sigma_floor`` (one, or (K,), in the reward's own unit) is the least deviation that is divided by, so
    that a reward which hardly varies is not blown up; with 0 the result does not depend on any reward's scale. The published 1e-4 in the
    denominator is left out for the same reason.
    """
    groups, size, kinds = rewards.shape
    require_shape((kinds,), weights=weights)
    present = torch.ones_like(rewards, dtype=torch.bool) if mask is None else mask.bool()
    require_shape((groups, size, kinds), mask=present)
    zeros = torch.zeros_like(rewards)
    count = present.sum(1, keepdim=True)
    mean = torch.where(present, rewards, zeros).sum(1, keepdim=True) / count.clamp(min=1)
    centred = torch.where(present, rewards - mean, zeros)
    high = torch.where(present, rewards, torch.full_like(rewards, -torch.inf)).amax(1, keepdim=True)
    low = torch.where(present, rewards, torch.full_like(rewards, torch.inf)).amin(1, keepdim=True)
    floor = torch.as_tensor(sigma_floor, dtype=rewards.dtype, device=rewards.device)
    deviation = _deviation(centred, count).maximum(floor)
    scores = torch.where(present & (high > low), centred / deviation, zeros)
    return (scores * weights).sum(2)


# --- a bonus for plans that are kept


def answer_confidence(logp: Tensor, answer: Tensor, *, bound: float = 0.95) -> Tensor:
    """How sure the slow reference is of each answer after its plan (B,): the geometric mean of its tokens' probabilities, capped.

    ``logp`` (B, T) are the reference's, ``answer`` is 1 on the tokens of the answer. The cap stops the chase for over-confidence.
    A reply without an answer has confidence 0.
    """
    require_shape(tuple(answer.shape), logp=logp)
    count = answer.sum(1)
    mean = torch.where(answer.bool(), logp, torch.zeros_like(logp)).sum(1) / count.clamp(min=1)
    return torch.where(count > 0, mean.exp().clamp(max=bound), torch.zeros_like(mean))


def care_bonus(accuracy: Tensor, confidence: Tensor, *, coefficient: float = 0.5, margin: float = 0.0, floor: float = 0.1) -> Tensor:
    """GRPO-CARE's bonus (N, G), to be added to the reward: ``coefficient * accuracy`` for good replies that follow from their own plan.

    Good: accuracy above ``floor`` and at least its group's mean. Following: confidence (``answer_confidence``) at least the mean of the
    good ones less ``margin``. Others get 0, so that consistency never pays without success. arXiv 2506.16141 and its code.
    """
    require_shape(tuple(accuracy.shape), confidence=confidence)
    good = (accuracy > floor) & (accuracy >= accuracy.mean(1, keepdim=True))
    bar = (confidence * good).sum(1, keepdim=True) / good.sum(1, keepdim=True).clamp(min=1) - margin
    return torch.where(good & (confidence >= bar), coefficient * accuracy, torch.zeros_like(accuracy))
