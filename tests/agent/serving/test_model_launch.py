"""The launcher turns settings into vLLM's flags and says what is missing."""

import subprocess
import sys
from pathlib import Path

import pytest

from agent.serving.server import NoModel, arguments, check_model, environment
from agent.serving.settings import ServingSettings


def test_that_the_admin_routes_stay_on_loopback_on_every_build() -> None:
    for cpu in (True, False):
        flags = arguments(ServingSettings(), cpu=cpu)
        assert flags[flags.index("--host") + 1] == "127.0.0.1"
        assert flags[flags.index("--max-lora-rank") + 1] == "8"


def test_that_the_cpu_shape_is_not_forced_on_a_gpu() -> None:
    assert "--enforce-eager" in arguments(ServingSettings(), cpu=True)
    assert "--enforce-eager" not in arguments(ServingSettings(), cpu=False)
    assert "OMP_NUM_THREADS" not in environment(ServingSettings(), cpu=False)


def test_that_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PARLEY_MODEL_PATH", str(tmp_path))
    monkeypatch.setenv("PARLEY_MODEL_PORT", "8123")
    flags = arguments(ServingSettings(), cpu=True)
    assert flags[flags.index("--model") + 1] == str(tmp_path)
    assert flags[flags.index("--port") + 1] == "8123"


def test_that_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoModel, match=str(tmp_path)):
        check_model(ServingSettings(model_path=tmp_path))


def test_that_the_program_ends_with_a_sentence_where_there_is_no_model(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agent.serving.server"],
        env={"PARLEY_MODEL_PATH": str(tmp_path)},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "PARLEY_MODEL_PATH" in done.stderr
    assert "Traceback" not in done.stderr
