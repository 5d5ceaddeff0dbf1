"""Everything that an installation must not lose, as one folder, and back: the database, and the adapters that it speaks with.

Decided here: what belongs to it (not logs, runs and snapshots, which can be made again), that a folder is whole or not there, and that a
restore checks all of it before it touches anything. Settings stay where they are: the folder only knows their fingerprints, so that a
restore can name what is set otherwise here. How a database becomes a file is decided in ``db.dump``.
"""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from agent.serving.starter import shipped_adapters
from agent.serving.versions import AdapterStore
from db import migrate
from db.dump import dump, restore
from db.engine import create_engine_from, session_factory
from db.errors import ParleyError
from db.repositories import contents

MANIFEST = "backup.json"
DUMP = "database.dump"
ADAPTERS = "adapters"
_FORMAT = 1
_SECRET = ("SECRET", "TOKEN", "PASSWORD", "KEY")
_PLACE = ("URL", "URLS", "PORT", "HOST", "HOME", "FOLDER", "INSTANCE", "CHILD", "ENDPOINT")


class BackupInTheWay(ParleyError):
    """There is something where a backup, or its contents, should go."""


class BackupUnusable(ParleyError):
    """The folder holds no whole backup, or one that this release cannot read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds."""

    format: int
    taken_at: str
    parley: str
    """Version of the release that took it."""
    revision: str
    """Of the schema."""
    rows: Mapping[str, int]
    """By table."""
    files: Mapping[str, str]
    """SHA-256 of every file but this one, by its path in the folder."""
    settings: Mapping[str, str]
    """Fingerprint of each ``PARLEY_`` variable that was set; places and secrets are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did."""

    manifest: Manifest
    upgraded_to: str | None
    """Revision that the schema was brought to; None where it was this release's already."""
    settings_that_differ: tuple[str, ...]


def back_up(url: str, adapters: Path, folder: Path, *, force: bool = False) -> Manifest:
    """Write the database at ``url`` and the published adapters into ``folder``; people may go on working meanwhile.

    Raises:
        BackupInTheWay: the folder has something in it, and not ``force``.
        BackupUnusable: the database was never migrated.
        DumpFailed, and what ``db.engine.create_engine_from`` raises.
    """
    if not force and folder.exists() and any(folder.iterdir()):
        raise BackupInTheWay(f"{folder} is not empty: name another folder, or add --force to replace what is in it.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    part, old = (folder.with_name(f".{folder.name}.{what}.{secrets.token_hex(4)}") for what in ("new", "old"))
    # It holds what people said, and names of hotels' people.
    part.mkdir(mode=0o700)
    try:
        manifest = _fill(url, adapters, part)
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
    finally:
        for gone in (part, old):
            shutil.rmtree(gone, ignore_errors=True)
    return manifest


def put_back(url: str, adapters: Path, folder: Path, *, force: bool = False) -> Restored:
    """Put a backup in the place of the database at ``url`` and of the adapters; all of it, or nothing.

    Raises:
        BackupUnusable: a file is missing or changed, or the backup is of a newer release.
        BackupInTheWay: there are rows or adapters already, and not ``force``; or somebody is connected to the database.
        DumpFailed, and what ``db.engine.create_engine_from`` raises.
    """
    manifest = read_manifest(folder)
    _refuse_what_is_damaged(manifest, folder)
    _refuse_what_is_in_the_way(url, adapters, force=force)
    adapters.parent.mkdir(parents=True, exist_ok=True)
    new, old = (adapters.with_name(f".{adapters.name}.{what}.{secrets.token_hex(4)}") for what in ("new", "old"))
    try:
        shutil.copytree(folder / ADAPTERS, new)
        restore(url, folder / DUMP)
        # Only renames from here on: what can fail has been done.
        if adapters.exists():
            adapters.rename(old)
        new.rename(adapters)
    finally:
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    upgraded = manifest.revision != migrate.head()
    if upgraded:
        migrate.upgrade(url)
    _refuse_other_rows(url, manifest)
    _place_adapters(url, adapters)
    here = _settings()
    differ = sorted(name for name in here.keys() | manifest.settings.keys() if here.get(name) != manifest.settings.get(name))
    return Restored(manifest=manifest, upgraded_to=migrate.head() if upgraded else None, settings_that_differ=tuple(differ))


def read_manifest(folder: Path) -> Manifest:
    """What the folder says that it holds. Raises BackupUnusable."""
    path = folder / MANIFEST
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
        manifest = Manifest(**described)
    except FileNotFoundError as error:
        raise BackupUnusable(f"{folder} is no backup: there is no {MANIFEST} in it.") from error
    except (ValueError, TypeError) as error:
        raise BackupUnusable(f"{path} cannot be read ({error}): take another backup, or use the release that wrote it.") from error
    if manifest.format != _FORMAT:
        raise BackupUnusable(f"{path} has format {manifest.format}, this release reads {_FORMAT}: use the release that wrote it.")
    return manifest


def _fill(url: str, adapters: Path, part: Path) -> Manifest:
    revision = migrate.current(url)
    if revision is None:
        raise BackupUnusable("The database has no schema of Parley's: there is nothing to back up. `parley migrate` makes one.")
    engine = create_engine_from(url, pooled=False)
    try:
        with session_factory(engine)() as session:
            snapshot = contents.hold_a_snapshot(session)
            rows = contents.count_rows(session)
            dump(url, part / DUMP, snapshot=snapshot)
    finally:
        engine.dispose()
    # After the database: an adapter is there before its row is, so none that a row names is missing.
    (part / ADAPTERS).mkdir()
    AdapterStore(adapters).copy_to(part / ADAPTERS)
    files = {str(path.relative_to(part)): _digest(path) for path in sorted(_files(part))}
    manifest = Manifest(
        format=_FORMAT,
        taken_at=datetime.now(UTC).isoformat(timespec="seconds"),
        parley=version("parley"),
        revision=revision,
        rows=rows,
        files=files,
        settings=_settings(),
    )
    (part / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1) + "\n", encoding="utf-8")
    for path in _files(part):
        path.chmod(0o600)
        with path.open("rb") as file:
            os.fsync(file.fileno())
    return manifest


def _refuse_what_is_damaged(manifest: Manifest, folder: Path) -> None:
    for name, digest in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise BackupUnusable(f"{path} is missing: the backup is not whole. Fetch it again from where it is kept.")
        if _digest(path) != digest:
            raise BackupUnusable(f"{path} is not what was backed up (its SHA-256 differs). Fetch it again from where it is kept.")
    if manifest.revision not in migrate.revisions():
        raise BackupUnusable(
            f"The backup is of Parley {manifest.parley} with schema {manifest.revision}, which this release ({version('parley')}) "
            "does not know: restore it with that release or a newer one."
        )


def _refuse_what_is_in_the_way(url: str, adapters: Path, *, force: bool) -> None:
    engine = create_engine_from(url, pooled=False)
    try:
        with session_factory(engine)() as session:
            others = contents.count_other_clients(session)
            rows = {name: count for name, count in contents.count_rows(session).items() if count}
    finally:
        engine.dispose()
    if others:
        raise BackupInTheWay(f"{others} other connections use the database: stop web processes and workers first.")
    if force:
        return
    if rows:
        held = ", ".join(f"{count:,} in {name}" for name, count in sorted(rows.items())[:5])
        raise BackupInTheWay(f"The database has rows ({held}): they would be replaced. Add --force if that is meant.")
    if adapters.is_dir() and any(adapters.iterdir()):
        raise BackupInTheWay(f"{adapters} has adapters: they would be replaced. Add --force if that is meant.")


def _place_adapters(url: str, adapters: Path) -> None:
    """The rows say where each version's files are; here that is another folder than it was there, perhaps."""
    published = {version.name: str(version.path) for version in AdapterStore(adapters).list()}
    shipped = {name: str(path) for name, path in shipped_adapters().items()}
    engine = create_engine_from(url, pooled=False)
    try:
        with session_factory(engine).begin() as session:
            contents.place_adapters(session, shipped | published)
    finally:
        engine.dispose()


def _refuse_other_rows(url: str, manifest: Manifest) -> None:
    engine = create_engine_from(url, pooled=False)
    try:
        with session_factory(engine)() as session:
            found = contents.count_rows(session)
    finally:
        engine.dispose()
    other = {name: (count, found.get(name)) for name, count in manifest.rows.items() if found.get(name) != count}
    if other:
        raise BackupUnusable(f"The restored database has other rows than were backed up (table: backed up, found): {other}.")


def _settings() -> dict[str, str]:
    return {
        name: hashlib.sha256(value.encode()).hexdigest()[:16]
        for name, value in sorted(os.environ.items())
        if name.startswith("PARLEY_") and not set(name.split("_")) & {*_SECRET, *_PLACE}
    }


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
