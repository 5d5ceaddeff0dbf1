"""How a run is doing, as one value that grows with each event, and its two files: ``status.json`` and the lock of who supervises it."""

import fcntl
import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from db.vocabulary import RunState
from training.files import put
from training.runs.errors import RunBusy
from training.runs.events import Began, Checked, Ended, Event, Failed, Measured, Rehearsed

STATUS = "status.json"
SUPERVISED = "supervised.lock"
"""Locked as long as somebody supervises the run."""
STOP = "stop"
"""The file that ends a run at the end of its step (``training.objectives.running``)."""
TRAINED = "trained.lock"
"""Locked as long as a process trains it."""
_GRACE_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How far a run has come."""

    state: RunState = RunState.QUEUED
    step: int = 0
    steps: int = 0
    before: str = ""
    """What is being done before the first step, where that takes long."""
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    figures: dict[str, Any] = field(default_factory=dict[str, Any])
    """The last known value of each."""
    error: str | None = None
    log: str | None = None
    adapter: str | None = None
    adapter_sha256: str | None = None
    best_step: int | None = None
    best_total: float | None = None
    judged: dict[str, int] = field(default_factory=dict[str, int])

    def after(self, event: Event) -> "Status":
        """The status with what the event says."""
        match event:
            case Rehearsed():
                return replace(self, before=f"rehearsal, {event.done} of {event.total} replies")
            case Checked():
                return replace(self, before="", settings=event.settings, steps=event.steps)
            case Began():
                return replace(self, step=event.step)
            case Measured():
                return replace(self, step=max(self.step, event.step), figures={**self.figures, **event.values})
            case Ended():
                return replace(
                    self,
                    state=RunState.DONE if event.finished else RunState.STOPPED,
                    step=event.step,
                    adapter=event.adapter,
                    adapter_sha256=event.adapter_sha256,
                    best_step=event.best_step,
                    best_total=event.best_total,
                    judged=event.judged,
                )
            case Failed():
                return replace(self, state=RunState.FAILED, before="", error=event.error)

    def write(self, folder: Path) -> None:
        """Into the run's folder."""
        put(folder / STATUS, json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, folder: Path) -> "Status":
        """The last one that was written; a run that was never supervised is queued."""
        path = folder / STATUS
        if not path.is_file():
            return cls()
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return cls(state=RunState(values.pop("state")), **values)


@contextmanager
def supervised(folder: Path) -> Generator[None]:
    """Be the only one who supervises the run. Raises RunBusy."""
    with (folder / SUPERVISED).open("w") as file:
        # An orphan looks every second whether the lock is free, and holds it for that moment.
        deadline = time.monotonic() + _GRACE_S
        while not _locked(file):
            if time.monotonic() > deadline:
                raise RunBusy(f"The run in {folder} is supervised by another process: wait for it, or stop it there with Ctrl-C.")
            time.sleep(0.05)
        yield


@contextmanager
def trained(folder: Path) -> Generator[None]:
    """Be the only process that trains the run; one whose supervisor has died is waited for, it stops at the end of its step."""
    with (folder / TRAINED).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_supervised(folder: Path) -> bool:
    """Whether somebody supervises the run now."""
    return _is_locked(folder / SUPERVISED)


def is_trained(folder: Path) -> bool:
    """Whether a process trains the run now."""
    return _is_locked(folder / TRAINED)


def _is_locked(path: Path) -> bool:
    with path.open("a") as file:
        return not _locked(file)


def _locked(file: Any) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
