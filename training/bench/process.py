"""One stage in a process of its own: ``python -m training.bench.process FOLDER STAGE PARENT``, started by ``supervising`` alone.

Decided here: that a stage is worked on by one process at a time, that one whose supervisor has gone ends at once (what it has done up to
its last checkpoint stands), and how it tells of itself: ``progress.json``, and ``error.txt`` where it broke off.
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

from db.errors import ParleyError
from training.bench.plan import BenchPlan
from training.bench.stages import READY, Stage, Work, stages
from training.runs.plan import put
from training.starter.progress import BuildEvent
from training.starter.waiting import let_idle_threads_sleep

PROGRESS, ERROR, FIGURES = "progress.json", "error.txt", "figures.json"
STOPPED = 3
"""Exit status of a training that was asked to stop."""
_LOOK_S = 0.5


def main() -> None:
    """Do the stage; 0 where it is whole."""
    root, name, parent = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    threading.Thread(target=_end_when_orphaned, args=(parent,), daemon=True).start()
    plan = BenchPlan.read(root)
    stage = next(stage for stage in stages(plan.profile) if stage.name == name)
    folder = stage.folder(root)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ERROR).unlink(missing_ok=True)
    try:
        with _alone(folder):
            whole = _work(plan, root, stage, Teller(folder))
            if whole:
                put(folder / READY, "")
    except ParleyError as error:
        put(folder / ERROR, str(error))
        sys.exit(1)
    except Exception as error:
        traceback.print_exc()
        put(folder / ERROR, f"{type(error).__name__}: {error}")
        sys.exit(1)
    if not whole:
        sys.exit(STOPPED)


def _work(plan: BenchPlan, root: Path, stage: Stage, tell: "Teller") -> bool:
    """Whether it is whole; False where it was asked to stop. Imported here: an orphan is to be waited for without torch."""
    let_idle_threads_sleep()
    import torch

    torch.set_num_threads(1)
    folder = stage.folder(root)
    match stage.work:
        case Work.MATERIAL:
            from training.bench.material import simulate

            simulate(plan, folder, tell)
        case Work.REWARD_MODEL:
            from training.bench.material import fit_reward_model

            fit_reward_model(plan, root, folder, tell)
        case Work.TRAINING:
            from training.bench.learning import learn

            return learn(plan, root, stage, tell)
        case Work.FIGURES:
            from training.bench.measuring import measured

            put(folder / FIGURES, measured(plan, root, stage, tell).model_dump_json() + "\n")
    return True


class Teller:
    """Writes how far the stage has come, at most twice a second."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / PROGRESS
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
def _alone(folder: Path) -> Generator[None]:
    """Wait for an orphan that has not noticed yet."""
    with (folder / "stage.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main()
