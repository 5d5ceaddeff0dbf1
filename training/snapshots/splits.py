"""Which hotels are learned from and which are kept to watch the learning.

Decided here: a hotel's place follows from a hash of its pseudonym alone, so that it stays there in every later snapshot, whatever else
is in it. A larger share of validation moves hotels over from training, never back.
"""

from enum import StrEnum
from hashlib import sha256


class Split(StrEnum):
    """What a row is for."""

    TRAIN = "train"
    VALIDATION = "validation"
    """Early stopping, reward models' accuracy. What decides between policies is neither: held-out hotels of the evaluation."""


def split_of(hotel: str, validation_share: float) -> Split:
    """The place of a hotel, by its pseudonym (or by whatever else keeps a row's relatives together); the share is in [0, 1]."""
    place = int.from_bytes(sha256(f"parley split {hotel}".encode()).digest()[:8]) / 2**64
    return Split.VALIDATION if place < validation_share else Split.TRAIN
