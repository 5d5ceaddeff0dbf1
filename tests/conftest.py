"""What every test may ask for: real services of its own, started once a session on free ports, stopped at its end.

``postgres_url`` · a server, ``database_url`` · an empty migrated database, ``engine``, ``sessions`` and ``session`` · on it,
``production_postgres_url`` · the same on the server that ``PARLEY_TEST_POSTGRES`` names, ``redis_url`` · a broker, ``model_server`` · vLLM
with the starter model, ``chromium_path`` · a browser, ``parley_data`` · the folder with the benchmark data.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
import redis
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from agent.serving.starter import MODEL_FOLDER
from agent.serving.swap import ModelServer, ModelServerUnavailable
from db.embedded import EmbeddedPostgres, embedded_postgres, free_port
from db.engine import SessionFactory, create_engine_from, session_factory
from tests import chromium, tiny_model
from webapp.instance import broker

ROOT = Path(__file__).resolve().parent.parent

# No test may fail because the machine is busy.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedPostgres]:
    """The session's PostgreSQL; without fsync, because nothing in it outlives the session."""
    with tempfile.TemporaryDirectory(prefix="parley-test-postgres-") as folder:
        # The server may have to run as nobody, who must be able to reach its folder; the secret in it has mode 600.
        Path(folder).chmod(0o755)
        with embedded_postgres(Path(folder), durable=False) as server:
            yield server


@pytest.fixture(scope="session")
def postgres_url(embedded: EmbeddedPostgres) -> str:
    """The session's server: its maintenance database, not migrated."""
    return embedded.url()


@pytest.fixture(scope="session")
def migrated_template(embedded: EmbeddedPostgres) -> str:
    """Name of a migrated database that tests clone instead of migrating again."""
    from db.migrate import upgrade

    upgrade(embedded.create_database("template_migrated"))
    return "template_migrated"


@pytest.fixture
def database_url(embedded: EmbeddedPostgres, migrated_template: str) -> Iterator[str]:
    """A migrated database without rows, of this test alone."""
    name = f"test_{uuid.uuid4().hex}"
    yield embedded.create_database(name, template=migrated_template)
    embedded.drop_database(name)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Connections to ``database_url``."""
    engine = create_engine_from(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> SessionFactory:
    """Sessions on ``database_url``."""
    return session_factory(engine)


@pytest.fixture
def session(sessions: SessionFactory) -> Iterator[Session]:
    """One transaction on ``database_url``, never committed."""
    with sessions() as session:
        yield session


@pytest.fixture
def empty_database_url(embedded: EmbeddedPostgres) -> Iterator[str]:
    """A database without any table, of this test alone."""
    name = f"test_{uuid.uuid4().hex}"
    yield embedded.create_database(name)
    embedded.drop_database(name)


@pytest.fixture
def production_postgres_url() -> Iterator[str]:
    """An empty database, of this test alone, on the server that PARLEY_TEST_POSTGRES names; a named server that is away is a failure."""
    server = os.environ.get("PARLEY_TEST_POSTGRES")
    if server is None:
        pytest.skip("PARLEY_TEST_POSTGRES names no server")
    name = f"parley_test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield server.rsplit("/", 1)[0] + f"/{name}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A broker of the session's own, as Celery writes its address (``redis+socket://…``)."""
    with tempfile.TemporaryDirectory(prefix="parley-test-redis-") as folder:
        socket = broker.socket_path(Path(folder))
        server = subprocess.Popen(broker.command(Path(folder), socket), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            with redis.Redis(unix_socket_path=str(socket)) as client:
                deadline = time.monotonic() + 10
                while not _pongs(client):
                    assert time.monotonic() < deadline, "redis-server did not answer within 10 s"
                    time.sleep(0.05)
            yield broker.broker_url(socket)
        finally:
            server.terminate()
            server.wait(timeout=10)


def _pongs(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


@pytest.fixture(scope="session")
def served_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model that ``model_server`` runs: the starter model, or a tiny random one in a checkout that has no weights yet."""
    if (MODEL_FOLDER / "config.json").exists():
        return MODEL_FOLDER
    return tiny_model.build(tmp_path_factory.mktemp("tiny-model"))


@pytest.fixture(scope="session")
def model_server(served_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address (``http://127.0.0.1:PORT/v1``) of a real vLLM of the session's own; adapters that a test loads, it unloads."""
    port = free_port()
    log_path = tmp_path_factory.mktemp("model-server") / "vllm.log"
    environment = os.environ | {"PARLEY_MODEL_PATH": str(served_model), "PARLEY_MODEL_PORT": str(port)}
    with log_path.open("wb") as log:
        # A session of its own: vLLM's engine is a second process, and both must be gone afterwards.
        process = subprocess.Popen(
            [sys.executable, "-m", "agent.serving.server"], cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        client = ModelServer(f"http://127.0.0.1:{port}")
        try:
            client.wait_ready(alive=lambda: process.poll() is None)
            yield f"http://127.0.0.1:{port}/v1"
        except ModelServerUnavailable as error:
            raise AssertionError(f"{error}\n{log_path.read_text()[-4000:]}") from error
        finally:
            client.close()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=20)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """An executable Chromium: the machine's, or the one that ``make test`` unpacks under ``.venv``."""
    return str(chromium.find())


@pytest.fixture(scope="session")
def parley_data() -> Path:
    """The folder with the benchmark data: PARLEY_DATA, else the one beside the repository; skips where there is none."""
    folder = Path(os.environ.get("PARLEY_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no benchmark data at {folder}; PARLEY_DATA names another folder")
    return folder
