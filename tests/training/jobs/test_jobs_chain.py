"""The chain with its real work, up to the trained policy: a trainer and a worker that are killed end with the weights of a run that was
left alone, and once.

The reward model stands on a tiny base, and measuring takes a moment: those are tried where they are at home.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from db.engine import SessionFactory
from db.repositories import training_runs
from db.vocabulary import RetrainState, RetrainStep, RunState
from tests.training.jobs.job_scenes import TOY, Shelf, asked, row_of, settings_in, steps_of, weights
from tests.training.jobs.quick_step import within
from tests.training.objectives.learning import tiny
from training.jobs import child
from training.jobs.lease import Lease
from training.jobs.plan import RetrainPlan
from training.jobs.settings import JobSettings
from training.jobs.work import work
from training.starter.progress import Report

ROOT = Path(__file__).parents[3]
PATIENCE_S = 600.0
pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
"""Five processes that each import torch."""


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> RetrainPlan:
    base = tiny(tmp_path_factory.mktemp("tiny") / "base")
    imitation = {"imitate": 2, "rehearsal": 1, "imitation": {"batch": 2, "save_every": 1, "held_out_every": 2}}
    return TOY.model_copy(update={"reward_model": {"base": str(base), "epochs": 0.25}, **imitation})


@pytest.fixture
def settings(tmp_path: Path) -> JobSettings:
    return settings_in(tmp_path)


@pytest.fixture(autouse=True)
def quick_measuring(monkeypatch: pytest.MonkeyPatch) -> None:
    really = child.carry_out

    def carry_out(folder: Path, step: RetrainStep, lease: Lease, environment: dict[str, str], *, show: Report) -> None:
        (within if step is RetrainStep.EVALUATE else really)(folder, step, lease, environment, show=show)

    monkeypatch.setattr(child, "carry_out", carry_out)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def kill(named: str, folder: Path) -> bool:
    """SIGKILL to a process of this module that works in the folder; False where there is none."""
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or ()
        if named in line and any(str(folder) in word for word in line):
            os.kill(process.pid, signal.SIGKILL)
            return True
    return False


def test_that_a_killed_trainer_and_a_killed_worker_end_with_the_same_weights_once(
    sessions: SessionFactory, database_url: str, settings: JobSettings, plan: RetrainPlan, tmp_path: Path
) -> None:
    shelf = Shelf(sessions, tmp_path / "store")
    alone = asked(sessions, settings, plan.model_copy(update={"line": "alone"}))
    assert work(sessions, alone, outlet=shelf, settings=settings) is RetrainState.CANARY
    undisturbed = settings.folder() / str(alone)
    with sessions() as session:
        assert steps_of(session, alone)["policy"] == "done"

    disturbed = asked(sessions, settings, plan.model_copy(update={"line": "disturbed"}))
    folder = settings.folder() / str(disturbed)
    for step in (RetrainStep.SNAPSHOT, RetrainStep.REWARD_MODEL):
        shutil.copytree(undisturbed / step, folder / step)
    command = [sys.executable, "-m", "tests.training.jobs.work_once", database_url, str(tmp_path), str(disturbed), "real"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as worker:
        checkpoints = folder / "policy" / "checkpoints"
        until(lambda: any(checkpoints.glob("checkpoint-*")) and kill("training.runs.process", folder / "policy"))
        # The worker begins the training again by itself; then it goes too, in the middle of that.
        until(lambda: len(list((folder / "policy").glob("attempt-*.jsonl"))) == 2)
        worker.kill()
    assert row_of(sessions, disturbed).state is RetrainState.RUNNING
    came_to = work(sessions, disturbed, outlet=Other(shelf), settings=settings)
    # The other one's canary is out: it waits for what becomes of that, published.
    assert came_to is RetrainState.QUEUED
    assert weights(folder) == weights(undisturbed)
    assert shelf.published == ["policy-v2", "policy-v3"]
    trained = row_of(sessions, disturbed).training_run_id
    assert trained is not None
    with sessions() as session:
        assert training_runs.get(session, trained).state is RunState.DONE


class Other(Shelf):
    """The same shelf, as another worker sees it."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__(shelf.sessions, shelf.store.folder)
        self.published = shelf.published
