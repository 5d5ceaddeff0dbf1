"""REPO's reward: what people prefer, enhanced by what judge and rules say of it (arXiv 2510.04214).

Pure arithmetic on three numbers, nothing else: ``R_model`` of the reward model, ``E_judge`` and ``E_func``. Two rivals for ablations stand
beside it, the plain weighted sum and the veto.
"""

import math

from db.errors import ParleyError

N = 100.0
"""The paper's bound on the enhancement."""
VETO_MARGIN = 0.01
"""Share of the veto's value by which every reply that is not vetoed stays above it."""


class RewardError(ParleyError):
    """A reward that nothing may be trained on; names the reply and the value."""


def enhancement(judge: float | None, functions: float, *, n: float = N) -> float:
    """``E = clip(E_judge + E_func, -n, n)``. A missing judgement (None) leaves the rules alone to speak; it is not a mark of zero.

    Raises:
        RewardError: for a part that is not finite, or ``n`` that is not positive.
    """
    _finite(E_judge=0.0 if judge is None else judge, E_func=functions)
    if not (math.isfinite(n) and n > 0):
        raise RewardError(f"n is {n}, but the enhancement is clipped to ±n: give a positive number (the paper's is {N:g})")
    return min(max((judge or 0.0) + functions, -n), n)


def enhance(model: float, judge: float | None, functions: float, *, n: float = N) -> float:
    """REPO's total, ``R_model + |R_model| · E / n``, with ``E`` of ``enhancement``.

    It lies between 0 and ``2·R_model``: a good reply becomes better or worse, a bad one less or more bad, and neither ever changes sides.
    At ``R_model = 0`` judge and rules have no say, which is why the reward model must be centred.

    Raises:
        RewardError: for a part that is not finite.
    """
    share = enhancement(judge, functions, n=n) / n
    _finite(R_model=model)
    # |R|·(E/n), not (|R|·E)/n: rounding the product first could end a hair on the other side of zero.
    return _total(model + abs(model) * share)


def linear_sum(model: float, judge: float | None, functions: float, *, n: float = N, weight: float = 1.0) -> float:
    """The rival that REPO is compared with, ``R_model + weight · E / n``: a sum whose outcome hangs on the weight (×0.1, ×1, ×10).

    Raises:
        RewardError: for a part that is not finite.
    """
    share = enhancement(judge, functions, n=n) / n
    _finite(R_model=model, weight=weight)
    return _total(model + weight * share)


def veto(total: float, *, severe: bool, value: float) -> float:
    """``-value`` for a severe breach; any other total, but never as low as that.

    The product alone cannot make a liked reply worse than a disliked one; this can. Others end a share ``VETO_MARGIN`` above ``-value``.

    Raises:
        RewardError: for a value that is not positive, or a total that is not finite.
    """
    if not (math.isfinite(value) and value > 0):
        raise RewardError(f"the veto's value is {value}, but a vetoed reply gets minus that: give a positive number")
    _finite(total=total)
    return -value if severe else max(total, -value * (1 - VETO_MARGIN))


def _finite(**parts: float) -> None:
    for name, part in parts.items():
        if not math.isfinite(part):
            raise RewardError(f"{name} is {part}: a reward must be a finite number")


def _total(total: float) -> float:
    _finite(R_total=total)
    return total
