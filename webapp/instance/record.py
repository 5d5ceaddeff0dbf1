"""What is known about the instance of a data folder: a lock that its supervisor holds, and a record of where everything is.

The lock decides whether an instance runs; it goes with the process that holds it, however that ends. The record only describes. It holds
passwords inside URLs, so its mode is 600.
"""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from db.errors import ParleyError


class HomeUnusable(ParleyError):
    """The data folder cannot be made or written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One running instance. ``pids`` are the supervised processes by name."""

    pid: int
    """Of the supervisor."""
    web_url: str | None
    database_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    model_url: str
    ports: Mapping[str, int]
    """Of the services that we started."""
    pids: Mapping[str, int]
    ready: bool
    """True once everything has answered once."""


class Home:
    """The data folder and the files in it that belong to the instance."""

    def __init__(self, path: Path) -> None:
        """The folder is made when it is first needed."""
        self.path = path.expanduser().absolute()
        self.logs = self.path / "logs"
        self.run = self.path / "run"
        self._record = self.path / "instance.json"
        self._lock = self.path / "instance.lock"

    @property
    def marker(self) -> str:
        """What tells this folder's processes from others, as the variable ``PARLEY_INSTANCE``."""
        return str(self.path)

    def prepare(self) -> None:
        """Make the folders.

        Raises:
            HomeUnusable: naming the folder and the reason.
        """
        for folder in (self.path, self.logs, self.run):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                # Others may pass through (the database may have to run as nobody), yet not look around.
                folder.chmod(0o711)
            except OSError as error:
                raise HomeUnusable(
                    f"The data folder {folder} cannot be used: {error.strerror}. Set PARLEY_HOME to a folder of yours."
                ) from error

    def take(self) -> int | None:
        """Take the lock for the life of this process; a descriptor to be kept, or None where another process has it."""
        try:
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise HomeUnusable(f"{self._lock} cannot be written: {error.strerror}. Set PARLEY_HOME to a folder of yours.") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def is_running(self) -> bool:
        """True while a supervisor holds the lock."""
        if not self._lock.exists():
            return False
        descriptor = self.take()
        if descriptor is None:
            return True
        os.close(descriptor)
        return False

    def read(self) -> Record | None:
        """The record of the running instance, or of the last one; None where there was none."""
        try:
            return Record(**json.loads(self._record.read_text()))
        except FileNotFoundError:
            return None

    def write(self, record: Record) -> None:
        """Replace the record in one step."""
        fresh = self._record.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            json.dump(asdict(record), out, indent=1)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(self._record)
