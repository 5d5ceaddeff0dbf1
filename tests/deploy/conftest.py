"""What the files in ``deploy`` are checked against: the settings and the commands that really exist."""

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings
from typer.main import get_command
from typer.testing import CliRunner

import parley
from agent.serving.settings import ServingSettings
from agent.settings import AgentSettings
from agent.telemetry import TelemetrySettings
from db.settings import DatabaseSettings
from training.jobs.settings import JobSettings
from training.release.settings import ReleaseSettings
from training.settings import TrainingSettings
from webapp.instance.settings import InstanceSettings
from webapp.settings import WebSettings

ROOT = Path(__file__).resolve().parents[2]
_CLASSES: tuple[type[BaseSettings], ...] = (
    AgentSettings,
    DatabaseSettings,
    InstanceSettings,
    JobSettings,
    ReleaseSettings,
    ServingSettings,
    TelemetrySettings,
    TrainingSettings,
    WebSettings,
)


@pytest.fixture(scope="session")
def settings() -> frozenset[str]:
    """Every variable that Parley reads."""
    return frozenset(f"{kind.model_config.get('env_prefix')}{field}".upper() for kind in _CLASSES for field in kind.model_fields)


@pytest.fixture(scope="session")
def assert_command() -> Callable[[Sequence[str]], None]:
    """Fails for a command line that would not start in a container."""
    subcommands = getattr(get_command(parley.app), "commands")  # noqa: B009 - typed as a plain command

    def check(command: Sequence[str]) -> None:
        if command[0] == "parley":
            assert command[1] in subcommands, command
            assert CliRunner().invoke(parley.app, [command[1], "--help"]).exit_code == 0
            return
        assert command[:2] == ["python", "-m"], command
        found = importlib.util.find_spec(command[2])
        assert found is not None, command
        assert found.origin is not None
        source = Path(found.origin).read_text(encoding="utf-8")
        assert '__name__ == "__main__"' in source, f"{command[2]} is no program"
        for option in command[3:]:
            if option.startswith("--"):
                assert f'"{option}"' in source or f"    {option.removeprefix('--')}: Annotated" in source, (command, option)

    return check
