"""A judge's server that answers or misbehaves as a test wants, and replies to be judged."""

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import date
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from agent.domain import Reply, TurnContext
from agent.simulation import converse
from training.judging import Marks, shipped_rubric
from training.rewards.judge import JudgeSettings

MARKS: Marks = {item.name: item.lowest + 1 for item in shipped_rubric().items}
GOOD = shipped_rubric().encode(MARKS)
Misbehaviour = Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]


class JudgeServer:
    """The address, the requests that came, and how many of them were open at once."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.most_open = 0
        self.open = 0
        self.lock = threading.Lock()


@contextmanager
def judging(behave: Misbehaviour) -> Generator[JudgeServer]:
    """A server on a free port."""
    seen = JudgeServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with seen.lock:
                seen.requests.append(body)
                seen.keys.append(self.headers.get("Authorization"))
                seen.open += 1
                seen.most_open = max(seen.most_open, seen.open)
            try:
                behave(self, body)
            finally:
                with seen.lock:
                    seen.open -= 1

        def log_message(self, format: str, *args: Any) -> None:
            del format, args

    class Server(ThreadingHTTPServer):
        # Sixteen connections come at once.
        request_queue_size = 64

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that has given up is no fault of the server."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    seen.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def says(text: str, finish: str = "stop") -> Misbehaviour:
    def behave(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
        send(handler, 200, {"id": "x", "created": 0, "model": body["model"], "object": "chat.completion", "choices": [choice]})

    return behave


def send(handler: BaseHTTPRequestHandler, status: int, body: object, kind: str = "application/json") -> None:
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(raw)))
    handler.end_headers()
    handler.wfile.write(raw)


def fails(status: int) -> Misbehaviour:
    return lambda handler, body: send(handler, status, {"error": {"message": "no"}})


def drops(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    """Begin an answer and hang up."""
    del body
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"id":')
    handler.close_connection = True


def at_first(first: Misbehaviour, times: int, then: Misbehaviour) -> Misbehaviour:
    left, lock = [times], threading.Lock()

    def behave(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        with lock:
            left[0] -= 1
            chosen = first if left[0] >= 0 else then
        chosen(handler, body)

    return behave


def settings(url: str, **more: Any) -> JudgeSettings:
    values: dict[str, Any] = {"base_url": url, "model": "judge", "retries": 0, "timeout_s": 5.0} | more
    return JudgeSettings(**values)


@cache
def replies() -> tuple[tuple[TurnContext, Reply], ...]:
    """Thirty or more different turns."""
    talks = [converse(seed, today=date(2027, 3, 1), quality="fine") for seed in range(4)]
    return tuple((exchange.context, exchange.reply) for talk in talks for exchange in talk.exchanges)
