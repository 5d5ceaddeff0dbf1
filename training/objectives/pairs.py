"""Losses of replies to one context against each other, as the trainer takes them: P3O and soft SPPO.

Decided here: which replies make a pair, and what a reply's log-probability is. The formulas are ``losses``.
"""

import torch
from torch import Tensor

from training.objectives.losses import p3o_loss, sppo_loss, win_rates
from training.objectives.settings import PolicySettings


def pair_loss(logp: Tensor, old_logp: Tensor, mask: Tensor, worth: Tensor, settings: PolicySettings) -> Tensor:
    """The loss of replies (N, G, T) that are worth (N, G), the KL penalty taken off.

    P3O takes each two neighbours, and the mean of a reply's tokens, since the ratio of two long replies is soon 0 or infinite. SPPO takes
    the best and the worst of each context, and the sum. A reply's chance against another is by Bradley–Terry on their worth; equal ones
    are to stay as they are.
    """
    zero = torch.zeros_like(logp)
    now, old = (torch.where(mask, x, zero).sum(2) for x in (logp, old_logp.detach()))
    if settings.loss == "sppo":
        wins = win_rates(worth)
        best, worst = wins.argmax(1, keepdim=True), wins.argmin(1, keepdim=True)
        chosen, rejected = ([x.gather(1, place).squeeze(1) for x in (now, old, wins)] for place in (best, worst))
        return sppo_loss(chosen[0], rejected[0], chosen[1], rejected[1], chosen[2], rejected[2], beta=settings.sppo_beta)
    lengths = mask.sum(2).clamp(min=1)
    logps, olds, rewards = ((x[:, ::2].flatten(), x[:, 1::2].flatten()) for x in (now / lengths, old / lengths, worth))
    return p3o_loss(logps, olds, rewards, clip=settings.clip, joint=settings.loss == "p3o_joint")
