"""Snapshots: what a training run may see, frozen.

``take`` freezes the database, ``take_simulated`` simulated dialogues and experts; ``open_snapshot`` checks a folder and reads it;
``simulated_rows`` gives simulated rows without files.
"""

from training.snapshots.candidates import Policy
from training.snapshots.contexts import ContextRow, context_id, evenly, read_context_row
from training.snapshots.errors import EmptySnapshot, NoTruth, OneRater, SnapshotChanged, SnapshotError, SnapshotInTheWay, SnapshotUnreadable
from training.snapshots.logged import Quarantine, SnapshotSettings
from training.snapshots.manifest import Manifest
from training.snapshots.simulated import SimulatedRows, SimulatedSettings, simulated_rows
from training.snapshots.snapshot import Snapshot, open_snapshot, take, take_simulated
from training.snapshots.splits import Split, split_of

__all__ = [
    "ContextRow",
    "EmptySnapshot",
    "Manifest",
    "NoTruth",
    "OneRater",
    "Policy",
    "Quarantine",
    "SimulatedRows",
    "SimulatedSettings",
    "Snapshot",
    "SnapshotChanged",
    "SnapshotError",
    "SnapshotInTheWay",
    "SnapshotSettings",
    "SnapshotUnreadable",
    "Split",
    "context_id",
    "evenly",
    "open_snapshot",
    "read_context_row",
    "simulated_rows",
    "split_of",
    "take",
    "take_simulated",
]
