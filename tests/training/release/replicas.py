"""Replicas of a model server that load, unload and answer as a test wants: the admin side's protocol, and no model behind it."""

import json
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from training.release.golden import Golden, GoldenPrompt, weights_sha256, write_golden
from training.runs.adapters import WEIGHTS

END = 2


class Replica:
    """What one of them holds, and how it misbehaves."""

    def __init__(self) -> None:
        self.url = ""
        self.base = "parley-starter"
        self.adapters: dict[str, str] = {}
        self.refuses: set[str] = set()
        """Names that it will not load."""
        self.mixed_up = False
        """It answers with other weights than were loaded."""
        self.loads = 0

    def continued(self, name: str, prompt: Sequence[int], tokens: int) -> list[int]:
        """As the adapter would: what it says depends on its weights and on the prompt."""
        weights = weights_sha256(Path(self.adapters[name]))
        return said(weights if not self.mixed_up else "other", prompt, tokens)


def said(weights: str, prompt: Sequence[int], tokens: int) -> list[int]:
    """What these weights would say to a prompt."""
    return [3 + (int(weights[:6], 16) if weights != "other" else 1) % 97 + (sum(prompt) + at) % 11 for at in range(tokens)]


def make_adapter(folder: Path, weights: bytes) -> Path:
    """A trained adapter as far as publishing looks, its golden tokens beside it."""
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps({"r": 8, "base_model_name_or_path": "parley-starter"}))
    (folder / WEIGHTS).write_bytes(weights)
    sha = weights_sha256(folder)
    prompts = [GoldenPrompt(prompt=(at, at + 1), expected=tuple(said(sha, (at, at + 1), 6)), telling=6) for at in range(4)]
    write_golden(folder, Golden(adapter_sha256=sha, end_id=END, prompts=tuple(prompts)))
    return folder


@contextmanager
def replica() -> Generator[Replica]:
    """One of them on a free port; it ends with the block."""
    held = Replica()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/health":
                return self._answer(200, {})
            cards: list[dict[str, Any]] = [{"id": held.base, "parent": None, "root": held.base}]
            cards += [{"id": name, "parent": held.base, "root": path} for name, path in held.adapters.items()]
            return self._answer(200, {"data": cards})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/v1/load_lora_adapter":
                if body["lora_name"] in held.refuses:
                    return self._answer(400, {"error": {"message": "rank 64 is greater than max_lora_rank 8"}})
                held.adapters[body["lora_name"]] = body["lora_path"]
                held.loads += 1
                return self._answer(200, {})
            if self.path == "/v1/unload_lora_adapter":
                return self._answer(200 if held.adapters.pop(body["lora_name"], None) else 404, {})
            if body["model"] not in held.adapters:
                return self._answer(404, {"error": {"message": "no such model"}})
            tokens = held.continued(body["model"], body["prompt"], body["max_tokens"])
            return self._answer(200, {"choices": [{"token_ids": tokens}]})

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
