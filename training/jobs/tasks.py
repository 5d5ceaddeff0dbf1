"""The two tasks: a tick, and the wish that one retrain be worked on. Both may come twice, late, or not at all.

Decided here: that a worker works on no more retrains at once than it is set to; what it has no room for is found again by the next tick.
"""

import threading
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from celery.signals import worker_ready, worker_shutting_down

from agent.settings import AgentSettings
from db.engine import SessionFactory, create_engine_from, session_factory
from db.errors import ParleyError
from db.settings import DatabaseSettings
from training.jobs.app import CONTROL, TICK, TICK_S, TRAIN, WORK, app
from training.jobs.settings import JobSettings

if TYPE_CHECKING:
    from training.jobs.outlet import FleetOutlet

_shutdown = threading.Event()
_room = threading.BoundedSemaphore(JobSettings().jobs_at_once)
_made = threading.Lock()
_sessions: SessionFactory | None = None
_log = structlog.get_logger(__name__)


class NoDatabase(ParleyError):
    """A worker was started without the address of a database."""


@app.task(name=TICK)  # pyright: ignore[reportUntypedFunctionDecorator]
def tick() -> None:
    """Look after schedules, orphans, canaries and old files, and ask for what is to be worked on."""
    # Imported here, as below: a beat sends it and needs none of it, and a worker is ready before it has loaded everything.
    from training.jobs.tick import tick as tick_once

    for retrain_id in tick_once(sessions(), _outlet()):
        wake(retrain_id)


@app.task(name=WORK, acks_late=False)  # pyright: ignore[reportUntypedFunctionDecorator]
def work(retrain_id: str) -> None:
    """Work on a retrain, unless somebody does."""
    from training.jobs.work import work as work_on

    if not _room.acquire(blocking=False):
        _log.info("retrain.no_room", retrain=retrain_id)
        return
    try:
        work_on(sessions(), UUID(retrain_id), outlet=_outlet(), shutdown=_shutdown)
    finally:
        _room.release()


def wake(retrain_id: UUID) -> None:
    """Ask a worker to take the retrain now, where there is a broker; else the next tick asks."""
    if app.conf.broker_url:
        app.send_task(WORK, args=[str(retrain_id)], queue=TRAIN, expires=TICK_S, retry=False)


def sessions() -> SessionFactory:
    """On the database of the settings, made once. Raises NoDatabase."""
    global _sessions
    with _made:
        if _sessions is None:
            url = DatabaseSettings().database_url
            if url is None:
                raise NoDatabase("A worker needs PARLEY_DATABASE_URL: set it, or start the whole instance with `parley up`.")
            _sessions = session_factory(create_engine_from(url, application_name="parley-worker"))
        return _sessions


def _outlet() -> "FleetOutlet":
    from training.jobs.outlet import FleetOutlet

    return FleetOutlet(sessions=sessions(), model_url=AgentSettings().model_url)


@worker_ready.connect
def _look_at_once(**_: object) -> None:
    """A worker that was killed and is started again goes on without waiting for the minute."""
    app.send_task(TICK, queue=CONTROL, expires=TICK_S)


@worker_shutting_down.connect
def _hand_back(**_: object) -> None:
    """What is being worked on goes back to the queue."""
    _shutdown.set()
