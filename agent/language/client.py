"""The way to the model server: the OpenAI protocol with a schema for the answer, time limits, and retries with jitter.

What a prompt or an answer says is never logged. A fault that may pass (no connection, overload, a server error) is tried again; what
then remains is one of three errors that say what to do.
"""

import random
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Self, TypeVar, cast
from urllib.parse import urlsplit

import httpx2
import openai
import structlog
from openai import Omit, omit
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam
from openai.types.chat.chat_completion import Choice
from openai.types.shared_params import ResponseFormatJSONSchema

from agent.language.format import Schema
from agent.language.prompts.rendering import Message
from agent.telemetry import Leaf, leaf
from agent.telemetry.metrics import FIRST_TOKEN_SECONDS, MODEL_FAULTS, MODEL_RETRIES, MODEL_SECONDS
from db.errors import ParleyError

_log = structlog.get_logger(__name__)

_PASSING = (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError)
_Answer = TypeVar("_Answer")
_BACKOFF_S = 0.2
_LONGEST_BACKOFF_S = 4.0


class ModelUnavailable(ParleyError):
    """The model server does not answer, or does not serve the model that was asked for."""


class ModelRefused(ParleyError):
    """The model server answers, and will not take this request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLogprob:
    """One generated token with its log-probability (natural logarithm)."""

    token: str
    logprob: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A whole answer."""

    text: str
    is_cut: bool
    """The answer ran into ``max_tokens``."""
    logprobs: tuple[TokenLogprob, ...] = ()


class ModelClient:
    """A thread-safe client of one model server; close it, or use it in a ``with`` statement."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str = "none",
        timeout: float = 30.0,
        connect_timeout: float = 3.0,
        retries: int = 2,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``base_url`` ends before ``/chat/completions`` (``http://127.0.0.1:8000/v1``); ``timeout`` is per request, in seconds."""
        self.base_url = base_url
        self._retries = retries
        self._sleep = sleep
        self._openai = openai.OpenAI(
            base_url=base_url,
            api_key=api_key,
            max_retries=0,
            # A proxy that the environment names is for the world outside, never for a server on this machine.
            http_client=openai.DefaultHttpxClient(
                base_url=base_url,
                trust_env=not _is_loopback(base_url),
                timeout=openai.Timeout(timeout, connect=connect_timeout),
            ),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._openai.close()

    def complete_json(
        self,
        *,
        model: str,
        messages: Sequence[Message],
        schema: Schema,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int | None = None,
        logprobs: bool = False,
    ) -> Completion:
        """The whole answer, constrained to ``schema``. Raises ModelUnavailable or ModelRefused."""

        def attempt() -> Completion:
            response = self._openai.chat.completions.create(
                model=model,
                messages=_params(messages),
                response_format=_format(schema),
                max_tokens=max_tokens,
                temperature=temperature,
                seed=_or_omit(seed),
                logprobs=logprobs or omit,
            )
            if not isinstance(response, ChatCompletion) or not response.choices:  # pyright: ignore[reportUnnecessaryIsInstance]
                # A page of HTML, say: the library hands on what it cannot read.
                raise ModelRefused(f"What came back from {self.base_url} is no completion: is it an OpenAI-compatible server?")
            return _completion(response.choices[0])

        with _watched("complete", model=model, temperature=temperature, max_tokens=max_tokens) as told:
            answer = self._tried(attempt, model)
            told.content(prompt=messages, answer=answer.text)
            return answer

    def complete_many(
        self,
        *,
        model: str,
        messages: Sequence[Message],
        schema: Schema,
        max_tokens: int,
        copies: int,
        temperature: float,
        seed: int | None = None,
        never: Sequence[str] = (),
    ) -> list[Completion]:
        """Several answers to one prompt with their log-probabilities, as ``stream_json`` constrains them. Raises as ``complete_json``."""

        def attempt() -> ChatCompletion:
            return self._openai.chat.completions.create(
                model=model,
                messages=_params(messages),
                response_format=_format(schema),
                max_tokens=max_tokens,
                temperature=temperature,
                seed=_or_omit(seed),
                n=copies,
                logprobs=True,
                extra_body=_never(never),
            )

        with _watched("complete_many", model=model, temperature=temperature, max_tokens=max_tokens, copies=copies) as told:
            answers = [_completion(choice) for choice in self._tried(attempt, model).choices]
            told.content(prompt=messages, answer="\n".join(answer.text for answer in answers))
            return answers

    def stream_json(
        self,
        *,
        model: str,
        messages: Sequence[Message],
        schema: Schema,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int | None = None,
        never: Sequence[str] = (),
        logprobs: list[float] | None = None,
    ) -> Iterator[str]:
        """The answer piece by piece, constrained to ``schema``; no string of ``never`` is in it (vLLM's ``bad_words``).

        Only the opening of the stream is tried again: a stream that breaks later raises ModelUnavailable, since its first words are
        already with the reader. Each token's log-probability is appended to ``logprobs`` as it comes, where the server tells it.
        """

        def attempt() -> openai.Stream[Any]:
            return self._openai.chat.completions.create(
                model=model,
                messages=_params(messages),
                response_format=_format(schema),
                max_tokens=max_tokens,
                temperature=temperature,
                seed=_or_omit(seed),
                stream=True,
                logprobs=omit if logprobs is None else True,
                extra_body=_never(never),
            )

        started = time.perf_counter()
        pieces: list[str] = []
        with _watched("stream", model=model, temperature=temperature, max_tokens=max_tokens) as told:
            stream = self._tried(attempt, model)
            with stream, self._translated(model):
                for chunk in stream:
                    if not chunk.choices:
                        continue
                    choice = chunk.choices[0]
                    if logprobs is not None and choice.logprobs:
                        logprobs.extend(entry.logprob for entry in choice.logprobs.content or [])
                    piece = choice.delta.content
                    if piece:
                        if not pieces:
                            FIRST_TOKEN_SECONDS.observe(time.perf_counter() - started)
                        pieces.append(piece)
                        yield piece
            told.content(prompt=messages, answer="".join(pieces))

    def _tried(self, attempt: Callable[[], _Answer], model: str) -> _Answer:
        with self._translated(model):
            for number in range(self._retries):
                try:
                    return attempt()
                except _PASSING as fault:
                    # Full jitter: waiting callers do not all come back at the same moment.
                    pause = random.uniform(0, min(_LONGEST_BACKOFF_S, _BACKOFF_S * 2**number))
                    _log.info("model.retry", url=self.base_url, fault=type(fault).__name__, attempt=number + 1, pause_s=round(pause, 3))
                    MODEL_RETRIES.inc()
                    self._sleep(pause)
            return attempt()

    @contextmanager
    def _translated(self, model: str) -> Generator[None]:
        server = f"the model server at {self.base_url}"
        try:
            yield
        except openai.APITimeoutError as fault:
            raise ModelUnavailable(f"No answer in time from {server}. See `parley status`, or raise PARLEY_MODEL_TIMEOUT_S.") from fault
        except (openai.APIConnectionError, httpx2.TransportError) as fault:
            raise ModelUnavailable(
                f"No model server answers at {self.base_url}. Start it with `parley up`, or set PARLEY_MODEL_URL to one that runs."
            ) from fault
        except openai.NotFoundError as fault:
            raise ModelUnavailable(f"There is no model {model!r} on {server}. Load it, or name one that `parley status` lists.") from fault
        except (openai.RateLimitError, openai.InternalServerError) as fault:
            raise ModelUnavailable(f"Status {fault.status_code} again and again from {server}. Its log says why.") from fault
        except openai.APIStatusError as fault:
            raise ModelRefused(
                f"Status {fault.status_code} for a request to {model!r} from {server}. "
                "Its window may be too small for the conversation, or the key wrong: see its log."
            ) from fault
        except openai.APIError as fault:
            raise ModelUnavailable(f"The answer broke off from {server}. Try again; its log says why.") from fault


@contextmanager
def _watched(operation: str, *, model: str, temperature: float, max_tokens: int, copies: int = 1) -> Generator[Leaf]:
    """A span and a measured time of one request; what went wrong is counted by its class."""
    with (
        leaf(f"model.{operation}", operation="chat", model=model, temperature=temperature, max_tokens=max_tokens, copies=copies) as told,
        MODEL_SECONDS.labels(operation=operation).time(),
    ):
        try:
            yield told
        except ParleyError as fault:
            MODEL_FAULTS.labels(error=type(fault).__name__).inc()
            raise


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        # A name, not an address.
        return False


def _params(messages: Sequence[Message]) -> list[ChatCompletionMessageParam]:
    return cast("list[ChatCompletionMessageParam]", list(messages))


def _format(schema: Schema) -> ResponseFormatJSONSchema:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}


def _completion(choice: Choice) -> Completion:
    listed = (choice.logprobs.content or []) if choice.logprobs else []
    return Completion(
        text=choice.message.content or "",
        is_cut=choice.finish_reason == "length",
        logprobs=tuple(TokenLogprob(token=entry.token, logprob=entry.logprob) for entry in listed),
    )


def _never(strings: Sequence[str]) -> dict[str, list[str]] | None:
    """An extension of vLLM's, left out where it says nothing: another server may not know it."""
    return {"bad_words": list(strings)} if strings else None


def _or_omit(seed: int | None) -> int | Omit:
    return omit if seed is None else seed
