"""What the training process says to whoever supervises it: one JSON object a line, in a file of its own for each attempt.

A file and not a pipe: it outlives both sides, and a supervisor that dies never stops the training in the middle of a line.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """How many of the replies that are rehearsed have been written, before anything is checked."""

    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Nothing stands in the way."""

    settings: dict[str, Any]
    """With presets and defaults."""
    steps: int
    processes: int
    """That really train together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """After so many steps, 0 or those of the checkpoint."""

    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Figures of a step; a step may be told of several times."""

    step: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """It is over: to the last step, early, or as it was asked to."""

    finished: bool
    step: int
    adapter: str
    adapter_sha256: str
    best_step: int | None
    best_total: float | None
    judged: dict[str, int] = field(default_factory=dict[str, int])
    """What became of the questions to the judge, by ``Judge.counts``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """It broke off."""

    error: str


Event = Rehearsed | Checked | Began | Measured | Ended | Failed
_KINDS: Mapping[str, type[Event]] = {kind.__name__.lower(): kind for kind in (Rehearsed, Checked, Began, Measured, Ended, Failed)}


def events_path(folder: Path, attempt: int) -> Path:
    """Where an attempt's events are."""
    return folder / f"attempt-{attempt:02}.jsonl"


def log_path(folder: Path, attempt: int) -> Path:
    """Where what its process prints is."""
    return folder / f"attempt-{attempt:02}.log"


class EventWriter:
    """Appends events to a file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    def __call__(self, event: Event) -> None:
        """Write it, and make sure that it is there."""
        print(json.dumps({"event": type(event).__name__.lower(), **asdict(event)}), file=self._file, flush=True)
        os.fsync(self._file.fileno())


class EventReader:
    """Reads what has been appended since the last look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0

    def __call__(self) -> list[Event]:
        """Whole lines only: one that is being written comes the next time."""
        if not self._path.is_file():
            return []
        with self._path.open("rb") as file:
            file.seek(self._at)
            whole, mark, _ = file.read().rpartition(b"\n")
        self._at += len(whole) + len(mark)
        return [_read(line) for line in whole.splitlines()]


def _read(line: bytes) -> Event:
    values: dict[str, Any] = json.loads(line)
    return _KINDS[values.pop("event")](**values)
