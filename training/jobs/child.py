"""A step in a process of its own: started, listened to, ended when it has to be; nothing here loads torch.

Decided here: that the process leads a session of its own, that its folder is whole once READY stands in it, and which ends are no fault of
the step, so that it is tried again: killed, or something away that it needs.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from agent.telemetry import carried
from db.errors import ParleyError
from db.vocabulary import RetrainStep
from training.jobs.lease import Lease
from training.starter.progress import BuildEvent

READY, OUTCOME, PROGRESS, ERROR, LOG = "READY", "outcome.json", "progress.json", "error.json", "log.txt"
STEP = "training.jobs.step"
"""The module that a step's process runs."""
_ROOT = Path(__file__).resolve().parents[2]
_LOOK_S = 0.2
_PATIENCE_S = 10.0
_LAST_WORDS = 600
Show = Callable[[BuildEvent], None]


class StepFailed(ParleyError):
    """A step that broke off for a reason of its own: trying again would not help."""


class StepCutOff(ParleyError):
    """A step that was ended from outside, or that misses something for the moment: it is tried again."""


def is_ready(folder: Path, step: RetrainStep) -> bool:
    """Whether the result of a step is whole."""
    return (folder / step / READY).is_file()


def outcome(folder: Path, step: RetrainStep) -> dict[str, object]:
    """The figures of a step that is whole."""
    return json.loads((folder / step / OUTCOME).read_text(encoding="utf-8"))


def carry_out(folder: Path, step: RetrainStep, lease: Lease, environment: Mapping[str, str], *, show: Show) -> None:
    """Do a step of the retrain in the folder, or go on with it, until it is whole.

    Raises:
        Stopped: the work has to end; the process was ended.
        StepFailed, StepCutOff: with what it last said.
    """
    place = folder / step
    place.mkdir(parents=True, exist_ok=True)
    for old in (PROGRESS, ERROR):
        (place / old).unlink(missing_ok=True)
    with (folder / LOG).open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", STEP, str(folder), str(step), str(os.getpid())],
            cwd=_ROOT,
            env=os.environ | environment | carried(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        while process.poll() is None:
            lease.go_on()
            if (event := _told(place)) is not None:
                show(event)
            time.sleep(_LOOK_S)
    finally:
        end(process)
    if process.returncode == 0 and is_ready(folder, step):
        return
    raise _broken_off(folder, place, process.returncode)


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process and what it has started; nothing where it has ended."""
    if process.poll() is not None:
        return
    for order in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, order)
        try:
            process.wait(timeout=_PATIENCE_S)
            return
        except subprocess.TimeoutExpired:
            continue


def _told(place: Path) -> BuildEvent | None:
    try:
        return BuildEvent(**json.loads((place / PROGRESS).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def _broken_off(folder: Path, place: Path, code: int) -> ParleyError:
    if (place / ERROR).is_file():
        said = json.loads((place / ERROR).read_text(encoding="utf-8"))
        return StepCutOff(said["error"]) if said["again"] else StepFailed(said["error"])
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
    words = (folder / LOG).read_text(encoding="utf-8", errors="replace")[-_LAST_WORDS:].strip()
    return StepCutOff(f"its process {how}{f'; the log ends with: {words}' if words else ' without a word'}")
