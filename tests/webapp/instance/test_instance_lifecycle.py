"""`parley up` as a person and an accident meet it: starts, is found again, heals, and leaves nothing behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from webapp.instance import orphans
from webapp.instance.plan import ROOT
from webapp.instance.record import Home, Record

pytestmark = [pytest.mark.model, pytest.mark.timeout(600)]

_PATIENCE_S = 240.0


@dataclass(frozen=True)
class Parley:
    """The command line on a data folder of its own, beside the session's model server."""

    home: Home
    environment: Mapping[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "parley", *arguments],
            cwd=ROOT,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_S,
        )

    def record(self) -> Record:
        record = self.home.read()
        assert record is not None
        return record

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.record().web_url}/_stcore/health", trust_env=False).is_success
        except httpx.TransportError:
            return False

    def all_well(self) -> bool:
        return self.run("status").returncode == 0


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.2)


def nothing_left(home: Home) -> bool:
    databases = [process for process in psutil.process_iter(["name", "cwd"]) if process.info["name"] == "postgres"]
    ours = [process for process in databases if str(process.info["cwd"]).startswith(str(home.path))]
    return not orphans.find(home.marker) and not ours


@pytest.fixture
def parley(model_server: str, tmp_path: Path) -> Iterator[Parley]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PARLEY_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    environment |= {"PARLEY_HOME": str(tmp_path / "home"), "PARLEY_MODEL_URL": model_server, "COLUMNS": "200"}
    instance = Parley(Home(tmp_path / "home"), environment)
    yield instance
    instance.run("down")
    until(lambda: nothing_left(instance.home))


def test_that_an_instance_starts_is_found_heals_and_stops(parley: Parley) -> None:
    assert parley.run("status").returncode == 3
    assert parley.run("down").returncode == 0

    first = parley.run("up", "--detach")
    assert first.returncode == 0, first.stdout + first.stderr
    address = re.search(r"Parley is at (http://127\.0\.0\.1:\d+)", first.stdout)
    assert address is not None
    password = re.search(r"password +(\S+)", first.stdout)
    assert password is not None
    assert parley.answers()
    until(parley.all_well)

    # Found again, and the first login is neither shown nor kept in clear a second time.
    again = parley.run("up")
    assert again.returncode == 0
    assert f"already runs at {address.group(1)}" in again.stdout
    assert password.group(1) not in again.stdout
    for path in parley.home.path.rglob("*"):
        if path.is_file():
            assert password.group(1).encode() not in path.read_bytes(), path

    # What dies comes back.
    until(lambda: {"worker", "beat"} <= parley.record().pids.keys())
    before = dict(parley.record().pids)
    killed = ("web", "postgres", "redis", "worker", "beat")
    for name in killed:
        os.kill(before[name], signal.SIGKILL)
    until(lambda: all(parley.record().pids.get(name) not in (None, before[name]) for name in killed))
    until(parley.all_well)

    # Killed without a chance to clean up: everything goes with it, and the next start is clean.
    os.kill(parley.record().pid, signal.SIGKILL)
    until(lambda: nothing_left(parley.home))
    second = parley.run("up", "--detach")
    assert second.returncode == 0, second.stdout + second.stderr
    assert "first login" not in second.stdout
    with psycopg.connect(parley.record().database_url) as connection:
        assert connection.execute("SELECT count(*) FROM ticket").fetchone() == (12,)

    assert parley.run("down").returncode == 0
    until(lambda: nothing_left(parley.home))
    assert parley.run("status").returncode == 3


@pytest.mark.parametrize("order", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_that_ending_the_command_ends_everything(parley: Parley, order: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "parley", "up"],
        cwd=ROOT,
        env=dict(parley.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as up:
        assert up.stdout is not None
        said = ""
        for line in up.stdout:
            said += line
            if "Ctrl-C stops it" in line:
                break
        assert "Ctrl-C stops it" in said, said
        up.send_signal(order)
        rest = up.stdout.read()
        if order != signal.SIGKILL:
            assert up.wait() == 0
            assert "nothing is left running" in rest
    until(lambda: nothing_left(parley.home))


def test_that_a_taken_port_and_a_wrong_database_end_in_a_sentence(parley: Parley) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = parley.run("up", "--port", str(port))
    assert refused.returncode == 1
    assert f"Port {port} is in use" in refused.stderr
    assert "PARLEY_WEB_PORT" in refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr

    elsewhere = Parley(parley.home, {**parley.environment, "PARLEY_DATABASE_URL": "postgresql://nobody:secret@127.0.0.1:1/none"})
    unreachable = elsewhere.run("up")
    assert unreachable.returncode == 1
    assert "127.0.0.1:1" in unreachable.stderr
    assert "secret" not in unreachable.stdout + unreachable.stderr
    assert "Traceback" not in unreachable.stdout + unreachable.stderr


def test_that_a_command_gets_a_database_of_the_instance_that_does_not_run(parley: Parley) -> None:
    template = parley.run("tickets", "template")
    file = parley.home.path.parent / "tickets.csv"
    file.write_text(template.stdout)
    done = parley.run("tickets", "import", str(file), "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
    until(lambda: nothing_left(parley.home))
