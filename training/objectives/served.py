"""Rollouts through a model server: vLLM writes the replies, for a policy that is too large for ``sampling``.

Decided here: that the policy's adapter is brought to the server under a new name whenever it has changed, as a release is, and that tokens
and their log-probabilities are the server's own: its text is never tokenised again. Who takes it: ``rollout_server`` in the settings.
"""

import tempfile
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import httpx

from agent.serving.swap import ModelServer, ModelServerUnavailable
from agent.serving.versions import AdapterStore
from db.errors import ParleyError
from training.objectives.sampling import Drawn, Sampling, sets

_TIMEOUT_S = 600.0
_PROBED = 8
"""Tokens of a prompt that a server is tried out with."""


class RolloutServerError(ParleyError):
    """A model server that replies cannot be learned from."""


class RolloutServer:
    """A server that holds the policy's base model and takes adapters. Closing it takes the last adapter out again."""

    def __init__(self, url: str, *, at_once: int = 64) -> None:
        """``url`` as in ``PARLEY_MODEL_URL``; ``at_once`` prompts wait for answers at a time. Raises ModelServerUnavailable."""
        self._server = ModelServer(url)
        self._server.loaded()
        self._http = httpx.Client(base_url=self._server.base_url, timeout=_TIMEOUT_S, trust_env=False)
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="rollout")
        self._folder = tempfile.TemporaryDirectory(prefix="parley-rollouts-")
        self._store = AdapterStore(Path(self._folder.name))
        self._held: str | None = None
        self._probed: set[float] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        if self._held is not None:
            # A server that is away has forgotten the adapter by itself, and what ended the run is the news.
            with suppress(ModelServerUnavailable):
                self._server.unload(self._held)
        self._http.close()
        self._server.close()
        self._folder.cleanup()

    def bring(self, adapter: Path) -> str:
        """The name under which the server answers with this adapter; the one before is taken out.

        Raises:
            AdapterRefused, ModelServerUnavailable: if the server does not take it.
        """
        version = self._store.publish(adapter, f"rollout-{uuid.uuid4().hex[:12]}")
        self._server.load(version)
        before, self._held = self._held, version.name
        if before is not None:
            self._server.unload(before)
            self._store.remove(before)
        return version.name

    def draw(self, model: str, prompts: Sequence[Sequence[int]], how: Sampling, *, seed: int) -> Iterator[Drawn]:
        """As ``sampling.draw``, by the model of this name. The same seed gives the same replies only as far as the server's sums do not
        depend on what else it is asked.

        Raises:
            RolloutServerError: for a server whose log-probabilities are not those at the sampling temperature.
            ModelServerUnavailable: if it does not answer.
        """
        self._try_out(model, prompts[0][:_PROBED], how)
        asked = {
            row: self._pool.submit(self._replies, model, prompts[row], how, seed + row * how.copies)
            for rows in sets(prompts, how)
            for row in rows
        }
        for rows in sets(prompts, how):
            answers = [asked[row].result() for row in rows]
            yield Drawn(rows=rows, ids=[ids for ids, _ in answers], logps=[logps for _, logps in answers])

    def _replies(self, model: str, prompt: Sequence[int], how: Sampling, seed: int) -> tuple[list[list[int]], list[list[float]]]:
        """G replies as tokens, with their log-probabilities."""
        choices = self._complete(model, prompt, how.temperature, n=how.copies, max_tokens=how.max_tokens, seed=seed, end_id=how.end_id)
        ids = [[int(token) for token in choice["token_ids"]] for choice in choices]
        logps = [[float(logp) for logp in choice["logprobs"]["token_logprobs"]] for choice in choices]
        if [*map(len, ids)] != [*map(len, logps)] or len(ids) != how.copies:
            raise RolloutServerError(f"the model server at {self._server.base_url} gives other log-probabilities than tokens")
        return ids, logps

    def _try_out(self, model: str, prompt: Sequence[int], how: Sampling) -> None:
        """Ask for the same word at two temperatures: what comes back must differ."""
        if how.temperature == 1 or how.temperature in self._probed:
            return
        said: list[Any] = []
        for temperature in (how.temperature, 1.0):
            (choice,) = self._complete(model, prompt, temperature, n=1, max_tokens=1, seed=1, end_id=how.end_id, among=5)
            said.append(sorted(choice["logprobs"]["top_logprobs"][0].values()))
        if said[0] == said[1]:
            raise RolloutServerError(
                f"the model server at {self._server.base_url} gives log-probabilities before the temperature, and replies are sampled at "
                f"{how.temperature}: start vLLM with --logprobs-mode processed_logprobs, or set temperature to 1"
            )
        self._probed.add(how.temperature)

    def _complete(
        self, model: str, prompt: Sequence[int], temperature: float, *, n: int, max_tokens: int, seed: int, end_id: int, among: int = 0
    ) -> list[dict[str, Any]]:
        body = {
            "model": model,
            "prompt": list(prompt),
            "n": n,
            "temperature": temperature,
            # A cut would bias every ratio, and a model's own generation settings may have one.
            "top_p": 1.0,
            "top_k": 0,
            "min_p": 0.0,
            "repetition_penalty": 1.0,
            "max_tokens": max_tokens,
            "stop_token_ids": [end_id],
            "logprobs": among,
            "return_token_ids": True,
            "seed": seed,
        }
        try:
            answer = self._http.post("/v1/completions", json=body)
        except httpx.TransportError as error:
            raise ModelServerUnavailable(f"The model server at {self._server.base_url} is away ({type(error).__name__}).") from error
        if not answer.is_success:
            raise ModelServerUnavailable(
                f"The model server at {self._server.base_url} answers {answer.status_code} to a rollout: {answer.text[:300]}"
            )
        return answer.json()["choices"]
