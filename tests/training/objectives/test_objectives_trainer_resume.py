"""A run that was cut off, however, ends where one that never was would have ended: the same bytes of adapter."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.objectives.learning import SMALL, contexts, task, tiny
from training.objectives.catalogue import settings_of, train
from training.objectives.metrics import MetricsLog
from training.objectives.running import READY, STOP, last_checkpoint

RUN: dict[str, Any] = {
    **SMALL, "steps": 6, "save_every": 3, "held_out_every": 2, "beta": 0.5, "kl_target": 1e-7, "renewed": 0.5, "renew_every": 2,
}  # fmt: skip
_SCRIPT = """
import sys
from pathlib import Path
import torch
from tests.training.objectives.learning import contexts, task
from tests.training.objectives.test_objectives_trainer_resume import RUN
from training.objectives.catalogue import settings_of, train
torch.set_num_threads(1)
folder, base = map(Path, sys.argv[1:3])
print(train("repo", task(folder, base=base, held_out=contexts(2, 71_000)), settings_of("repo", RUN), resume=True).digest)
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train("grpo", task(tmp_path_factory.mktemp("before"), base=base), settings_of("grpo", {**SMALL, "steps": 1})).adapter


def steps(folder: Path) -> list[int]:
    return [record["step"] for record in MetricsLog(folder).read() if "loss" in record]


def started(folder: Path, base: Path) -> "subprocess.Popen[str]":
    root = Path(__file__).parents[3]
    return subprocess.Popen([sys.executable, "-c", _SCRIPT, str(folder), str(base)], cwd=root, stdout=subprocess.PIPE, text=True)


def test_a_run_that_was_killed_at_a_random_step_gives_the_same_adapter_when_it_is_resumed(base: Path, tmp_path: Path) -> None:
    whole = train("repo", task(tmp_path / "whole", base=base, held_out=contexts(2, 71_000)), settings_of("repo", RUN))
    cut = tmp_path / "cut"
    wanted = random.randrange(4, 6)
    first = started(cut, base)
    while wanted not in steps(cut):
        assert first.poll() is None, "it ended before it could be killed"
        time.sleep(0.02)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    assert not (cut / "adapter").exists()
    said, _ = started(cut, base).communicate(timeout=240)
    assert said.split()[-1] == whole.digest
    assert steps(cut) == steps(tmp_path / "whole") == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("name", "continued"), [("repo", True), ("grpo", False), ("sft", True), ("dpo", True)])
def test_a_run_that_was_stopped_gives_the_same_adapter_when_it_is_resumed(
    name: str, continued: bool, base: Path, adapter: Path, tmp_path: Path
) -> None:
    values = {**RUN, "steps": 4} if name in ("repo", "grpo") else {"steps": 4, "batch": 2, "save_every": 2, "learning_rate": 1e-2}
    settings = settings_of(name, values)
    begin = adapter if continued else None
    whole = train(name, task(tmp_path / "whole", base=base, adapter=begin), settings)
    cut = tmp_path / "cut"
    cut.mkdir()
    (cut / STOP).touch()
    assert not train(name, task(cut, base=base, adapter=begin), settings).finished
    (cut / STOP).unlink()
    outcome = train(name, task(cut, base=base, adapter=begin), settings, resume=True)
    assert outcome.finished
    assert outcome.digest == whole.digest
    assert steps(cut) == [1, 2, 3, 4]


def test_a_checkpoint_that_was_cut_off_does_not_count(tmp_path: Path) -> None:
    for step, whole in ((2, True), (10, True), (12, False)):
        folder = tmp_path / "checkpoints" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        if whole:
            (folder / READY).touch()
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoints" / "checkpoint-10"
    assert not (tmp_path / "checkpoints" / "checkpoint-12").exists()


def test_without_a_checkpoint_there_is_none(tmp_path: Path) -> None:
    assert last_checkpoint(tmp_path) is None


def test_the_log_forgets_what_will_be_told_again_and_a_line_that_was_cut_off(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path)
    for step in range(4):
        log.write(step, {"loss": float("nan") if step == 1 else step / 2})
    with log.path.open("a") as out:
        out.write('{"step": 4, "lo')
    log.forget_after(2)
    assert log.read() == [{"step": 0, "loss": 0.0}, {"step": 1, "loss": None}, {"step": 2, "loss": 1.0}]
