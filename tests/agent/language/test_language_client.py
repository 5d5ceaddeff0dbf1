"""The client against a real HTTP server that can fail on purpose, and against a real vLLM: clear errors, retries, streams."""

import json
import logging
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from language_turns import ASK, HOLD, READING, turn

from agent.domain import Reply
from agent.language.client import ModelClient, ModelRefused, ModelUnavailable
from agent.language.fallbacks import counts
from agent.language.format import READING_SCHEMA
from agent.language.prompts import Message, render_read
from agent.language.reader import read, read_by_rules
from agent.language.writer import Token, WriterFailed, write
from db.vocabulary import HotelMoveKind

MESSAGES = [Message(role="user", content="sort: hello")]
Answer = Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]


@contextmanager
def serving(answer: Answer) -> Generator[tuple[str, list[dict[str, Any]]]]:
    """A server on a free port; yields its base address and the requests that it got."""
    got: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            got.append(body)
            answer(self, body)

        def log_message(self, format: str, *args: Any) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", got
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def respond(handler: BaseHTTPRequestHandler, status: int, body: bytes, kind: str = "application/json") -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def completes(text: str, finish: str = "stop") -> Answer:
    """Answers with one completion, streamed in pieces of three characters where a stream is asked for."""

    def answer(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        base = {"id": "x", "created": 0, "model": body["model"]}
        if not body.get("stream"):
            choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
            respond(handler, 200, json.dumps({**base, "object": "chat.completion", "choices": [choice]}).encode())
            return
        pieces = [text[at : at + 3] for at in range(0, len(text), 3)]
        chunks = [{**base, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
        lines = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
        respond(handler, 200, lines.encode(), "text/event-stream")

    return answer


def fails(status: int, times: int, then: Answer) -> Answer:
    left = [times]

    def answer(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        if left[0] > 0:
            left[0] -= 1
            respond(handler, status, b'{"error":{"message":"no"}}')
        else:
            then(handler, body)

    return answer


def client_of(url: str, *, timeout: float = 5.0, retries: int = 2) -> ModelClient:
    return ModelClient(url, timeout=timeout, retries=retries, sleep=lambda _: None)


def ask(client: ModelClient, model: str = "m") -> str:
    return client.complete_json(model=model, messages=MESSAGES, schema=READING_SCHEMA, max_tokens=20).text


def test_the_schema_and_the_seed_are_sent() -> None:
    with serving(completes("{}")) as (url, got), client_of(url) as client:
        client.complete_json(model="m", messages=MESSAGES, schema=READING_SCHEMA, max_tokens=20, temperature=0.5, seed=7)

    assert got[0]["response_format"]["json_schema"]["schema"] == READING_SCHEMA
    assert (got[0]["seed"], got[0]["temperature"], got[0]["max_tokens"]) == (7, 0.5, 20)


def test_a_fault_that_passes_is_tried_again() -> None:
    with serving(fails(503, 2, completes("{}"))) as (url, got), client_of(url) as client:
        assert ask(client) == "{}"

    assert len(got) == 3


def test_a_fault_that_stays_names_the_server_and_the_mend() -> None:
    with serving(fails(500, 99, completes("{}"))) as (url, got), client_of(url) as client, pytest.raises(ModelUnavailable, match=url):
        ask(client)

    assert len(got) == 3


def test_a_server_that_is_away_is_named_with_the_mend() -> None:
    with client_of("http://127.0.0.1:9/v1", retries=0) as client, pytest.raises(ModelUnavailable, match=r"127\.0\.0\.1:9.*parley up"):
        ask(client)


def test_a_model_that_is_not_loaded_is_named_and_not_tried_again() -> None:
    missing = fails(404, 99, completes("{}"))
    with serving(missing) as (url, got), client_of(url) as client, pytest.raises(ModelUnavailable, match="policy-v9"):
        ask(client, "policy-v9")

    assert len(got) == 1


def test_a_refused_request_is_another_error() -> None:
    refusing = fails(400, 99, completes("{}"))
    with serving(refusing) as (url, got), client_of(url) as client, pytest.raises(ModelRefused, match="Status 400"):
        ask(client)

    assert len(got) == 1


def test_a_slow_server_is_given_up_on() -> None:
    def slow(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        time.sleep(1.0)
        completes("{}")(handler, body)

    with serving(slow) as (url, _), client_of(url, timeout=0.2, retries=0) as client, pytest.raises(ModelUnavailable, match="in time"):
        ask(client)


def test_a_proxy_of_the_environment_is_not_used_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with serving(completes("{}")) as (url, _), client_of(url) as client:
        assert ask(client) == "{}"


def test_nothing_of_a_conversation_is_logged(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "canary-4711"
    with caplog.at_level(logging.DEBUG), serving(fails(503, 1, completes(secret))) as (url, _), client_of(url) as client:
        with pytest.raises(WriterFailed):
            list(write(turn(), client=client, model="m"))
        read(f"{secret} we are full", context=READING, client=client, model="m")

    captured = capsys.readouterr()
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("openai", "httpx", "httpcore"))]
    assert secret not in captured.out + captured.err + "".join(ours)


def test_a_reply_is_streamed_and_then_whole() -> None:
    with serving(completes('{"move":"hold","text":"We would stay at 420 net."}')) as (url, got), client_of(url) as client:
        *tokens, reply = list(write(turn(ASK, HOLD), client=client, model="m", seed=3))

    assert len(tokens) > 3
    assert "".join(token.text for token in tokens if isinstance(token, Token)) == "We would stay at 420 net."
    assert reply == Reply(move=HOLD, text="We would stay at 420 net.")
    assert len(got[0]["response_format"]["json_schema"]["schema"]["anyOf"]) == 2


@pytest.mark.parametrize(
    "answer",
    [
        '{"move":"close","text":"Bye"}',
        '{"move":"ask"}',
        '{"move":"ask","text":" "}',
        '{"move":"ask","text":"cut',
        "sorry",
        '{"move":"ask","text":"a","b":"c"}',
    ],
)
def test_an_answer_that_is_no_reply_is_refused_and_counted(answer: str) -> None:
    before = counts().get("write.bad_output", 0)
    with serving(completes(answer)) as (url, _), client_of(url) as client, pytest.raises(WriterFailed):
        list(write(turn(), client=client, model="m"))

    assert counts()["write.bad_output"] == before + 1


def test_a_reading_is_held_against_the_words() -> None:
    with serving(completes('{"kind":"agree","mood":"warm","basis":"net"}')) as (url, _), client_of(url) as client:
        assert read("Yes, agreed.", context=READING, client=client, model="m").kind is HotelMoveKind.AGREE
        assert read("ok let me see", context=READING, client=client, model="m").kind is HotelMoveKind.STALL


@pytest.mark.parametrize("nonsense", ["hello", "[]", '{"kind":"dance","mood":"warm","basis":"net"}', ""])
def test_nonsense_is_read_by_rules_and_counted(nonsense: str) -> None:
    before = counts().get("read.rules.bad_output", 0)
    with serving(completes(nonsense)) as (url, _), client_of(url) as client:
        move = read("We can do 440 net", context=READING, client=client, model="m")

    assert move == read_by_rules("We can do 440 net", READING)
    assert counts()["read.rules.bad_output"] == before + 1


def test_a_model_that_is_away_is_no_reason_not_to_read() -> None:
    before = counts().get("read.rules.model_away", 0)
    with client_of("http://127.0.0.1:9/v1", retries=0) as client:
        move = read("We can do 440 net", context=READING, client=client, model="m")

    assert move.offers[0].amount == 440
    assert counts()["read.rules.model_away"] == before + 1


def test_silence_is_not_sent_to_the_model() -> None:
    with client_of("http://127.0.0.1:9/v1", retries=0) as client:
        before = counts()
        assert read(" 🙂 ", context=READING, client=client, model="m").kind is HotelMoveKind.SILENCE
        assert counts() == before


@pytest.mark.model
def test_a_real_server_keeps_to_the_schemas(model_server: str) -> None:
    with ModelClient(model_server, timeout=60.0) as client:
        answer = client.complete_json(
            model="parley-starter", messages=render_read(READING, "We can do 440 net."), schema=READING_SCHEMA, max_tokens=72, logprobs=True
        )
        assert set(json.loads(answer.text)) == {"kind", "mood", "basis"}
        assert answer.logprobs
        assert all(token.logprob <= 0 for token in answer.logprobs)
        read("We can do 440 net.", context=READING, client=client, model="parley-starter")
        with pytest.raises(ModelUnavailable, match="no-such-model"):
            ask(client, "no-such-model")


@pytest.mark.model
def test_a_real_server_streams_a_reply_or_is_cut_off(model_server: str) -> None:
    outcome = ""
    with ModelClient(model_server, timeout=120.0) as client:
        try:
            *_, last = list(write(turn(ASK, HOLD), client=client, model="parley-starter", seed=1, max_tokens=100))
            outcome = last.move.key if isinstance(last, Reply) else "no reply"
        except WriterFailed as fault:
            # A small model may ramble into the token limit, or write a blank that has no value here; both are told apart from other faults.
            outcome = str(fault)
    assert outcome in ("ask", "hold", "the model's answer was cut off") or outcome.startswith("the text holds {")
