"""One call at the start of a process: log lines, traces, and metrics on a port of its own where it has no web pages."""

from agent.telemetry.logs import configure_logs
from agent.telemetry.metrics import serve_metrics
from agent.telemetry.settings import TelemetrySettings
from agent.telemetry.tracing import start_tracing
from db.errors import ParleyError


class MetricsPortTaken(ParleyError):
    """The port for metrics cannot be listened on."""


def start_telemetry(service: str, *, metrics_port: int | None = None, settings: TelemetrySettings | None = None) -> None:
    """Begin to tell, as the settings say. ``service`` names the process (``parley-worker``); ``metrics_port`` None: no metrics of its own.

    Raises:
        MetricsPortTaken: somebody else listens there, or the address is not this machine's.
    """
    chosen = settings or TelemetrySettings()
    configure_logs(chosen)
    start_tracing(service, settings=chosen)
    if metrics_port is None:
        return
    try:
        serve_metrics(metrics_port, host=chosen.metrics_host)
    except OSError as error:
        raise MetricsPortTaken(
            f"Metrics of {service} cannot be shown on {chosen.metrics_host}:{metrics_port}: {error.strerror}. "
            "Choose another port, or unset it."
        ) from error
