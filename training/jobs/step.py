"""One step in a process of its own: ``python -m training.jobs.step FOLDER STEP PARENT``, started by ``child`` alone.

Decided here: how a step tells of itself: ``progress.json`` while it goes on, ``error.json`` where it broke off, ``outcome.json`` and READY
last.
"""

import json
import sys
import traceback
from pathlib import Path

from agent.serving.swap import ModelServerUnavailable
from agent.telemetry import span, start_tracing
from db.engine import DatabaseBusy, DatabaseUnreachable
from db.errors import ParleyError
from db.vocabulary import RetrainStep
from training.files import put
from training.jobs.child import ERROR, LOG, OUTCOME, PROGRESS, READY
from training.release.golden import NoGolden
from training.runs.supervised import Teller, alone, end_with

_AGAIN = (DatabaseBusy, DatabaseUnreachable, ModelServerUnavailable, NoGolden)
"""Somebody was away, or the process that works the golden tokens out was ended."""


def main() -> None:
    """Do the step; 0 where it is whole."""
    folder, step, parent = Path(sys.argv[1]), RetrainStep(sys.argv[2]), int(sys.argv[3])
    end_with(parent)
    place = folder / step
    start_tracing("parley-training")
    try:
        with alone(place), span("training.step", step=step):
            if (place / READY).is_file():
                return
            # Imported here: torch takes seconds, and an orphan is to be waited for without it.
            from training.jobs.steps import carry_out

            figures = carry_out(folder, step, Teller(place / PROGRESS))
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


if __name__ == "__main__":
    main()
