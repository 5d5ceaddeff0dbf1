"""The weight of the KL penalty: as it was set, or as heavy as it has to be to hold the policy near its reference.

A reward model is right near what it has seen and may be wrong beyond (arXiv 2210.10760): with a target, a run stays there however long it
is. Nothing moves for many steps and then all of it at once, so the weight follows from the KL of the same replies and not step by step
from that of earlier ones, as the adaptive penalty of PPO's paper does (arXiv 1707.06347, section 4): little far from the target, at the
target as much as makes an ordinary reply pay one deviation of the reward model, and beyond it soon more than a reply can earn.
"""

from typing import Final

_STEEPNESS: Final = 2
"""Power of the KL's share of its target: at half of it the weight is a quarter, at twice of it fourfold. With 4 a run is thrown to and fro,
for the KL of a few replies is a rough estimate."""
_HEAVIEST: Final = 10.0
"""Reward deviations a nat and token. Beyond it nothing but the penalty counts."""


def kl_weight(kl: float, *, length: float, beta: float, target: float | None) -> float:
    """The weight for replies of this mean ``kl``, in nats a token, and mean ``length``, in tokens: ``beta`` at least.

    Without a target it is ``beta``; a ``beta`` of 0 is no penalty, and no target makes it one.
    """
    if target is None or not beta or kl <= 0:
        return beta
    return max(beta, min((kl / target) ** _STEEPNESS / (target * length), _HEAVIEST))
