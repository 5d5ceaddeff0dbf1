"""The training process: ``python -m training.runs.process FOLDER ATTEMPT``, started by ``supervising`` and by nobody else.

Decided here: that a run is trained by one process at a time, and that one whose supervisor has gone stops, with a checkpoint, at the end of
its step: nobody would hear what it says. Several processes are started by torchrun; only the first of them speaks.
"""

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from agent.telemetry import span, start_tracing
from db.errors import ParleyError
from training.runs.events import Event, EventWriter, Failed, events_path, log_path
from training.runs.plan import Plan
from training.runs.status import STOP, is_supervised, trained

_LOOK_S = 1.0


def main() -> None:
    """Train, and end with 0 unless it broke off."""
    folder, attempt = Path(sys.argv[1]), int(sys.argv[2])
    first = os.environ.get("RANK", "0") == "0"
    tell: Callable[[Event], None] = EventWriter(events_path(folder, attempt)) if first else _silent
    if first:
        start_tracing("parley-training")
    try:
        with trained(folder) if first else nullcontext(), span("training.process", attempt=attempt):
            if first:
                # Not by the supervisor: an earlier process may have waited for it until now.
                (folder / STOP).unlink(missing_ok=True)
                threading.Thread(target=_stop_when_orphaned, args=(folder,), daemon=True).start()
            # Imported here: torch takes seconds, and an orphan is to be waited for without it.
            from training.runs.work import work

            work(Plan.read(folder), folder, tell, processes=int(os.environ.get("WORLD_SIZE", "1")))
    except ParleyError as error:
        tell(Failed(error=str(error)))
        sys.exit(1)
    except BaseException as error:
        traceback.print_exc()
        tell(Failed(error=f"The training broke off: {type(error).__name__}: {error}. {log_path(folder, attempt)} has the rest."))
        sys.exit(1)


def _stop_when_orphaned(folder: Path) -> None:
    while is_supervised(folder):
        time.sleep(_LOOK_S)
    (folder / STOP).touch()


def _silent(event: Event) -> None:
    del event


if __name__ == "__main__":
    main()
