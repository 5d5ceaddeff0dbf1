"""Versions of the policy on disk: one immutable folder an adapter, complete or not there at all.

A version is copied beside its place, forced to disk file by file, marked ``READY`` last and then moved to its name in one step. A name is
never used twice, not even after its files are gone, because the model server caches by name. Which version answers whom is decided by the
deployments in the database.
"""

import errno
import hashlib
import json
import os
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import psutil

from db.errors import ParleyError

READY = "READY"
_NEEDED = ("adapter_config.json", "adapter_model.safetensors")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_INCOMING = ".incoming"
_RETIRED = ".retired"


class AdapterNameTaken(ParleyError):
    """The name belongs to a version that exists or once existed."""


class NotAnAdapter(ParleyError):
    """The source folder or the name is not one that can be published."""


class AdapterNotReady(ParleyError):
    """A folder with that name exists, yet it was never finished."""


class UnknownAdapter(ParleyError):
    """No such version."""


class AdapterStoreFull(ParleyError):
    """The disk could not take the version; nothing of it was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterVersion:
    """One published adapter. ``digest`` is the SHA-256 over names and contents of its files."""

    name: str
    path: Path
    digest: str
    size: int
    """Bytes."""
    rank: int
    base_model: str
    published_at: datetime


class AdapterStore:
    """The folder with all versions. Several processes may use it at once."""

    def __init__(self, folder: Path) -> None:
        """The folder is made on the first publication."""
        self.folder = folder

    def publish(self, source: Path, name: str) -> AdapterVersion:
        """Copy ``source`` (what ``peft`` saved) to the version ``name``.

        Raises:
            NotAnAdapter: if a file is missing or the name cannot be one.
            AdapterNameTaken: if the name is or was in use.
            AdapterStoreFull: if the disk is full.
        """
        if _NAME.fullmatch(name) is None:
            raise NotAnAdapter(
                f"{name!r} cannot name a version: use up to 64 of a-z, 0-9, '.', '_' and '-', and begin with a letter or digit."
            )
        if missing := [needed for needed in _NEEDED if not (source / needed).is_file()]:
            raise NotAnAdapter(
                f"{source} is no adapter: {', '.join(missing)} is missing. Give the folder that peft's save_pretrained wrote."
            )
        config = _read_json(source / "adapter_config.json")
        if not isinstance(config.get("r"), int):
            raise NotAnAdapter(f'{source / "adapter_config.json"} names no rank ("r"): only LoRA adapters can be served.')
        self._refuse_taken(name)
        incoming = self.folder / f"{_INCOMING}-{os.getpid()}-{name}"
        try:
            self._sweep()
            shutil.rmtree(incoming, ignore_errors=True)
            incoming.mkdir(parents=True)
            version = self._copy(source, incoming, name, config)
            _sync_folder(incoming)
            incoming.rename(version.path)
            _sync_folder(self.folder)
        except OSError as error:
            shutil.rmtree(incoming, ignore_errors=True)
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                size = sum(path.stat().st_size for path in source.iterdir() if path.is_file())
                raise AdapterStoreFull(
                    f"No space for version {name} in {self.folder}: it takes {size:,} bytes. Free some, remove old versions, "
                    "or set PARLEY_HOME to a larger disk. Nothing was changed."
                ) from error
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                # Another process was faster with the same name.
                raise AdapterNameTaken(_taken(name, self.folder)) from error
            raise
        return version

    def list(self) -> tuple[AdapterVersion, ...]:
        """All finished versions, oldest first."""
        if not self.folder.is_dir():
            return ()
        found = [
            _described(path)
            for path in self.folder.iterdir()
            if path.is_dir() and not path.name.startswith(".") and (path / READY).is_file() and not self._is_retired(path.name)
        ]
        return tuple(sorted(found, key=lambda version: (version.published_at, version.name)))

    def get(self, name: str) -> AdapterVersion:
        """The finished version ``name``.

        Raises:
            UnknownAdapter: if there is none, or it was removed.
            AdapterNotReady: if its folder lacks the marker.
        """
        path = self.folder / name
        if _NAME.fullmatch(name) is None or not path.is_dir() or self._is_retired(name):
            known = ", ".join(version.name for version in self.list()) or "none yet"
            raise UnknownAdapter(f"No version {name!r} in {self.folder}; there are: {known}.")
        if not (path / READY).is_file():
            raise AdapterNotReady(
                f"{path} has no {READY} marker: it was not published by Parley or is damaged. Publish it again under a new name."
            )
        return _described(path)

    def remove(self, name: str) -> None:
        """Delete a version's files; its name stays taken. Do it after the server has unloaded it.

        Raises:
            UnknownAdapter: if there is none.
        """
        path = self.folder / name
        if _NAME.fullmatch(name) is None or not path.is_dir():
            raise UnknownAdapter(f"No version {name!r} in {self.folder}.")
        retired = self.folder / _RETIRED
        retired.mkdir(exist_ok=True)
        # The name is retired first, so that a crash in the middle of the deletion cannot leave half a version for use.
        (retired / name).touch()
        _sync_folder(retired)
        _sync_folder(self.folder)
        shutil.rmtree(path)

    def copy_to(self, folder: Path) -> None:
        """Copy every finished version, and the names that stay taken, into ``folder``; for a backup."""
        for version in self.list():
            shutil.copytree(version.path, folder / version.name)
        if (self.folder / _RETIRED).is_dir():
            shutil.copytree(self.folder / _RETIRED, folder / _RETIRED)

    def _is_retired(self, name: str) -> bool:
        return (self.folder / _RETIRED / name).exists()

    def _refuse_taken(self, name: str) -> None:
        if (self.folder / name).exists() or self._is_retired(name):
            raise AdapterNameTaken(_taken(name, self.folder))

    def _copy(self, source: Path, incoming: Path, name: str, config: dict[str, object]) -> AdapterVersion:
        """Copy every file, force it to disk, and write the marker last."""
        digest = hashlib.sha256()
        size = 0
        for path in sorted(path for path in source.iterdir() if path.is_file() and path.name != READY):
            content = path.read_bytes()
            digest.update(path.name.encode() + b"\0" + hashlib.sha256(content).digest())
            size += len(content)
            _write(incoming / path.name, content)
        described: dict[str, object] = {
            "name": name,
            "digest": digest.hexdigest(),
            "size": size,
            "rank": config["r"],
            "base_model": str(config.get("base_model_name_or_path") or ""),
            "published_at": datetime.now(UTC).isoformat(),
        }
        _sync_folder(incoming)
        _write(incoming / READY, json.dumps(described, indent=1).encode())
        return _version(described, self.folder / name)

    def _sweep(self) -> None:
        """Delete what publications left that died half-way."""
        for path in self.folder.glob(f"{_INCOMING}-*"):
            pid = path.name.split("-")[1]
            if not psutil.pid_exists(int(pid)):
                shutil.rmtree(path, ignore_errors=True)


def _taken(name: str, folder: Path) -> str:
    return f"The name {name!r} is taken in {folder}, or was before: versions never change. Publish under a new name."


def _described(path: Path) -> AdapterVersion:
    return _version(_read_json(path / READY), path)


def _version(described: dict[str, object], path: Path) -> AdapterVersion:
    return AdapterVersion(
        name=path.name,
        path=path,
        digest=str(described["digest"]),
        size=int(str(described["size"])),
        rank=int(str(described["rank"])),
        base_model=str(described["base_model"]),
        published_at=datetime.fromisoformat(str(described["published_at"])),
    )


def _read_json(path: Path) -> dict[str, object]:
    try:
        value: object = json.loads(path.read_text())
    except ValueError as error:
        raise NotAnAdapter(f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise NotAnAdapter(f"{path} is not a JSON object.")
    return cast("dict[str, object]", value)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
