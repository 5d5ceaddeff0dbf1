"""One step in a process of its own: ``python -m training.jobs.step FOLDER STEP PARENT``, started by ``child`` alone.

Decided here: that a step is worked on by one process at a time, that one whose supervisor has gone ends at once (what it has done up to its
last checkpoint stands), and how it tells of itself: ``progress.json``, ``error.json`` where it broke off, ``outcome.json`` and READY last.
"""

import fcntl
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from agent.serving.swap import ModelServerUnavailable
from agent.telemetry import span, start_tracing
from db.engine import DatabaseBusy, DatabaseUnreachable
from db.errors import ParleyError
from db.vocabulary import RetrainStep
from training.jobs.child import ERROR, LOG, OUTCOME, PROGRESS, READY
from training.release.golden import NoGolden
from training.runs.plan import put
from training.starter.progress import BuildEvent

_LOOK_S = 0.5
_AGAIN = (DatabaseBusy, DatabaseUnreachable, ModelServerUnavailable, NoGolden)
"""Somebody was away, or the process that works the golden tokens out was ended."""


def main() -> None:
    """Do the step; 0 where it is whole."""
    folder, step, parent = Path(sys.argv[1]), RetrainStep(sys.argv[2]), int(sys.argv[3])
    threading.Thread(target=_end_when_orphaned, args=(parent,), daemon=True).start()
    place = folder / step
    start_tracing("parley-training")
    try:
        with _alone(place), span("training.step", step=step):
            if (place / READY).is_file():
                return
            # Imported here: torch takes seconds, and an orphan is to be waited for without it.
            from training.jobs.steps import carry_out

            figures = carry_out(folder, step, _Teller(place))
            put(place / OUTCOME, json.dumps(figures, indent=1) + "\n")
            put(place / READY, "")
    except ParleyError as error:
        _say(place, str(error), again=isinstance(error, _AGAIN))
    except BaseException as error:
        traceback.print_exc()
        _say(place, f"{step} broke off: {type(error).__name__}: {error}. {folder / LOG} has the rest.", again=False)


def _say(place: Path, error: str, *, again: bool) -> None:
    put(place / ERROR, json.dumps({"error": error, "again": again}) + "\n")
    sys.exit(1)


class _Teller:
    """Writes how far the step has come, at most twice a second."""

    def __init__(self, place: Path) -> None:
        self._path = place / PROGRESS
        self._told = 0.0

    def __call__(self, event: BuildEvent) -> None:
        """Hear of it."""
        if event.done >= event.total or time.monotonic() - self._told > _LOOK_S:
            put(self._path, json.dumps(asdict(event)) + "\n")
            self._told = time.monotonic()


def _end_when_orphaned(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)


@contextmanager
def _alone(place: Path) -> Generator[None]:
    """Wait for an orphan that has not noticed yet."""
    with (place / "step.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main()
