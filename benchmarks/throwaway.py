"""A Parley of a benchmark's own: database and model server in a temporary folder, gone afterwards. Nothing of a person's is touched."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from agent.serving.swap import ModelServer
from db.embedded import embedded_postgres, free_port
from db.migrate import upgrade


@dataclass(frozen=True, slots=True, kw_only=True)
class Throwaway:
    """Where the benchmark's own services are."""

    database_url: str
    model_url: str
    folder: Path


@contextmanager
def throwaway(*, model: bool = True) -> Generator[Throwaway]:
    """Start a migrated embedded PostgreSQL and, with ``model``, vLLM with the starter model; stop both at the end."""
    with tempfile.TemporaryDirectory(prefix="parley-benchmark-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the database server may have to run as nobody
        with embedded_postgres(folder / "postgres") as postgres:
            url = postgres.create_database("parley")
            upgrade(url)
            if not model:
                yield Throwaway(database_url=url, model_url="", folder=folder)
                return
            with model_server(folder) as model_url:
                yield Throwaway(database_url=url, model_url=model_url, folder=folder)


@contextmanager
def model_server(folder: Path) -> Generator[str]:
    """vLLM with the starter model on a free port; its address."""
    port = free_port()
    environment = os.environ | {"PARLEY_MODEL_PORT": str(port)}
    with (folder / "model.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "agent.serving.server"], env=environment, stdout=log, stderr=log, start_new_session=True
        )
    client = ModelServer(f"http://127.0.0.1:{port}")
    try:
        client.wait_ready(alive=lambda: process.poll() is None)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        client.close()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
