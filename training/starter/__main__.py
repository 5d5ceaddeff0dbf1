"""``python -m training.starter``: build the starter model on this machine."""

import argparse
from contextlib import nullcontext
from pathlib import Path

from training.starter.waiting import let_idle_threads_sleep

let_idle_threads_sleep()


def main() -> None:
    """Parse the arguments and build."""
    from training.settings import TrainingSettings
    from training.starter.build import build
    from training.starter.presets import PRESETS
    from training.starter.progress import bars, lines

    parser = argparse.ArgumentParser(prog="python -m training.starter", description="Build the starter model from nothing.")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="full")
    parser.add_argument("--out", type=Path, default=TrainingSettings().folder, help="folder for the model and the work on it")
    parser.add_argument("--begin", type=Path, help="finished model of the preset that this one goes on from; left out, it is built first")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true", help="go on where an earlier build of this folder stopped")
    parser.add_argument("--json", action="store_true", help="progress as JSON lines instead of bars")
    arguments = parser.parse_args()
    with nullcontext(lines()) if arguments.json else bars() as show:
        built = build(arguments.out, arguments.preset, arguments.seed, arguments.resume, show, begin=arguments.begin)
    if built is not None:
        print(f"{built.folder}: sha256 {built.weights_hash}")


if __name__ == "__main__":
    main()
