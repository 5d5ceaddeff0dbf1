"""What a running Parley says of itself: traces, metrics and log lines. Off, or on loopback only, until somebody asks for more.

Decided here: how each is switched on, and that none of them ever holds what people wrote or a limit of ours, unless texts are asked for by
name. Which moments are told of is decided where they happen: a module opens a ``span`` or counts on a metric of ``metrics``.
"""

from agent.telemetry.logs import configure_logs
from agent.telemetry.process import MetricsPortTaken, start_telemetry
from agent.telemetry.settings import LogFormat, TelemetrySettings
from agent.telemetry.tracing import Leaf, annotate, carried, in_one_context, leaf, span, start_tracing, traced

__all__ = [
    "Leaf",
    "LogFormat",
    "MetricsPortTaken",
    "TelemetrySettings",
    "annotate",
    "carried",
    "configure_logs",
    "in_one_context",
    "leaf",
    "span",
    "start_telemetry",
    "start_tracing",
    "traced",
]
