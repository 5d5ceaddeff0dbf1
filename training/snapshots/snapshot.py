"""Snapshots: what a training run may see, frozen into a folder of parquet files with a manifest.

Decided here: one moment of the database is frozen; a snapshot is never changed, and whoever opens it checks every file against the manifest
first. What is in it is decided in ``logged`` and ``simulated``, how it is written in ``writing``.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pyarrow.parquet as pq

from agent.telemetry import annotate, traced
from db.engine import SessionFactory
from db.repositories import audit_events, examples
from training.data.columns import Format, instant
from training.snapshots.candidates import Policy
from training.snapshots.contexts import CONTEXTS, ContextRow, read_context_row
from training.snapshots.errors import EmptySnapshot, SnapshotChanged, SnapshotError, SnapshotUnreadable
from training.snapshots.logged import SnapshotSettings, collect
from training.snapshots.manifest import MANIFEST, Manifest
from training.snapshots.simulated import SimulatedSettings, simulated_rows
from training.snapshots.splits import Split
from training.snapshots.writing import SnapshotWriter
from training.starter.progress import Report, silent

if TYPE_CHECKING:
    from datasets import Dataset


@traced("training.snapshot")
def take(
    sessions: SessionFactory,
    folder: Path,
    settings: SnapshotSettings | None = None,
    *,
    actor: UUID | None = None,
    report: Report = silent,
) -> Manifest:
    """Freeze what the database holds into ``folder``, which must not be there yet; the audit trail says so.

    Raises:
        SnapshotInTheWay: the folder is there.
        EmptySnapshot: nothing passes the filters.
        OneRater: all preferences are of one person, and that was not allowed.
        SnapshotError: ``as_of`` lies in the future.
    """
    chosen = settings or SnapshotSettings()
    with SnapshotWriter(folder, validation_share=chosen.validation_share) as writer:
        with sessions() as session:
            now = examples.read_one_moment(session)
            if chosen.as_of is not None and chosen.as_of > now:
                raise SnapshotError(f"as_of lies in the future: {chosen.as_of} is after {now}. What will be said then is not known.")
            as_of = chosen.as_of or now
            kept_out = collect(session, writer, chosen, as_of=as_of, report=report)
        manifest = writer.finish(
            origin="database",
            as_of=instant(as_of),
            settings=_plain(replace(chosen, as_of=as_of)),
            left_out=kept_out.left_out,
            quarantined=kept_out.quarantined(),
            allow_one_rater=chosen.allow_one_rater,
            report=report,
        )
        with sessions.begin() as session:
            after = {"folder": str(folder), "sha256": manifest.sha256, "counts": manifest.counts}
            annotate(snapshot=manifest.sha256)
            audit_events.record(session, actor_id=actor, action="data.snapshot", subject_type="snapshot", after=after)
        writer.publish()
    return manifest


@traced("training.snapshot")
def take_simulated(
    folder: Path,
    settings: SimulatedSettings | None = None,
    *,
    at_once: int = 1,
    policy: Policy | None = None,
    holds: Policy | None = None,
    report: Report = silent,
) -> Manifest:
    """The same from simulated dialogues and experts, without a database; ``at_once`` processes, on which the bytes do not depend."""
    chosen = settings or SimulatedSettings()
    with SnapshotWriter(folder, validation_share=chosen.validation_share) as writer:
        rows = simulated_rows(settings=chosen, at_once=at_once, policy=policy, holds=holds, report=report)
        for context in rows.contexts:
            writer.put(CONTEXTS, context.row())
        for kind, told in rows.tables.items():
            for row in told:
                writer.put(kind, row)
        manifest = writer.finish(
            origin="simulated",
            as_of=None,
            settings=_plain(rows.settings),
            left_out={},
            quarantined={},
            allow_one_rater=chosen.experts == 1,
            report=report,
        )
        writer.publish()
    return manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A snapshot whose files were all found to be what they were."""

    folder: Path
    manifest: Manifest

    def demonstrations(self, split: Split | str = Split.TRAIN) -> "Dataset":
        """``prompt`` and ``completion``, for ``SFTTrainer``. Like the others, raises EmptySnapshot where no split has any."""
        return self._table(Format.PROMPT_COMPLETION, split)

    def preferences(self, split: Split | str = Split.TRAIN) -> "Dataset":
        """``prompt``, ``chosen`` and ``rejected``, for ``RewardTrainer`` and ``DPOTrainer``."""
        return self._table(Format.PREFERENCE, split)

    def stars(self, split: Split | str = Split.TRAIN) -> "Dataset":
        """``prompt``, ``completion`` and ``label``, for ``KTOTrainer``."""
        return self._table(Format.UNPAIRED_PREFERENCE, split)

    def contexts(self, split: Split | str = Split.TRAIN) -> "Dataset":
        """``prompt`` and ``context``, to roll out from."""
        return self._table(CONTEXTS, split)

    def context_rows(self, split: Split | str = Split.TRAIN) -> list[ContextRow]:
        """The contexts as domain values, in the order of the ids. Raises SnapshotChanged where the simulator draws other hotels now."""
        return [read_context_row(row, Split(split)) for row in self._rows(CONTEXTS, Split(split)).to_pylist()]

    def _table(self, table: str, split: Split | str) -> "Dataset":
        # Imported here: it takes a second, and to look at a manifest needs none of it.
        from datasets import Dataset

        return Dataset(self._rows(table, Split(split)))

    def _rows(self, table: str, split: Split) -> Any:
        if not self.manifest.rows(table):
            raise EmptySnapshot(f"The snapshot {self.folder} has no rows in {table}: take one that has, or train something else.")
        with pq.ParquetFile(self.folder / split / f"{table}.parquet") as file:
            return file.read()


def open_snapshot(folder: Path) -> Snapshot:
    """Open a snapshot and check every byte of it.

    Raises SnapshotUnreadable where there is none, SnapshotChanged where a file is missing or is not what it was.
    """
    if not (folder / MANIFEST).is_file():
        raise SnapshotUnreadable(f"{folder} is no snapshot: it has no {MANIFEST}. Take one with `parley snapshot`.")
    manifest = Manifest.decoded((folder / MANIFEST).read_bytes())
    for name, told in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise SnapshotChanged(f"{path} is missing, though {MANIFEST} names it. Take the snapshot anew, or bring the file back.")
        with path.open("rb") as stream:
            found = file_digest(stream, "sha256").hexdigest()
        if found != told["sha256"]:
            raise SnapshotChanged(f"{path} has changed since the snapshot was taken: its hash is {found}, not {told['sha256']}.")
    return Snapshot(folder=folder, manifest=manifest)


def _plain(settings: SnapshotSettings | SimulatedSettings) -> dict[str, Any]:
    """Settings as JSON values."""
    return {name: _plain_value(value) for name, value in asdict(settings).items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant(value)
    return [str(each) for each in value] if isinstance(value, tuple) else value
