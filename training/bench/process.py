"""One stage in a process of its own: ``python -m training.bench.process FOLDER STAGE PARENT``, started by ``supervising`` alone.

Decided here: how a stage tells of itself: ``progress.json`` while it goes on, ``error.txt`` where it broke off, READY where it is whole.
"""

import sys
import traceback
from pathlib import Path

from db.errors import ParleyError
from training.bench.plan import BenchPlan
from training.bench.stages import READY, Stage, Work, stages
from training.files import put
from training.runs.supervised import Teller, alone, end_with

PROGRESS, ERROR, FIGURES = "progress.json", "error.txt", "figures.json"
STOPPED = 3
"""Exit status of a training that was asked to stop."""


def main() -> None:
    """Do the stage; 0 where it is whole."""
    root, name, parent = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    end_with(parent)
    plan = BenchPlan.read(root)
    stage = next(stage for stage in stages(plan.profile) if stage.name == name)
    folder = stage.folder(root)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ERROR).unlink(missing_ok=True)
    try:
        with alone(folder):
            whole = _work(plan, root, stage, Teller(folder / PROGRESS))
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


def _work(plan: BenchPlan, root: Path, stage: Stage, tell: Teller) -> bool:
    """Whether it is whole; False where it was asked to stop. Imported here: an orphan is to be waited for without torch."""
    import torch

    torch.set_num_threads(1)
    folder = stage.folder(root)
    match stage.work:
        case Work.MATERIAL:
            from training.bench.material import simulate

            simulate(plan, root, stage, tell)
        case Work.REWARD_MODEL:
            from training.bench.material import fit_reward_model

            fit_reward_model(plan, root, stage, tell)
        case Work.TRAINING:
            from training.bench.learning import learn

            return learn(plan, root, stage, tell)
        case Work.FIGURES:
            from training.bench.measuring import measured

            put(folder / FIGURES, measured(plan, root, stage, tell).model_dump_json() + "\n")
    return True


if __name__ == "__main__":
    main()
