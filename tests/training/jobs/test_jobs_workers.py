"""Two real workers on a real broker: each retrain is worked on once, and what a killed worker held is taken over by the other.

On the embedded Redis always; on the RabbitMQ and the Redis that PARLEY_TEST_RABBITMQ and PARLEY_TEST_REDIS name with the PostgreSQL of
PARLEY_TEST_POSTGRES.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from db.engine import SessionFactory, create_engine_from, session_factory
from db.migrate import upgrade
from db.vocabulary import RetrainState
from tests.training.jobs.job_scenes import TOY, already_trained, asked, row_of, settings_in
from tests.training.jobs.quick_step import NOTES
from training.jobs.app import CONTROL, TICK, TICK_S, create_app
from training.jobs.settings import JobSettings

ROOT = Path(__file__).parents[3]
PATIENCE_S = 240.0
ONCE = [f"{step} {what}" for step in ("snapshot", "reward_model", "evaluate") for what in ("begins", "ends")]
pytestmark = pytest.mark.timeout(900)


def until(true: Callable[[], bool], workers: "list[subprocess.Popen[bytes]]") -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        assert any(worker.poll() is None for worker in workers), "no worker is left"
        time.sleep(0.1)


@contextmanager
def two_workers(database_url: str, broker_url: str, folder: Path) -> "Generator[list[subprocess.Popen[bytes]]]":
    environment = os.environ | {
        "PARLEY_DATABASE_URL": database_url,
        "PARLEY_BROKER_URL": broker_url,
        "PARLEY_HOME": str(folder),
        "PARLEY_MODEL_URL": "http://127.0.0.1:9/v1",
        "QUICK_S": "1",
    }
    with (folder / "workers.log").open("wb") as log:
        command = [sys.executable, "-W", "ignore", "-m", "tests.training.jobs.quick_worker"]
        workers = [subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log) for _ in range(2)]
        try:
            yield workers
        finally:
            for worker in workers:
                worker.terminate()
            for worker in workers:
                worker.wait(timeout=60)


def take_their_turns(database_url: str, broker_url: str, folder: Path) -> None:
    engine = create_engine_from(database_url)
    sessions, settings = session_factory(engine), settings_in(folder)
    app = create_app(JobSettings(broker_url=broker_url))
    try:
        with two_workers(database_url, broker_url, folder) as workers:
            live = TOY.model_copy(update={"canary_share": 0.0})
            both = [asked(sessions, settings, live.model_copy(update={"line": line})) for line in ("one", "two")]
            for retrain_id in both:
                already_trained(settings, retrain_id)

            def all_live() -> bool:
                return all(row_of(sessions, retrain_id).state is RetrainState.LIVE for retrain_id in both)

            def ticked(true: Callable[[], bool]) -> Callable[[], bool]:
                def look() -> bool:
                    app.send_task(TICK, queue=CONTROL, expires=TICK_S)
                    time.sleep(1)
                    return true()

                return look

            until(ticked(all_live), workers)
            for retrain_id in both:
                assert (settings.folder() / str(retrain_id) / NOTES).read_text().splitlines() == ONCE
                assert row_of(sessions, retrain_id).fencing_token == 1

            third = asked(sessions, settings, live)
            notes = already_trained(settings, third) / NOTES
            until(ticked(notes.is_file), workers)
            holder = _holder(sessions, third, workers)
            holder.send_signal(signal.SIGKILL)
            until(ticked(lambda: row_of(sessions, third).state is RetrainState.LIVE), workers)
            assert row_of(sessions, third).fencing_token == 2
            assert notes.read_text().splitlines()[-1] == "evaluate ends"
            survivor = next(worker for worker in workers if worker is not holder)
            assert not [one for one in psutil.Process(survivor.pid).memory_maps() if "libtorch" in one.path], "a worker loads no torch"
    except AssertionError as error:
        raise AssertionError(f"{error}\n{(folder / 'workers.log').read_text()[-6000:]}") from error
    finally:
        app.close()
        engine.dispose()


def _holder(sessions: SessionFactory, retrain_id: object, workers: "list[subprocess.Popen[bytes]]") -> "subprocess.Popen[bytes]":
    owner = str(row_of(sessions, retrain_id).lease_owner)  # pyright: ignore[reportArgumentType]
    return next(worker for worker in workers if f":{worker.pid}:" in owner)


def test_that_two_workers_on_the_embedded_redis_share_what_is_to_be_done(database_url: str, redis_url: str, tmp_path: Path) -> None:
    take_their_turns(database_url, redis_url, tmp_path)


@pytest.mark.production
@pytest.mark.parametrize("variable", ["PARLEY_TEST_RABBITMQ", "PARLEY_TEST_REDIS"])
def test_that_two_workers_on_a_production_broker_share_what_is_to_be_done(
    production_postgres_url: str, tmp_path: Path, variable: str
) -> None:
    broker_url = os.environ.get(variable)
    if broker_url is None:
        pytest.skip(f"{variable} names no server")
    upgrade(production_postgres_url)
    take_their_turns(production_postgres_url, broker_url, tmp_path)
