"""Learning from replies that an older version wrote: how stale they are, and what each of their tokens still counts.

Decided here: the corrections and when which is used. Throughout, q is the behaviour that sampled the token (with its temperature applied)
and p the target; both come as log-probabilities of the sampled token, of one shape, usually (B, T). All results are numbers without a
gradient, to be given to ``policy_loss(weights=...)``.
"""

from typing import Literal

import torch
from torch import Tensor

from db.errors import ParleyError
from training.objectives.advantages import require_shape
from training.objectives.losses import mean_over

Correction = Literal["none", "tis", "icepop", "obrs", "drop"]

FRESH = 0.05
"""Total variation up to which truncated importance sampling is enough."""
STALE = 0.5
"""Total variation beyond which too little is left to learn from."""


class StalenessError(ParleyError):
    """A staleness that is no total variation."""


def _ratio(logp_target: Tensor, logp_behaviour: Tensor) -> Tensor:
    require_shape(tuple(logp_target.shape), logp_behaviour=logp_behaviour)
    return (logp_target.detach() - logp_behaviour.detach()).exp()


def tis(logp_target: Tensor, logp_behaviour: Tensor, *, cap: float = 2.0) -> Tensor:
    """Truncated importance sampling: ``min(p / q, cap)``. Biased towards q where the cap bites."""
    return _ratio(logp_target, logp_behaviour).clamp(max=cap)


def icepop(logp_target: Tensor, logp_behaviour: Tensor, *, low: float = 0.5, high: float = 5.0) -> Tensor:
    """IcePop: ``p / q`` inside the band and 0 outside it, so that a token that has moved far is not learned from at all."""
    ratio = _ratio(logp_target, logp_behaviour)
    return torch.where((ratio >= low) & (ratio <= high), ratio, torch.zeros_like(ratio))


def obrs(
    logp_target: Tensor,
    logp_behaviour: Tensor,
    generator: torch.Generator,
    *,
    lam: float = 1.0,
    c1: float | None = 3.0,
    logp_old: Tensor | None = None,
    c2: float = 3.0,
) -> tuple[Tensor, Tensor]:
    """Optimal budgeted rejection sampling: which tokens are kept (1 or 0), and the weight of a kept one; their product is the correction.

    A token is kept with chance ``min(1, p / (lam q))`` and then weighs ``max(lam, p / q)``, at most ``c1``. Without the cap the mean over
    *all* tokens is exact for any lam > 0, ``E_q[keep * weight * f] = E_p[f]``, and needs no normaliser; a larger lam rejects more, and
    what is kept comes closer to p. Where p is the policy as it is now rather than the old one of PPO's step, give the latter's
    ``logp_old``: its ratio to p, at most ``c2``, is multiplied in. Jackpot (arXiv 2602.06107), eq. 5 with the weight's Z left out; the
    paper prints neither c1 nor c2.
    """
    ratio = _ratio(logp_target, logp_behaviour)
    drawn = torch.rand(ratio.shape, generator=generator, dtype=ratio.dtype, device=ratio.device)
    keep = (drawn < acceptance(logp_target, logp_behaviour, lam=lam)).to(ratio.dtype)
    weights = ratio.clamp(min=lam, max=c1)
    if logp_old is not None:
        weights = weights * _ratio(logp_old, logp_target).clamp(max=c2)
    return keep, weights


def acceptance(logp_target: Tensor, logp_behaviour: Tensor, *, lam: float = 1.0) -> Tensor:
    """The chance ``min(1, p / (lam q))`` with which ``obrs`` keeps each token."""
    return (_ratio(logp_target, logp_behaviour) / lam).clamp(max=1)


def budget(logp_target: Tensor, logp_behaviour: Tensor, mask: Tensor, *, accept: float = 0.9, steps: int = 60) -> float:
    """The lam at which ``obrs`` keeps that share of these tokens, by bisection on its logarithm; the more it shall keep, the smaller."""
    log_low, log_high = -40.0, 40.0
    for _ in range(steps):
        middle = (log_low + log_high) / 2
        lam = float(torch.tensor(middle, dtype=torch.float64).exp())
        kept = float(mean_over(acceptance(logp_target.double(), logp_behaviour.double(), lam=lam), mask))
        log_low, log_high = (middle, log_high) if kept > accept else (log_low, middle)
    return float(torch.tensor(log_low, dtype=torch.float64).exp())


def staleness(logp_target: Tensor, logp_behaviour: Tensor, mask: Tensor) -> Tensor:
    """The total variation between target and behaviour per token, in [0, 1], estimated for nothing: ``1 - mean min(1, p / q)``.

    That is one less the acceptance of ``obrs`` at lam = 1.
    """
    return 1 - mean_over(acceptance(logp_target, logp_behaviour), mask)


def choose(staleness: float, *, fresh: float = FRESH, stale: float = STALE) -> Correction:
    """What to do with replies of that staleness: weigh them, reject some of their tokens, or leave them out.

    Raises StalenessError outside [0, 1]: a nan is a sign of log-probabilities that are not there.
    """
    if not 0 <= staleness <= 1:
        raise StalenessError(f"a staleness of {staleness} is no total variation; check the stored log-probabilities of these replies")
    if staleness < fresh:
        return "tis"
    return "obrs" if staleness <= stale else "drop"
