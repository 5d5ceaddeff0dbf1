"""A negotiation with a collector listening: the whole way of a turn is there, and nothing that anybody said, nor a limit."""

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from conftest import Opener
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from agent.service import Negotiations
from agent.telemetry import TelemetrySettings, start_tracing
from agent.telemetry.metrics import REGISTRY
from agent.telemetry.tracing import stop_tracing
from db.repositories import tickets
from db.vocabulary import Mode

HEARD = "Good morning from Mrs Okonkwo! We could do 1234 net at the very best, breakfast with it."


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    kept = InMemorySpanExporter()
    start_tracing("parley-test", settings=TelemetrySettings(), exporter=kept)
    yield kept
    stop_tracing()


def series(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def trace_of(span: ReadableSpan) -> int:
    context = span.get_span_context()
    assert context is not None
    return context.trace_id


def told_of(span: ReadableSpan) -> str:
    return " ".join([span.name, *(f"{key}={value}" for key, value in (span.attributes or {}).items()), span.status.description or ""])


def test_that_a_turn_is_traced_from_message_to_reply_without_a_word_of_it(
    negotiations: Negotiations, opened: Opener, exporter: InMemorySpanExporter
) -> None:
    sent = series("parley_turns_total", speaker="bd")
    conversation = opened(mode=Mode.AUTOPILOT)
    list(negotiations.resume(conversation))
    with capture_logs():
        list(negotiations.receive(conversation, HEARD, key="1", actor=None))

    view = negotiations.view(conversation)
    assert series("parley_turns_total", speaker="bd") == sent + sum(turn.speaker == "bd" for turn in view.turns) >= 2
    spans = exporter.get_finished_spans()
    (request,) = (span for span in spans if span.name == "service.receive")
    below = [span for span in spans if trace_of(span) == trace_of(request)]
    steps = [span.name for span in sorted(below, key=lambda span: span.start_time or 0)]
    assert steps[0] == "service.receive"
    assert [step for step, following in pairwise([*steps, ""]) if step.startswith("turn.") and step != following][:3] == [
        "turn.read",
        "turn.advance",
        "turn.write",
    ]
    assert {"turn.guard", "turn.record", "turn.send", "model.complete"} <= set(steps)
    for span in below:
        if span.name.startswith("turn."):
            assert span.attributes is not None
            assert span.attributes["parley.conversation"] == str(conversation)
            assert span.attributes["parley.turn"] == 3
    assert request.attributes is not None
    assert request.attributes["session.id"] == str(conversation)
    assert str(request.attributes["parley.version"]).startswith("policy-")

    with negotiations.transaction() as session:
        ticket = tickets.find_by_reference(session, "DEMO-101")
        assert ticket is not None
        limits = {f"{limit.normalize():f}" for limit in (ticket.target, ticket.ceiling, ticket.opening_ask)}
    everything = " ".join(told_of(span) for span in spans)
    numbers = set(re.findall(r"(?<![\w.-])\d+(?:\.\d+)?(?![\w.-])", everything))
    assert not numbers & limits
    assert "1234" not in numbers
    words = {word for turn in view.turns for word in re.findall(r"[A-Za-z']{5,}", turn.text)} | {"Okonkwo"}
    names = {"model", "price", "read", "write", "guard", "record"}
    assert not [word for word in words - names if re.search(rf"\b{re.escape(word)}\b", everything, re.IGNORECASE)]
