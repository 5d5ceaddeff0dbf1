"""Traces by OpenTelemetry: from a hotel's message to our reply, and from ratings to weights.

Decided here: what may stand in a span. Ids, numbers and names may; a text may not, whatever the caller passes: a name is short, plain ASCII
and has no blank in it, and anything else is withheld. Decimal amounts are refused by their type. Prompts and answers have one way in
(``Leaf.content``), which is shut unless ``PARLEY_OTLP_CONTENT`` opens it. Of an error only its class is told, since its message may quote.

While no collector is named nothing of OpenTelemetry is imported, and a span costs one comparison.
"""

import atexit
import json
import os
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from functools import wraps
from types import TracebackType
from typing import TYPE_CHECKING, ParamSpec, Protocol, Self, TypeVar
from uuid import UUID

from agent.telemetry.settings import TelemetrySettings

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer

Plain = str | bool | int | float | UUID | None
"""What a span may hold; an enumeration of words is a ``str``. None leaves the attribute out."""

WITHHELD = "(withheld)"
_NAME = re.compile(r"[!-~]{0,200}")
_STANDARD = {
    "session": "session.id",
    "operation": "gen_ai.operation.name",
    "model": "gen_ai.request.model",
    "temperature": "gen_ai.request.temperature",
    "max_tokens": "gen_ai.request.max_tokens",
}
"""Names that OpenTelemetry has given; our own begin with ``parley.``."""
_PARENT = "TRACEPARENT"
_Item = TypeVar("_Item")
_P = ParamSpec("_P")
_R = TypeVar("_R")


class Leaf(Protocol):
    """A span under which no other one is opened."""

    def annotate(self, **attributes: Plain) -> None:
        """Say more of it."""
        ...

    def content(self, *, prompt: object = None, answer: str | None = None) -> None:
        """Texts, which are kept only where the operator wants them."""
        ...


class _Off:
    """Every span while nobody listens."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None

    def annotate(self, **attributes: Plain) -> None:
        """Nothing."""

    def content(self, *, prompt: object = None, answer: str | None = None) -> None:
        """Nothing."""


class _Open:
    """A span that is open now."""

    def __init__(self, opened: "Span", *, with_content: bool) -> None:
        self._opened, self._with_content = opened, with_content

    def annotate(self, **attributes: Plain) -> None:
        self._opened.set_attributes(_kept(attributes))

    def content(self, *, prompt: object = None, answer: str | None = None) -> None:
        if not self._with_content:
            return
        if prompt is not None:
            self._opened.set_attribute("gen_ai.input.messages", json.dumps(prompt, ensure_ascii=False))
        if answer is not None:
            self._opened.set_attribute("gen_ai.output.messages", answer)


class _Tracing:
    """What is on: a tracer, and whether texts are told."""

    def __init__(self, tracer: "Tracer", *, with_content: bool, shut_down: Callable[[], object]) -> None:
        self.tracer, self.with_content, self.shut_down = tracer, with_content, shut_down


_OFF = _Off()
_tracing: _Tracing | None = None


def start_tracing(service: str = "parley", *, settings: TelemetrySettings | None = None, exporter: "SpanExporter | None" = None) -> bool:
    """Begin to trace where a collector is named, and say whether it is on; a second call in a process changes nothing.

    ``service`` is what the collector calls this process (``parley-web``). ``exporter`` is sent the spans at once instead, for tests.
    """
    global _tracing
    chosen = settings or TelemetrySettings()
    address = _address(chosen)
    if _tracing is not None or (address is None and exporter is None):
        return _tracing is not None
    # Imported here: it takes a tenth of a second, and most installations trace nothing.
    from importlib.metadata import version

    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

    resource = Resource.create({"service.name": service, "service.version": version("parley")})
    # Of our own, not the process's: what libraries trace for themselves may hold texts.
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    if exporter is not None:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    else:
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=address)))
    tracer = provider.get_tracer("parley")
    _tracing = _Tracing(tracer, with_content=chosen.otlp_content, shut_down=provider.shutdown)
    atexit.register(stop_tracing)
    return True


def stop_tracing() -> None:
    """Send what is left, and trace no more."""
    global _tracing
    if _tracing is not None:
        _tracing.shut_down()
        _tracing = None
        atexit.unregister(stop_tracing)


def span(name: str, **attributes: Plain) -> AbstractContextManager[object]:
    """A part of a trace, as long as the block runs; spans that are opened within lie under it.

    Not around a ``yield``: see ``in_one_context`` for what comes piece by piece.
    """
    if _tracing is None:
        return _OFF
    return _current(_tracing, name, attributes)


def traced(name: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """For a function, not for a generator: a span as long as it runs."""

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        @wraps(function)
        def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            with span(name):
                return function(*args, **kwargs)

        return run

    return decorate


def leaf(name: str, **attributes: Plain) -> AbstractContextManager[Leaf]:
    """A span that nothing is opened under, so that a generator may hold it open between two pieces, and be left in the middle."""
    if _tracing is None:
        return _OFF
    return _lasting(_tracing, name, attributes)


def annotate(**attributes: Plain) -> None:
    """Say more of the span that is open."""
    if _tracing is not None:
        from opentelemetry.trace import get_current_span

        get_current_span().set_attributes(_kept(attributes))


def in_one_context(stream: Iterator[_Item]) -> Iterator[_Item]:
    """The same pieces, made in one context of their own.

    A generator borrows the context of whoever asks for the next piece: what it opens or binds (a span, a word for every log line) would
    stay with the asker between two pieces, and be missing where another thread asks. Here it keeps its own from the first to the last.
    """
    context = copy_context()
    try:
        while True:
            try:
                piece = context.run(next, stream)
            except StopIteration:
                return
            yield piece
    finally:
        if isinstance(stream, Generator):
            context.run(stream.close)


def carried() -> dict[str, str]:
    """Environment variables by which a process that is started now goes on with this trace."""
    if _tracing is None:
        return {}
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return {_PARENT: carrier["traceparent"]} if carrier else {}


@contextmanager
def _current(tracing: _Tracing, name: str, attributes: Mapping[str, Plain]) -> Generator[None]:
    from opentelemetry.trace import use_span

    opened = tracing.tracer.start_span(name, context=_parent(), attributes=_kept(attributes))
    with _failures(opened), use_span(opened, record_exception=False, set_status_on_exception=False):
        yield


@contextmanager
def _lasting(tracing: _Tracing, name: str, attributes: Mapping[str, Plain]) -> Generator[Leaf]:
    opened = tracing.tracer.start_span(name, context=_parent(), attributes=_kept(attributes))
    with _failures(opened):
        yield _Open(opened, with_content=tracing.with_content)


@contextmanager
def _failures(opened: "Span") -> Generator[None]:
    from opentelemetry.trace import StatusCode

    try:
        yield
    except GeneratorExit:
        # Whoever listened has heard enough.
        raise
    except BaseException as error:
        opened.set_attribute("error.type", type(error).__qualname__)
        opened.set_status(StatusCode.ERROR)
        raise
    finally:
        opened.end()


def _parent() -> "Context | None":
    """The span that is open here, else the one that the process was started under."""
    from opentelemetry.trace import get_current_span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    told = os.environ.get(_PARENT)
    if told is None or get_current_span().get_span_context().is_valid:
        return None
    return TraceContextTextMapPropagator().extract({"traceparent": told})


def _address(settings: TelemetrySettings) -> str | None:
    """Where spans go. The standard variables are read as OpenTelemetry reads them: the one for traces is a whole address."""
    whole = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    base = settings.otlp_endpoint or (None if whole else os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))
    if base is None:
        return whole or None
    return base if base.endswith("/v1/traces") else f"{base.rstrip('/')}/v1/traces"


def _kept(attributes: Mapping[str, Plain]) -> dict[str, str | bool | int | float]:
    return {_STANDARD.get(key, f"parley.{key}"): _plain(value) for key, value in attributes.items() if value is not None}


def _plain(value: object) -> str | bool | int | float:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, UUID):
        return str(value)
    # An enumeration's own ``str`` is its word.
    return str(value) if isinstance(value, str) and _NAME.fullmatch(value) else WITHHELD
