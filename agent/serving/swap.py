"""The client of the model server's admin side: which adapters it serves, and how one is brought in and taken out under traffic.

A version is loaded under its own name, new conversations are routed to it (the database decides that), the old one is drained and unloaded.
Nothing is ever reloaded in place: streams in flight would come out as a mixture of both weights. Talking to the model is
``agent.language.client``'s business.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast

import httpx

from db.errors import ParleyError

# An adapter takes milliseconds on an idle server and may wait behind a full batch on a busy one.
_LOAD_TIMEOUT_S = 60.0


class ModelServerUnavailable(ParleyError):
    """The model server does not answer, or not yet."""


class AdapterRefused(ParleyError):
    """The model server would not load a version."""


class DrainTimeout(ParleyError):
    """Conversations still use a version that should go."""


class Loadable(Protocol):
    """What a server can be told to serve: a name, and the folder of an adapter as the server sees it (``AdapterVersion`` is one)."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def path(self) -> Path: ...  # noqa: D102


class ModelServer:
    """One model server by its address, as in ``PARLEY_MODEL_URL`` (``/v1`` at the end may be there or not). Safe to share by threads."""

    def __init__(self, base_url: str, *, timeout_s: float = 5.0) -> None:
        """``timeout_s``: patience for short questions; loading has its own."""
        self.base_url = base_url.rstrip("/").removesuffix("/v1")
        self._timeout_s = timeout_s
        self._http = httpx.Client(base_url=self.base_url, timeout=timeout_s, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def healthy(self) -> bool:
        """True where the server answers and its engine lives; False where it is away, warming up or broken."""
        try:
            return self._http.get("/health").is_success
        except httpx.TransportError:
            return False

    def wait_ready(self, timeout_s: float = 180.0, *, alive: Callable[[], bool] = lambda: True) -> float:
        """Wait until the server is healthy; returns the seconds that it took.

        ``alive`` tells whether waiting still makes sense.

        Raises:
            ModelServerUnavailable: when the time is over or ``alive`` says no.
        """
        start = time.monotonic()
        while not self.healthy():
            waited = time.monotonic() - start
            if not alive():
                raise ModelServerUnavailable(f"The model server at {self.base_url} ended while it was starting; its log says why.")
            if waited > timeout_s:
                raise ModelServerUnavailable(
                    f"The model server at {self.base_url} was not ready within {timeout_s:.0f} s; look into its log."
                )
            time.sleep(0.2)
        return time.monotonic() - start

    @property
    def base_model(self) -> str:
        """The name under which the weights without an adapter are served."""
        return next(name for name, parent, _ in self._cards() if parent is None)

    def loaded(self) -> frozenset[str]:
        """Names of the versions that the server would answer with now."""
        return frozenset(name for name, parent, _ in self._cards() if parent is not None)

    def load(self, version: Loadable) -> None:
        """Make the server answer requests for ``version.name``; harmless where it already does.

        Raises:
            AdapterRefused: with the server's own reason, for example a rank above its maximum.
            ModelServerUnavailable: if it is away.
        """
        held = {name: root for name, _, root in self._cards()}
        if version.name in held:
            if held[version.name] == str(version.path):
                return
            raise AdapterRefused(
                f"The model server at {self.base_url} serves {version.name!r} from {held[version.name]}, not from {version.path}: "
                "unload it first, or publish under a new name."
            )
        answer = self._post("/v1/load_lora_adapter", {"lora_name": version.name, "lora_path": str(version.path)})
        if not answer.is_success and {name: root for name, _, root in self._cards()}.get(version.name) != str(version.path):
            # Otherwise another process was faster.
            raise AdapterRefused(f"The model server at {self.base_url} refused {version.name}: {_reason(answer)}")

    def load_missing(self, versions: Iterable[Loadable]) -> tuple[str, ...]:
        """Load what a restarted server has forgotten; returns the names that were missing."""
        held = self.loaded()
        missing = [version for version in versions if version.name not in held]
        for version in missing:
            self.load(version)
        return tuple(version.name for version in missing)

    def unload(self, name: str) -> bool:
        """Take a version out: running streams finish on it, new requests get 404. False where it was not loaded.

        Raises:
            AdapterRefused: if the server would not.
            ModelServerUnavailable: if it is away.
        """
        if name not in self.loaded():
            return False
        answer = self._post("/v1/unload_lora_adapter", {"lora_name": name})
        if not answer.is_success and answer.status_code != 404:  # 404: another process was faster
            raise AdapterRefused(f"The model server at {self.base_url} would not unload {name}: {_reason(answer)}")
        return answer.is_success

    def drain(self, name: str, in_flight: Callable[[], int], *, timeout_s: float = 600.0, every_s: float = 0.5) -> None:
        """Wait until nobody uses a version any more, then unload it. Route new conversations elsewhere before.

        ``in_flight`` counts the conversations that still hold it.

        Raises:
            DrainTimeout: if some are left when the time is over; the version then stays loaded.
        """
        deadline = time.monotonic() + timeout_s
        while (left := in_flight()) > 0:
            if time.monotonic() > deadline:
                raise DrainTimeout(f"{left} conversations still use {name} after {timeout_s:.0f} s; it stays loaded. Try again later.")
            time.sleep(every_s)
        self.unload(name)

    def greedy(self, name: str, prompt: Sequence[int], *, tokens: int, end_id: int) -> tuple[int, ...]:
        """The ``tokens`` most likely next tokens of a prompt, fewer where the model ends before: what proves which weights answer.

        Ids are the server's own, its text is never tokenised again; chats go another way (``agent.language.client``).

        Raises:
            AdapterRefused: if the server has no model of this name, or takes no prompt of token ids.
            ModelServerUnavailable: if it is away.
        """
        # Whatever a model's own generation settings say, this is the bare argmax.
        body = {
            "model": name, "prompt": list(prompt), "max_tokens": tokens, "temperature": 0.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0,
            "repetition_penalty": 1.0, "stop_token_ids": [end_id], "return_token_ids": True,
        }  # fmt: skip
        answer = self._post("/v1/completions", body)
        if not answer.is_success:
            raise AdapterRefused(f"The model server at {self.base_url} does not answer as {name}: {_reason(answer)}")
        (choice,) = cast("list[dict[str, list[int]]]", answer.json()["choices"])
        return tuple(choice["token_ids"])

    def _cards(self) -> list[tuple[str, str | None, str]]:
        """Name, parent and root of every served model; an adapter is one that has a parent."""
        try:
            answer = self._http.get("/v1/models")
        except httpx.TransportError as error:
            raise self._away(error) from error
        if not answer.is_success:
            raise ModelServerUnavailable(f"The model server at {self.base_url} answers {answer.status_code}: {_reason(answer)}")
        body = cast("dict[str, list[dict[str, str | None]]]", answer.json())
        return [(str(card["id"]), card.get("parent"), str(card.get("root"))) for card in body["data"]]

    def _post(self, path: str, body: Mapping[str, object]) -> httpx.Response:
        try:
            return self._http.post(path, json=body, timeout=_LOAD_TIMEOUT_S)
        except httpx.TransportError as error:
            raise self._away(error) from error

    def _away(self, error: httpx.TransportError) -> ModelServerUnavailable:
        return ModelServerUnavailable(
            f"The model server at {self.base_url} is away ({type(error).__name__}): see `parley status`, or correct PARLEY_MODEL_URL."
        )


def _reason(answer: httpx.Response) -> str:
    try:
        body: object = answer.json()
    except ValueError:
        return answer.text[:500]
    if isinstance(body, dict):
        fields = cast("dict[str, object]", body)
        error = fields.get("error")
        if isinstance(error, dict):
            return str(cast("dict[str, object]", error).get("message"))
        return str(fields.get("message") or fields.get("detail") or fields)
    return str(body)
