"""The whole of a toy benchmark on the command line, killed with SIGKILL at a random point and begun again: the same figures."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from training.bench.page import PAGE
from training.bench.results import RESULTS
from training.bench.stages import READY

ROOT = Path(__file__).parents[3]
pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
"""Five processes that each import torch, and some of them twice."""
PATIENCE_S = 800
TIMES = ("seconds_a_reply", "cpu_seconds")


def bench(folder: Path, *more: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "parley", "bench", "--profile", "toy", "--arms", "base,repo", "--judge", "none"]
    line = [*command, "--out", str(folder / "bench"), "--set", "dialogues=1", *more]
    environment = os.environ | {"COLUMNS": "200"}
    return subprocess.Popen(line, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_times(one) for name, one in value.items() if name not in TIMES}  # pyright: ignore[reportUnknownVariableType]
    return [without_times(one) for one in value] if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType]


def found(folder: Path) -> Any:
    return without_times(json.loads((folder / "bench" / RESULTS).read_text()))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("bench")
    running = bench(folder)
    said, _ = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 0, said
    return folder, said


def test_that_a_toy_benchmark_prints_the_papers_table(undisturbed: tuple[Path, str]) -> None:
    folder, said = undisturbed
    assert "Simulated hotels and raters" in said
    assert "clean fix" in said
    assert "not met" in said or "met" in said
    document = found(folder)
    assert document["simulated"] is True
    assert [row["arm"] for row in document["rows"]] == ["base", "repo"]
    assert {goal["figure"]: goal["goal"] for goal in document["goals"]} == {
        "fix": 0.9333,
        "clean_fix": 0.7556,
        "excellent": 0.6667,
        "rating": 4.63,
    }
    assert document["wins"] == {}, "the rivals were not measured"
    page = (folder / "bench" / PAGE).read_text()
    assert "<svg" in page
    assert "http" not in page.replace("http-equiv", ""), "nothing is loaded from elsewhere"


def test_that_what_is_whole_is_not_done_again(undisturbed: tuple[Path, str]) -> None:
    folder, _ = undisturbed
    marks = {path: path.stat().st_mtime_ns for path in folder.rglob(READY)}
    before = found(folder)
    again = bench(folder)
    said, _ = again.communicate(timeout=PATIENCE_S)
    assert again.returncode == 0, said
    assert found(folder) == before
    assert {path: path.stat().st_mtime_ns for path in folder.rglob(READY)} == marks


def test_that_another_profile_in_the_folder_is_refused(undisturbed: tuple[Path, str]) -> None:
    folder, _ = undisturbed
    refused = bench(folder, "--set", "case_copies=2")
    said, _ = refused.communicate(timeout=PATIENCE_S)
    assert refused.returncode == 1
    assert "holds another benchmark (other case copies)" in " ".join(said.split())


def test_that_a_judge_that_is_down_is_told_before_any_time_is_spent(tmp_path: Path) -> None:
    refused = bench(tmp_path, "--judge", "http://127.0.0.1:9/v1")
    said, _ = refused.communicate(timeout=PATIENCE_S)
    assert refused.returncode == 1
    assert "No judgement from the judge" in " ".join(said.split())
    assert not list(tmp_path.rglob("log.txt"))


def test_that_a_killed_benchmark_goes_on_to_the_same_figures(tmp_path: Path, undisturbed: tuple[Path, str]) -> None:
    running = bench(tmp_path)
    draw = random.Random()
    kills = draw.randint(1, 4)
    deadline = time.monotonic() + PATIENCE_S
    while running.poll() is None and sum(1 for _ in tmp_path.rglob("log.txt")) < kills:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    delay = draw.random() * 6
    time.sleep(delay)
    print(f"killed {delay:.2f} s into stage {kills}")
    orphans = psutil.Process(running.pid).children() if running.poll() is None else []
    running.send_signal(signal.SIGKILL)
    running.communicate()
    resumed = bench(tmp_path)
    said, _ = resumed.communicate(timeout=PATIENCE_S)
    assert resumed.returncode == 0, said
    assert found(tmp_path) == found(undisturbed[0])
    assert not any(orphan.is_running() and orphan.status() != psutil.STATUS_ZOMBIE for orphan in orphans)
