"""The Celery application: where the broker is, two queues, and a tick each minute.

Decided here: what is sent is small and may be lost. A tick is acknowledged once it is done, and nobody keeps one that is a minute old. A
wish to work is acknowledged when it is heard: work takes hours, RabbitMQ closes the channel of a consumer that keeps a message for half
an hour, and Redis hands it to a second one after its visibility timeout. The row's lease says who works, and the tick finds orphans.
"""

from celery import Celery
from kombu.entity import Exchange, Queue

from training.jobs.settings import JobSettings

CONTROL, TRAIN = "control", "train"
TICK, WORK = "parley.tick", "parley.work"
TICK_S = 60.0
_VISIBILITY_S = 300
"""A tick is over in seconds; what a killed worker had heard comes back after this."""
_RESTORE_S = 1.0


def create_app(settings: JobSettings | None = None) -> Celery:
    """An application on the broker that the settings name; on none, nothing can be sent."""
    url = (settings or JobSettings()).broker_url
    app = Celery("parley", broker=url, include=["training.jobs.tasks"])
    rabbit = url is not None and url.startswith(("amqp://", "amqps://", "pyamqp://"))
    arguments = {"x-queue-type": "quorum"} if rabbit else None
    app.conf.update(
        broker_connection_retry_on_startup=True,
        # Redis alone knows these: how long a message that nobody acknowledges stays away, and how often is looked for such.
        broker_transport_options={"confirm_publish": True}
        if rabbit
        else {"visibility_timeout": _VISIBILITY_S, "unacked_restore_throttle": _RESTORE_S, "socket_keepalive": True},
        result_backend=None,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_queues=[Queue(name, Exchange(name), routing_key=name, queue_arguments=arguments) for name in (CONTROL, TRAIN)],
        task_default_queue=CONTROL,
        task_default_exchange=CONTROL,
        task_default_routing_key=CONTROL,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_routes={WORK: {"queue": TRAIN}, TICK: {"queue": CONTROL}},
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_send_task_events=False,
        beat_schedule={"tick": {"task": TICK, "schedule": TICK_S, "options": {"expires": TICK_S, "queue": CONTROL}}},
        timezone="UTC",
    )
    return app


app = create_app()
