"""Doing the stages of a benchmark, as many at once as there are cores; nothing here loads torch.

Decided here: that each stage is a process of its own, started anew (a forked child of a parent that has run torch hangs), that the first
one which fails ends the benchmark, and that a stop lets trainings finish their step. The next start finds what is whole and does the rest.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from db.errors import ParleyError
from training.bench.plan import BenchPlan
from training.bench.process import ERROR, PROGRESS
from training.bench.stages import Stage, Work, stages, startable
from training.runs.environment import computing
from training.runs.plan import STARTER_JUDGE
from training.runs.status import STOP
from training.starter.progress import BuildEvent

LOG = "log.txt"
_ROOT = Path(__file__).resolve().parents[2]
_LOOK_S = 0.2
_PATIENCE_S = 20.0
_LAST_WORDS = 600
_Process = subprocess.Popen[bytes]


class BenchFailed(ParleyError):
    """A stage that broke off; what was done before it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a benchmark has come."""

    stages: tuple[Stage, ...]
    done: frozenset[str]
    running: Mapping[str, BuildEvent | None] = field(default_factory=dict[str, BuildEvent | None])
    """By stage, the last it has told."""

    @property
    def whole(self) -> bool:
        """Whether nothing is left."""
        return len(self.done) == len(self.stages)


def standing(root: Path, plan: BenchPlan) -> Standing:
    """What stands in the folder."""
    found = stages(plan.profile)
    return Standing(stages=found, done=frozenset(stage.name for stage in found if stage.is_done(root)))


def run(
    root: Path,
    plan: BenchPlan,
    *,
    at_once: int,
    judge_url: str | None = None,
    show: Callable[[Standing], None] = lambda standing: None,
    stops_asked: Callable[[], int] = lambda: 0,
) -> Standing:
    """Do what is missing, to the end or until somebody asks to stop: once gently, twice at once. Call it with the folder held.

    Raises BenchFailed for a stage that breaks off, after the others were stopped.
    """
    begun = standing(root, plan)
    running: dict[str, _Process] = {}
    failed: Stage | None = None
    by_name = {stage.name: stage for stage in begun.stages}
    done = set(begun.done)
    try:
        while True:
            for name in [name for name, process in running.items() if process.poll() is not None]:
                del running[name]
                if by_name[name].is_done(root):
                    done.add(name)
                elif not stops_asked() and failed is None:
                    failed = by_name[name]
            ending = failed is not None or stops_asked() > 0
            while not ending and len(running) < at_once and (stage := startable(begun.stages, done, running.keys())) is not None:
                running[stage.name] = _started(root, plan, stage, judge_url)
            show(Standing(stages=begun.stages, done=frozenset(done), running={name: _told(by_name[name].folder(root)) for name in running}))
            if ending:
                _ask_to_end([by_name[name] for name in running], running, root)
            if not running or stops_asked() > 1:
                break
            time.sleep(_LOOK_S)
    finally:
        _end(list(running.values()))
    if failed is not None:
        raise BenchFailed(f"{failed.title} broke off: {_why(failed.folder(root))} What was done before stands; the same command goes on.")
    return standing(root, plan)


def _started(root: Path, plan: BenchPlan, stage: Stage, judge_url: str | None) -> _Process:
    folder = stage.folder(root)
    folder.mkdir(parents=True, exist_ok=True)
    for old in (PROGRESS, ERROR):
        (folder / old).unlink(missing_ok=True)
    with (folder / LOG).open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "training.bench.process", str(root.resolve()), stage.name, str(os.getpid())],
            cwd=_ROOT,
            env=os.environ | _environment(plan, judge_url),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


def _environment(plan: BenchPlan, judge_url: str | None) -> Mapping[str, str]:
    variables = computing(threads=1)
    if plan.judge == STARTER_JUDGE and judge_url is not None:
        variables["PARLEY_JUDGE_BASE_URL"] = judge_url
    return variables


def _told(folder: Path) -> BuildEvent | None:
    try:
        return BuildEvent(**json.loads((folder / PROGRESS).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def _why(folder: Path) -> str:
    if (folder / ERROR).is_file():
        return (folder / ERROR).read_text(encoding="utf-8")
    words = (folder / LOG).read_text(encoding="utf-8", errors="replace")[-_LAST_WORDS:].strip()
    return f"its process ended; it last said: {words}" if words else "its process ended without a word."


def _ask_to_end(asked: Sequence[Stage], running: Mapping[str, _Process], root: Path) -> None:
    """Trainings end with their step and a checkpoint; what has none begins anew the next time."""
    for stage in asked:
        if stage.work is Work.TRAINING:
            (stage.folder(root) / STOP).touch()
        else:
            running[stage.name].terminate()


def _end(processes: Sequence[_Process]) -> None:
    for order in (signal.SIGTERM, signal.SIGKILL):
        for process in processes:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, order)
        deadline = time.monotonic() + _PATIENCE_S
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
