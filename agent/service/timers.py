"""The clock of the service: hotels that have been silent for too long are reminded, for as long as the process lives."""

import threading

import structlog

from agent.service.negotiations import Negotiations
from db.errors import ParleyError

log = structlog.get_logger(__name__)


def follow_up_forever(negotiations: Negotiations, *, every_s: float, once: bool = False, stop: threading.Event | None = None) -> None:
    """Look every ``every_s`` seconds until ``stop`` is set. What fails (the model is away, say) is logged and due again the next time."""
    stop = stop or threading.Event()
    while True:
        try:
            due = negotiations.follow_up_due()
            if due:
                log.info("follow_up.sent", conversations=due)
        except ParleyError as error:
            log.warning("follow_up.failed", reason=str(error))
        if once or stop.wait(every_s):
            return
