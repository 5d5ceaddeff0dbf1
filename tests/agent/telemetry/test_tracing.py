"""Spans by themselves: what may stand in one, how they hang together, and that none costs anything while nobody listens."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from uuid import UUID

import pytest
import structlog
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext

from agent.telemetry import (
    MetricsPortTaken,
    TelemetrySettings,
    annotate,
    carried,
    in_one_context,
    leaf,
    span,
    start_telemetry,
    start_tracing,
)
from agent.telemetry.tracing import WITHHELD, stop_tracing
from db.vocabulary import Stage

ID = UUID(int=7)


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    kept = InMemorySpanExporter()
    assert start_tracing("parley-test", settings=TelemetrySettings(), exporter=kept)
    yield kept
    stop_tracing()


def attributes(told: ReadableSpan) -> dict[str, Any]:
    return dict(told.attributes or {})


def place(told: ReadableSpan) -> SpanContext:
    context = told.get_span_context()
    assert context is not None
    return context


def test_that_a_name_is_told_and_a_text_is_withheld(exporter: InMemorySpanExporter) -> None:
    with span(
        "turn.read", conversation=ID, turn=3, stage=Stage.PERSUASION, heard="We can do 80", said="最低80元", share=0.25, missing=None
    ):
        annotate(version="policy-v17", price=cast("Any", Decimal("81.50")), long="x" * 201)
    (told,) = exporter.get_finished_spans()
    assert attributes(told) == {
        "parley.conversation": str(ID),
        "parley.turn": 3,
        "parley.stage": "persuasion",
        "parley.heard": WITHHELD,
        "parley.said": WITHHELD,
        "parley.share": 0.25,
        "parley.version": "policy-v17",
        "parley.price": WITHHELD,
        "parley.long": WITHHELD,
    }


def test_that_an_error_is_told_by_its_class_alone(exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="ceiling"), span("turn.guard"):
        raise ValueError("the ceiling is 95")
    (told,) = exporter.get_finished_spans()
    assert attributes(told) == {"error.type": "ValueError"}
    assert not told.events
    assert not told.status.is_ok
    assert not told.status.description


def test_that_prompts_and_answers_are_kept_only_where_they_are_asked_for() -> None:
    for wanted in (False, True):
        kept = InMemorySpanExporter()
        start_tracing("parley-test", settings=TelemetrySettings(otlp_content=wanted), exporter=kept)
        with leaf("model.complete", model="policy-v1") as told:
            told.content(prompt=[{"role": "user", "content": "sort: hello"}], answer="hi")
        stop_tracing()
        found = set(attributes(kept.get_finished_spans()[0]))
        assert found == {"gen_ai.request.model"} | ({"gen_ai.input.messages", "gen_ai.output.messages"} if wanted else set())


def test_that_pieces_that_several_threads_ask_for_share_one_trace(exporter: InMemorySpanExporter) -> None:
    def pieces() -> Iterator[int]:
        with span("service.receive"):
            for number in range(2):
                with span("turn.write"):
                    pass
                yield number

    stream = in_one_context(pieces())
    next(stream)
    with span("of somebody else"):
        pass
    assert list(stream) == [1]
    told = {item.name: item for item in exporter.get_finished_spans()}
    assert told["turn.write"].parent is not None
    assert told["turn.write"].parent.span_id == place(told["service.receive"]).span_id
    assert told["of somebody else"].parent is None


def test_that_a_leaf_which_is_left_in_the_middle_is_told_and_is_no_error(exporter: InMemorySpanExporter) -> None:
    def words() -> Iterator[str]:
        with leaf("model.stream"):
            yield "one"
            yield "two"

    stream = words()
    next(stream)
    cast("Any", stream).close()
    (told,) = exporter.get_finished_spans()
    assert "error.type" not in attributes(told)


def test_that_a_process_started_within_a_span_goes_on_with_its_trace(
    exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with span("training.run"):
        environment = carried()
    outer = exporter.get_finished_spans()[0]
    monkeypatch.setenv("TRACEPARENT", environment["TRACEPARENT"])
    with span("training.process"):
        pass
    inner = exporter.get_finished_spans()[1]
    assert place(inner).trace_id == place(outer).trace_id
    assert inner.parent is not None
    assert inner.parent.span_id == place(outer).span_id


def test_that_spans_reach_a_collector_by_http(monkeypatch: pytest.MonkeyPatch) -> None:
    got: list[tuple[str, str | None, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.headers.get("Authorization"), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            del format, args

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Basic abc")
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        settings = TelemetrySettings(otlp_endpoint=f"http://127.0.0.1:{server.server_address[1]}")
        assert start_tracing("parley-test", settings=settings)
        with span("turn.read", conversation=ID):
            pass
        stop_tracing()
        server.shutdown()
        thread.join()
    ((path, authorization, body),) = got
    assert (path, authorization) == ("/v1/traces", "Basic abc")
    assert b"turn.read" in body
    assert str(ID).encode() in body


def test_that_a_port_for_metrics_which_is_taken_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port: int = other.getsockname()[1]
        try:
            with pytest.raises(MetricsPortTaken, match=f"127.0.0.1:{port}"):
                start_telemetry("parley-test", metrics_port=port, settings=TelemetrySettings())
        finally:
            structlog.reset_defaults()


def test_that_nothing_is_loaded_and_nothing_is_spent_while_nobody_listens() -> None:
    code = (
        "import sys; from agent.telemetry import span, start_tracing\n"
        "assert not start_tracing()\n"
        "with span('turn.read', turn=1): pass\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')], sys.modules"
    )
    quiet = {name: value for name, value in os.environ.items() if "OTLP" not in name}
    subprocess.run([sys.executable, "-c", code], check=True, env=quiet)
    started = time.perf_counter()
    for _ in range(10_000):
        with span("turn.read", conversation=ID, turn=1):
            pass
    # Measured: 0.7 µs each; the bound only says that nothing is made, whatever else the machine does.
    assert time.perf_counter() - started < 0.5
    assert carried() == {}
