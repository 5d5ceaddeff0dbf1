"""What can be wrong with a training run before it begins."""

from db.errors import ParleyError


class RunRefused(ParleyError):
    """A run that would not come to anything as it was asked for; nothing was spent on it."""


class RunBusy(ParleyError):
    """Another process supervises the run already."""


class NotARun(ParleyError):
    """A folder without a run in it."""
