"""What can be wrong with a snapshot, each with what to do about it."""

from db.errors import ParleyError


class SnapshotError(ParleyError):
    """A snapshot that cannot be taken or opened."""


class EmptySnapshot(SnapshotError):
    """Nothing that passes the filters is left to learn from."""


class OneRater(SnapshotError):
    """Every preference is one person's: what is learned would be that person's taste."""


class SnapshotInTheWay(SnapshotError):
    """Something is there already where the snapshot is to be written."""


class SnapshotUnreadable(SnapshotError):
    """A folder that is no snapshot."""


class SnapshotChanged(SnapshotError):
    """Something is no longer what it was when the snapshot was taken."""


class NoTruth(SnapshotError):
    """Simulated experts are asked about a reply of which nobody knows the truth."""
