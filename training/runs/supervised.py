"""A process that does one piece of work in a folder for a supervisor: ends with it, works there alone, and tells how far it has come.

For stages of a benchmark and steps of a retrain. What they had done up to their last checkpoint stands however they end.
"""

import fcntl
import json
import os
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from training.files import put
from training.starter.progress import BuildEvent

_LOOK_S = 0.5


def end_with(parent: int) -> None:
    """Die within half a second of the supervisor, from now on."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def alone(folder: Path) -> Generator[None]:
    """Hold the folder; waits for an orphan that has not noticed yet that it is one."""
    with (folder / "work.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Teller:
    """Writes how far the work has come, at most twice a second (``training.starter.progress.Report``)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._told = 0.0

    def __call__(self, event: BuildEvent) -> None:
        """Hear of it."""
        if event.done >= event.total or time.monotonic() - self._told > _LOOK_S:
            put(self._path, json.dumps(asdict(event)) + "\n")
            self._told = time.monotonic()
