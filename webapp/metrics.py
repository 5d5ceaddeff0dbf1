"""``/metrics`` of the web process, for Prometheus.

Decided here: who may read it. With ``PARLEY_METRICS_TOKEN``, whoever sends it as a bearer token, from anywhere. Without, only a process on
this machine that comes straight to us: a request that a proxy has forwarded is not one, whatever address it comes from. To others the page
is not there at all.
"""

import hmac
from collections.abc import Callable, Iterator
from ipaddress import ip_address

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from agent.telemetry import TelemetrySettings
from agent.telemetry.metrics import REGISTRY
from db.engine import SessionFactory
from db.errors import ParleyError
from db.repositories import gauges

PATH = "/metrics"
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


class ConversationCollector(Collector):
    """Open conversations by the version that speaks in them, read from the database whenever somebody looks."""

    def __init__(self, sessions: Callable[[], SessionFactory] | None) -> None:
        """``sessions`` None: the names of the gauges and no figures."""
        self._sessions = sessions

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What Prometheus asks for; a database that is away is told as a figure, and does not hide the rest of the page."""
        up = GaugeMetricFamily("parley_database_up", "1 where the database answers.")
        still_open = GaugeMetricFamily("parley_open_conversations", "Conversations that are open.", labels=["version"])
        if self._sessions is not None:
            try:
                with self._sessions()() as session:
                    for version, count in gauges.count_open_conversations_by_version(session).items():
                        still_open.add_metric([version], count)
                up.add_metric([], 1)
            except ParleyError:
                up.add_metric([], 0)
        yield up
        yield still_open


def metrics_route(sessions: Callable[[], SessionFactory], settings: TelemetrySettings | None = None) -> Route:
    """The route. ``sessions`` is asked at every look, so that the page is there before the database is."""
    token = (settings or TelemetrySettings()).metrics_token
    expected = None if token is None else token.get_secret_value().encode()
    conversations = CollectorRegistry()
    conversations.register(ConversationCollector(sessions))

    async def show(request: Request) -> Response:
        if not _may_read(request, expected):
            return PlainTextResponse("Not Found", status_code=404)
        return Response(await run_in_threadpool(_page, conversations), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return Route(PATH, show, methods=["GET"])


def _page(conversations: CollectorRegistry) -> bytes:
    return generate_latest(REGISTRY) + generate_latest(conversations)


def _may_read(request: Request, expected: bytes | None) -> bool:
    if expected is not None:
        scheme, _, sent = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(sent.strip().encode(), expected)
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        # A name, not an address.
        return False
