"""Snapshots in a terminal: what is asked for, a bar while one is taken, a table of what is in it."""

from collections.abc import Sequence
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from db.engine import SessionFactory
from training.data.columns import Source
from training.snapshots.errors import SnapshotError
from training.snapshots.logged import SnapshotSettings
from training.snapshots.manifest import Manifest
from training.snapshots.simulated import SimulatedSettings
from training.snapshots.snapshot import take, take_simulated
from training.snapshots.splits import Split
from training.snapshots.writing import TABLES
from training.starter.progress import bars


def asked_for(
    *,
    simulated: bool,
    contexts: int,
    seed: int,
    chinese: float,
    as_of: str,
    since: str,
    languages: Sequence[str],
    sources: Sequence[str],
    flagged: Sequence[UUID],
    validation_share: float,
    **filters: Any,
) -> SnapshotSettings | SimulatedSettings:
    """What a command line asks for. Raises SnapshotError for a value that is none, and for options of the other kind of snapshot."""
    wanted: dict[str, Any] = filters | {
        "as_of": _moment("--as-of", as_of),
        "since": _moment("--since", since),
        "languages": tuple(languages),
        "sources": tuple(map(_source, sources)) or tuple(Source),
        "flagged": tuple(flagged),
    }
    try:
        logged = SnapshotSettings(**wanted, validation_share=validation_share)
        drawn = SimulatedSettings(contexts=contexts, seed=seed, chinese=chinese, validation_share=validation_share)
        if not simulated:
            if drawn != SimulatedSettings(validation_share=validation_share):
                raise SnapshotError("--n, --seed and --chinese tell how to simulate: leave them out, or add --simulated.")
            return logged
        if logged != SnapshotSettings(validation_share=validation_share):
            raise SnapshotError("Filters choose among what people judged: leave them out, or leave out --simulated.")
        return drawn
    except ValueError as error:
        raise SnapshotError(f"Such a snapshot cannot be taken: {error}.") from error


def _moment(option: str, text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError as error:
        raise SnapshotError(f"{option} {text!r} is no date and time: write it like 2027-01-31T18:00:00+00:00.") from error


def _source(name: str) -> Source:
    try:
        return Source(name)
    except ValueError as error:
        near = get_close_matches(name, Source, n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise SnapshotError(f"There is no source {name!r}: {meant}The sources are {', '.join(Source)}.") from error


def snapshot_command(
    folder: Path,
    *,
    console: Console,
    sessions: SessionFactory | None = None,
    settings: SnapshotSettings | SimulatedSettings | None = None,
    at_once: int = 1,
) -> int:
    """Take a snapshot, of the database, or with ``SimulatedSettings`` without one; returns the exit status.

    Raises SnapshotError where it cannot be taken.
    """
    with bars() as report:
        if isinstance(settings, SimulatedSettings):
            manifest = take_simulated(folder, settings, at_once=at_once, report=report)
        else:
            assert sessions is not None, "what is not simulated comes from a database"
            manifest = take(sessions, folder, settings, report=report)
    tell(folder, manifest, console)
    return 0


def tell(folder: Path, manifest: Manifest, console: Console) -> None:
    """What is in a snapshot and what was kept out."""
    simulated = " (simulated)" if manifest.origin == "simulated" else ""
    table = Table("", *Split, "sources", title=f"{escape(str(folder))}{simulated}")
    for name in TABLES:
        sources = sorted({source for split in manifest.counts[name].values() for source in split})
        table.add_row(name, *(f"{manifest.rows(name, split):,}" for split in Split), ", ".join(sources))
    table.add_row("hotels", *(f"{manifest.hotels[split]:,}" for split in Split), "")
    console.print(table)
    for reason, counts in manifest.quarantined.items():
        if any(counts.values()):
            console.print(
                f"Quarantined: {counts['judgements']:,} judgements, {counts['conversations']:,} conversations: {reason}.", highlight=False
            )
    for reason, count in manifest.left_out.items():
        console.print(f"Left out: {count:,} {'judgement' if count == 1 else 'judgements'}: each {reason}.", highlight=False)
    if (same := sum(manifest.duplicates.values())) > 0:
        console.print(f"Left out: {same:,} rows that say what another one says.", highlight=False)
    console.print(f"sha256 {manifest.sha256}", highlight=False)
