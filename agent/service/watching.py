"""What is told of a turn: a span around every request and every step, figures for Prometheus, ids on every log line."""

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from structlog.contextvars import bound_contextvars

from agent.guardrails import Violation
from agent.telemetry import in_one_context, span
from agent.telemetry.metrics import DRAFTS, FALLBACKS, STEP_SECONDS, VIOLATIONS
from db.vocabulary import DraftOrigin

_P = ParamSpec("_P")
_R = TypeVar("_R")
_Event = TypeVar("_Event")


def watched_request(name: str) -> Callable[[Callable[_P, Iterator[_Event]]], Callable[_P, Iterator[_Event]]]:
    """For a method that yields what happens: one span from its first event to its last."""

    def decorate(method: Callable[_P, Iterator[_Event]]) -> Callable[_P, Iterator[_Event]]:
        def within(*args: _P.args, **kwargs: _P.kwargs) -> Iterator[_Event]:
            with span(name):
                yield from method(*args, **kwargs)

        @wraps(method)
        def run(*args: _P.args, **kwargs: _P.kwargs) -> Iterator[_Event]:
            return in_one_context(within(*args, **kwargs))

        return run

    return decorate


def watched_step(name: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """For a node of the graph, a method whose first argument is the turn."""

    def decorate(node: Callable[_P, _R]) -> Callable[_P, _R]:
        @wraps(node)
        def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            turn: Any = args[1]
            conversation, number = turn.get("conversation_id"), turn.get("for_turn")
            with (
                bound_contextvars(conversation=conversation, turn=number),
                span(f"turn.{name}", conversation=conversation, turn=number),
                STEP_SECONDS.labels(step=name).time(),
            ):
                return node(*args, **kwargs)

        return run

    return decorate


def count_draft(origin: DraftOrigin, violations: Sequence[Violation], *, version: str) -> None:
    """Count a draft that was recorded, and what the guard found in it."""
    DRAFTS.labels(origin=origin, version=version).inc()
    if origin is DraftOrigin.TEMPLATE:
        FALLBACKS.labels(kind="guard.template").inc()
    for violation in violations:
        VIOLATIONS.labels(rule=violation.rule, severity=violation.severity, version=version).inc()
