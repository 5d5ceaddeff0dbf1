"""Runs of a tiny random policy in processes that are killed, stopped, orphaned and taken over: the weights at the end are the same."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from db.engine import SessionFactory
from db.repositories import training_runs
from db.repositories.training_runs import LeaseLost
from db.vocabulary import RunState
from tests.training.runs.run_scenes import SMALL, Scene, plan_of
from training.runs import Status, supervise
from training.runs.metrics import by_step, read_metrics
from training.runs.status import is_trained

STEPS = 16
ROOT = Path(__file__).parents[3]
WHERE: dict[str, Any] = {"held_out": 0, "settings": {"steps": STEPS, "save_every": 3, "seed": 4}}
"""Nothing is held out: the result is then the last adapter, which all steps had a part in."""


@pytest.fixture(scope="session")
def undisturbed(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Status:
    status = supervise(scene.begun(tmp_path_factory.mktemp("undisturbed") / "run", **WHERE))
    assert status.state is RunState.DONE, status.error
    return status


def trainer(folder: Path) -> psutil.Process:
    """The process that trains the run."""
    found = [
        one
        for one in psutil.process_iter(["cmdline"])
        if "training.runs.process" in one.info["cmdline"] and str(folder) in one.info["cmdline"]
    ]
    assert len(found) == 1
    return found[0]


def killing(folder: Path, at: int, delay: float) -> Callable[[Status], None]:
    killed: list[int] = []

    def look(status: Status) -> None:
        if status.step >= at and not killed and status.state is RunState.RUNNING:
            killed.append(status.step)
            time.sleep(delay)
            trainer(folder).kill()

    return look


def same_as(undisturbed: Status, folder: Path) -> None:
    status = Status.read(folder)
    assert (status.state, status.step, status.error) == (RunState.DONE, STEPS, None)
    assert status.adapter_sha256 == undisturbed.adapter_sha256
    assert sorted(by_step(read_metrics(folder))) == list(range(1, STEPS + 1))


def test_that_a_killed_run_comes_to_the_same_weights(scene: Scene, tmp_path: Path, undisturbed: Status) -> None:
    folder = scene.begun(tmp_path / "run", **WHERE)
    draw = random.Random()
    at, delay = draw.randint(1, STEPS - 8), draw.random() * 0.2
    broken = supervise(folder, show=killing(folder, at, delay))
    print(f"killed at step {broken.step} (wanted {at}, {delay:.2f} s after it)")
    assert broken.state is RunState.FAILED
    assert "ended by SIGKILL" in (broken.error or "")
    assert supervise(folder).state is RunState.DONE
    same_as(undisturbed, folder)
    assert supervise(folder).adapter_sha256 == undisturbed.adapter_sha256, "what is done is not done again"
    assert len(list(folder.glob("attempt-*.jsonl"))) == 2


def command(*arguments: str | Path) -> "subprocess.Popen[str]":
    line = [sys.executable, "-m", "parley", "train", *map(str, arguments), "--no-database"]
    environment = os.environ | {"PARLEY_TRAINING_THREADS": "1", "COLUMNS": "300"}
    return subprocess.Popen(line, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_that_ctrl_c_ends_a_step_and_resume_goes_on(scene: Scene, tmp_path: Path, undisturbed: Status) -> None:
    settings = {**SMALL, "steps": STEPS, "save_every": 3}
    folder = tmp_path / "run"
    running = command(
        "repo", "--snapshot", scene.snapshot, "--reward-model", scene.reward_model, "--base", scene.base, "--seed", "4", "--out", folder,
        *(part for name, value in settings.items() for part in ("--set", f"{name}={value}")),
    )  # fmt: skip
    wait_for(lambda: running.poll() is not None or (folder.is_dir() and Status.read(folder).step >= 1))
    running.send_signal(signal.SIGINT)
    said, _ = running.communicate(timeout=120)
    assert running.returncode == 3, said
    assert "Stopping at the end of this step" in said
    stopped = Status.read(folder)
    assert stopped.state is RunState.STOPPED
    assert 1 <= stopped.step < STEPS
    assert (folder / "checkpoints" / f"checkpoint-{2 * stopped.step}" / "READY").exists(), "two updates a step"
    resumed = command("--resume", folder)
    said, _ = resumed.communicate(timeout=240)
    assert resumed.returncode == 0, said
    assert f"Done after {STEPS} steps" in said
    status = Status.read(folder)
    assert status.adapter_sha256 is not None
    assert status.adapter_sha256 in said
    # It measured on held-out contexts as well, and that changed nothing in what was learned.
    assert plan_of(folder).held_out > 0
    assert [record["loss"] for record in read_metrics(folder) if "loss" in record] == [
        record["loss"] for record in read_metrics(Path(undisturbed.adapter or "").parent) if "loss" in record
    ]


def test_that_an_orphan_stops_and_another_supervisor_goes_on(scene: Scene, tmp_path: Path, undisturbed: Status) -> None:
    folder = scene.begun(tmp_path / "run", **WHERE)
    first = command("--resume", folder)
    wait_for(lambda: first.poll() is not None or Status.read(folder).step >= 1)
    first.kill()
    first.wait()
    assert first.stdout is not None
    first.stdout.close()
    assert Status.read(folder).state is RunState.RUNNING, "nobody was there to say otherwise"
    assert supervise(folder).state is RunState.DONE
    same_as(undisturbed, folder)
    assert not is_trained(folder)


def test_that_the_database_tells_the_same_story(scene: Scene, tmp_path: Path, sessions: SessionFactory, undisturbed: Status) -> None:
    folder = scene.begun(tmp_path / "run", **WHERE)
    plan = plan_of(folder)

    def ask(status: Status) -> None:
        if status.step >= 2:
            with sessions.begin() as session:
                training_runs.ask_to_stop(session, plan.id)

    stopped = supervise(folder, sessions=sessions, show=ask)
    with sessions() as session:
        row = training_runs.get(session, plan.id)
        assert (row.state, row.step, row.steps, row.lease_owner, row.fencing_token) == (RunState.STOPPED, stopped.step, STEPS, None, 1)
        assert [metric.step for metric in training_runs.metrics(session, plan.id)] == list(range(1, stopped.step + 1))
    assert supervise(folder, sessions=sessions).state is RunState.DONE
    same_as(undisturbed, folder)
    with sessions() as session:
        row = training_runs.get(session, plan.id)
        assert (row.state, row.adapter_sha256, row.fencing_token) == (RunState.DONE, undisturbed.adapter_sha256, 2)
        assert (row.seed, row.config["settings"]["critic_epochs"]) == (4, 4)
        assert (row.snapshot_sha256, row.spec_digest) == (plan.snapshot_sha256, plan.reward_spec.digest)
        assert row.heartbeat_at is not None
        told = {metric.step: metric.values for metric in training_runs.metrics(session, plan.id)}
    assert told == by_step(read_metrics(folder))


def test_that_who_lost_the_lease_ends_the_training(scene: Scene, tmp_path: Path, sessions: SessionFactory) -> None:
    folder = scene.begun(tmp_path / "run", **WHERE)
    plan = plan_of(folder)

    def take(status: Status) -> None:
        if status.step >= 1:
            with sessions.begin() as session:
                held = training_runs.get(session, plan.id)
                if held.fencing_token == 1:
                    training_runs.claim(session, plan.id, owner="elsewhere:1", lasting=timedelta(minutes=1), dead_owner=held.lease_owner)

    with pytest.raises(LeaseLost):
        supervise(folder, sessions=sessions, show=take)
    wait_for(lambda: not is_trained(folder))
    with sessions() as session:
        assert training_runs.get(session, plan.id).lease_owner == "elsewhere:1"


def test_that_a_run_without_a_database_is_recorded_later(scene: Scene, sessions: SessionFactory, undisturbed: Status) -> None:
    folder = Path(undisturbed.adapter or "").parent
    for _ in range(2):
        assert supervise(folder, sessions=sessions) == undisturbed
    with sessions() as session:
        row = training_runs.get(session, plan_of(folder).id)
        assert (row.state, row.adapter_sha256) == (RunState.DONE, undisturbed.adapter_sha256)
        assert len(training_runs.metrics(session, row.id)) == STEPS
