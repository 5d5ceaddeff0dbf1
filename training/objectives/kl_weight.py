"""The weight of the KL penalty: as it was set, or as heavy as it has to be to hold the policy near its reference.

A reward model is right near what it has seen and may be wrong beyond (arXiv 2210.10760): with a target, a run stays there however long it
is. The weight is multiplied as the KL stands to its target, at most by 2 and at least by 1/2: the steps of the adaptive penalty of PPO's
paper (arXiv 1707.06347, section 4), in proportion as Ziegler et al. have it (arXiv 1909.08593, section 2.2), for runs of tens of steps. It
is never lighter than it was set.
"""

import json
from pathlib import Path
from typing import Final

from training.objectives.settings import PolicySettings

FILE = "kl_weight.json"
_FASTEST: Final = 2.0
_HEAVIEST: Final = 10.0
"""Reward deviations a nat and token. Beyond it nothing but the penalty counts, and coming down again takes long."""


class KLWeight:
    """The weight at this step."""

    def __init__(self, settings: PolicySettings) -> None:
        """It begins as ``settings.beta``, and stays so without ``settings.kl_target``."""
        self.value = self._least = settings.beta
        self._target = settings.kl_target

    def follow(self, kl: float) -> None:
        """Make the next step's weight fit this step's KL, in nats a token, over all processes."""
        if self._target is not None:
            factor = min(max(kl / self._target, 1 / _FASTEST), _FASTEST)
            self.value = max(min(self.value * factor, _HEAVIEST), self._least)

    def save(self, folder: Path) -> None:
        """Into a checkpoint."""
        (folder / FILE).write_text(json.dumps(self.value), encoding="utf-8")

    def restore(self, folder: Path) -> None:
        """The inverse of ``save``; a checkpoint of before there were targets has none."""
        if (path := folder / FILE).is_file():
            self.value = float(json.loads(path.read_text(encoding="utf-8")))
