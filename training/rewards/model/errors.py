"""What can go wrong with a reward model; each says what to do."""

from db.errors import ParleyError


class RewardModelError(ParleyError):
    """A reward model that cannot be trained or used."""


class PreferencesUnusable(RewardModelError):
    """The rows cannot teach a reward model: empty, malformed, one person's alone, or the same hotels on both sides."""


class OtherTraining(RewardModelError):
    """The folder holds a training with other settings or other rows."""


class NotARewardModel(RewardModelError):
    """There is no finished reward model in the folder."""


class TrainingDiverged(RewardModelError):
    """The loss or a score is not a finite number."""
