"""Starts a worker or the beat: ``python -m training.jobs.worker [--queues control,train]``, ``python -m training.jobs.worker --beat``.

Decided here: threads and no pool of processes, since what takes long is a process of its own anyway, and a worker that is told to stop must
be able to tell the work; a beat without a file, since it only ever knows the next minute; and on RabbitMQ a name of its own for each start,
since a queue of replies that a dead worker has left cannot be taken over.
"""

import argparse
import os
import socket
import sys

from agent.telemetry import start_telemetry
from training.jobs.app import CONTROL, TRAIN, app
from training.jobs.settings import JobSettings
from training.jobs.tasks import sessions
from training.telemetry import start_worker_telemetry


def main() -> None:
    """Run until told to stop."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--beat", action="store_true", help="send the tick each minute; one beat is enough, several do no harm")
    parser.add_argument("--queues", default=f"{CONTROL},{TRAIN}", help="queues to work on, with commas between")
    arguments = parser.parse_args()
    if not app.conf.broker_url:
        sys.exit("PARLEY_BROKER_URL names no broker: set it, or start the whole instance with `parley up`.")
    if arguments.beat:
        start_telemetry("parley-beat")
        app.start(["beat", "--scheduler", "celery.beat:Scheduler", "--loglevel", "WARNING", "--pidfile="])
        return
    start_worker_telemetry("parley-worker", sessions)
    name = f"worker-{os.getpid()}" if str(app.conf.broker_url).startswith("amqp") else "worker"
    command = ["worker", "--queues", arguments.queues, "--pool", "threads", "--concurrency", str(JobSettings().jobs_at_once + 1)]
    app.worker_main(
        [*command, "--hostname", f"{name}@{socket.gethostname()}", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    )


if __name__ == "__main__":
    main()
