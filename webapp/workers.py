"""The web process's way to the workers: who is there, what waits for them, and a nudge. Postgres stays the truth about what is worked on.

Decided here: patience. A page waits a second for workers to answer; a broker that is away is told as a sentence and never stops a page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import structlog
from kombu.exceptions import OperationalError

from db.errors import ParleyError
from training.jobs.app import CONTROL, TICK_S, TRAIN, app

_PATIENCE_S = 1.0
_AWAY = (OperationalError, OSError)
_log = structlog.get_logger("parley.web")


class BrokerAway(ParleyError):
    """The broker cannot be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One worker that answers."""

    name: str
    queues: tuple[str, ...]
    busy: int
    """Tasks that it is at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """Who answers, and what waits."""

    workers: tuple[Worker, ...]
    waiting: dict[str, int]
    """Messages by queue."""


def look() -> Workers:
    """Ask all workers and the broker; takes about a second or two.

    Raises:
        BrokerAway: none is named, or it does not answer.
    """
    if not app.conf.broker_url:
        raise BrokerAway(
            "No broker is named for this process, so nobody can be asked: “parley up” names its own, PARLEY_BROKER_URL another."
        )
    try:
        with app.connection_for_read() as connection:
            connection.ensure_connection(max_retries=1, timeout=_PATIENCE_S)
            waiting = {name: _waiting(connection, name) for name in (CONTROL, TRAIN)}
        asked = app.control.inspect(timeout=_PATIENCE_S)
        queues = cast(dict[str, list[dict[str, Any]]], asked.active_queues() or {})
        active = cast(dict[str, list[Any]], asked.active() or {}) if queues else {}
    except _AWAY as error:
        raise BrokerAway(
            f"The broker does not answer ({error}). Retrains go on in their workers; new ones wait until it is back."
        ) from error
    return Workers(
        workers=tuple(
            Worker(name=name, queues=tuple(queue["name"] for queue in held), busy=len(active.get(name, [])))
            for name, held in sorted(queues.items())
        ),
        waiting=waiting,
    )


def wake(retrain_ids: Sequence[UUID]) -> None:
    """Ask a worker to take these now, where there is a broker; else the next tick asks."""
    if not app.conf.broker_url:
        return
    try:
        for retrain_id in retrain_ids:
            app.send_task("parley.work", args=[str(retrain_id)], expires=TICK_S, retry=False)
    except _AWAY as error:
        _log.warning("the broker is away; the next tick asks", error=str(error))


def _waiting(connection: Any, queue: str) -> int:
    """Messages in a queue; 0 where nobody has made it yet."""
    channel = connection.channel()
    try:
        return int(channel.queue_declare(queue, passive=True).message_count)
    except connection.channel_errors:
        return 0
