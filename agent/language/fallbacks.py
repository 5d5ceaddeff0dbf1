"""Every time language falls back on something safer: logged as an event and counted, so that none goes unseen."""

from collections import Counter
from enum import StrEnum
from threading import Lock

import structlog

from agent.telemetry.metrics import FALLBACKS

_log = structlog.get_logger(__name__)
_lock = Lock()
_counts: Counter[str] = Counter()


class Fallback(StrEnum):
    """What was fallen back on, and why."""

    RULES_MODEL_AWAY = "read.rules.model_away"
    """The message was read by rules alone because the model server did not answer."""
    RULES_BAD_OUTPUT = "read.rules.bad_output"
    """The message was read by rules alone because the model's answer was no valid reading."""
    WRITER_BAD_OUTPUT = "write.bad_output"
    """The model's answer was no valid reply."""


def note(fallback: Fallback, *, reason: str) -> None:
    """Log and count one fallback. ``reason`` names the kind of fault and holds no words of the conversation."""
    with _lock:
        _counts[fallback] += 1
    FALLBACKS.labels(kind=fallback).inc()
    _log.warning("language.fallback", fallback=str(fallback), reason=reason)


def counts() -> dict[str, int]:
    """How often each fallback was taken since the process started."""
    with _lock:
        return dict(_counts)
