"""What the desk refuses, each with a sentence that a page can show as it is."""

from uuid import UUID

from db.errors import ParleyError


class JudgementWrong(ParleyError):
    """The judgement does not fit what was to be judged. Nothing was saved."""


class LeaseUnknown(ParleyError):
    """The item is not in this person's hands and never was."""

    def __init__(self, assignment_id: UUID) -> None:
        super().__init__(f"the task {assignment_id} was not handed to you; ask for the next one")


class LeaseLost(ParleyError):
    """The time for the item ran out and somebody else has taken the place, or the item is no longer to be judged."""

    def __init__(self) -> None:
        super().__init__("your time for this item ran out and others have judged it since, so your judgement is not needed any more; go on")


class AlreadyJudged(ParleyError):
    """The person has answered the item before, by another request."""


class KeyTaken(ParleyError):
    """The client's key belongs to another judgement."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key!r} has saved another judgement already; send each new judgement with a key of its own")


class NotCurrent(ParleyError):
    """The judgement has been replaced or taken back."""

    def __init__(self) -> None:
        super().__init__("this judgement has been changed or taken back in the meantime; reload and change the newest version")


class NotYours(ParleyError):
    """The judgement is somebody else's."""

    def __init__(self) -> None:
        super().__init__("this judgement is somebody else's; only its author can change it")


class UndoTooLate(ParleyError):
    """The item has gone on since."""


class QueueSettingsWrong(ParleyError):
    """A queue cannot work with these settings."""


class QueueNameTaken(ParleyError):
    """Another queue has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a queue named {name!r} already, open or closed; choose another name")


class GoldWrong(ParleyError):
    """A known answer cannot be used."""
