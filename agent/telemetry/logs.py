"""Log lines for a file or a log store: one way to write them, for our own lines and for those of libraries.

Decided here: the two formats, that every line carries what is bound at its place (``conversation``, ``turn``, ``retrain``), and that a
traceback never shows the values of variables, which may be secret. Which events are told is decided where they happen.
"""

import logging
import sys
from typing import Any, cast

import structlog
from structlog.typing import Processor

from agent.telemetry.settings import LogFormat, TelemetrySettings


def configure_logs(settings: TelemetrySettings | None = None) -> None:
    """Write log lines as ``PARLEY_LOG_FORMAT`` says: text for people, or JSON with one object a line, libraries' lines included."""
    chosen = (settings or TelemetrySettings()).log_format
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    if chosen is LogFormat.TEXT:
        renderer: Processor = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    else:
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
        _take_over_the_libraries(shared, renderer)
    structlog.configure(processors=[*shared, renderer], logger_factory=_to_standard_error)


def _to_standard_error(*_: object) -> structlog.PrintLogger:
    """Asked for each line, so that one goes where standard error leads by then."""
    return structlog.PrintLogger(sys.stderr)


def _take_over_the_libraries(shared: list[Processor], renderer: Processor) -> None:
    """What comes by Python's own ``logging`` is written like our own lines."""
    chain: list[Any] = [structlog.stdlib.add_logger_name, *shared]
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=chain, processors=[cast("Any", remove), renderer]))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # A line a request, and the addresses of servers in it.
    for noisy in ("httpx", "httpx2", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
