"""The replicas of the model server, as one: what is loaded is loaded on all of them or on none.

Decided here: that a replica which refuses a version takes it from all the others, and that what restarted is given back what it forgot.
Which versions there should be is decided by ``traffic`` and ``publishing``; one server is ``agent.serving.ModelServer``.
"""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import structlog

from agent.serving import AdapterRefused, Loadable, ModelServer, ModelServerUnavailable
from agent.settings import AgentSettings
from db.errors import ParleyError
from db.models import PolicyVersion
from training.release.settings import ReleaseSettings

log = structlog.get_logger(__name__)


class ReplicasDiffer(ParleyError):
    """The replicas do not serve one and the same base model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """A version that can be loaded."""

    name: str
    path: Path


def restore(server: ModelServer, version: PolicyVersion) -> bool:
    """Make a replica answer as a version that was published before, whatever folder it has it from; whether the replica had lost it.

    Raises:
        AdapterRefused: if the replica would not, or serves another base than the version's.
        ModelServerUnavailable: if it is away.
    """
    try:
        served = server.base_model
    except ModelServerUnavailable:
        if version.adapter_path is None:
            # Nothing is to be loaded: one can go back to the base while its server is away.
            return False
        raise
    if served != version.base_model:
        raise AdapterRefused(
            f"{version.name} needs the base model {version.base_model}, and the model server at {server.base_url} serves {served}: "
            f"make a version of {served} live, or serve {version.base_model} again."
        )
    if version.adapter_path is None:
        return False
    return bool(server.load_missing([Adapter(name=version.name, path=Path(version.adapter_path))]))


class Fleet:
    """One or several model servers with the same base model. Safe to share by threads; close it, or use it in a ``with`` statement."""

    def __init__(self, urls: Sequence[str], *, timeout_s: float = 5.0) -> None:
        """``urls`` as in ``PARLEY_MODEL_URL``, one a replica; ``timeout_s``: patience for short questions. Raises ValueError for none."""
        if not urls:
            raise ValueError("a fleet has at least one replica")
        self.servers = tuple(ModelServer(url, timeout_s=timeout_s) for url in dict.fromkeys(urls))
        self._threads = ThreadPoolExecutor(max(len(self.servers), 1), thread_name_prefix="fleet")

    @classmethod
    def named(cls, model_url: str = "", settings: ReleaseSettings | None = None) -> Self:
        """The replicas that the settings name, else the one at ``model_url``, else the one where chats go."""
        chosen = settings or ReleaseSettings()
        urls = [url.strip() for url in chosen.model_admin_urls.split(",") if url.strip()]
        return cls(urls or [model_url or AgentSettings().model_url])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._threads.shutdown()
        for server in self.servers:
            server.close()

    @property
    def base_model(self) -> str:
        """The name under which all replicas serve the base.

        Raises:
            ReplicasDiffer: if it is not the same on all.
            ModelServerUnavailable: if one is away.
        """
        names = {server.base_url: server.base_model for server in self.servers}
        if len(set(names.values())) > 1:
            told = ", ".join(f"{name} at {url}" for url, name in names.items())
            raise ReplicasDiffer(f"The replicas serve different base models: {told}. Correct PARLEY_MODEL_ADMIN_URLS.")
        return next(iter(names.values()))

    def healthy(self) -> dict[str, bool]:
        """Of each replica by its address, whether it answers."""
        return {server.base_url: server.healthy() for server in self.servers}

    def loaded(self) -> dict[str, frozenset[str]]:
        """Of each replica by its address, the versions that it would answer with now. Raises ModelServerUnavailable."""
        return {server.base_url: server.loaded() for server in self.servers}

    def load(self, version: Loadable) -> None:
        """Load the version everywhere; harmless where it is. If one replica would not, those that had not held it lose it again.

        Raises:
            AdapterRefused, ModelServerUnavailable: of the replica that would not; none then holds what it did not hold before.
        """
        fresh: list[ModelServer] = []
        try:
            for server in self.servers:
                held = version.name in server.loaded()
                server.load(version)
                if not held:
                    fresh.append(server)
        except (AdapterRefused, ModelServerUnavailable):
            for server in fresh:
                _take_out(server, version.name)
            raise

    def unload(self, name: str, *, keep: Collection[str] = ()) -> None:
        """Take a version out everywhere but at the addresses to ``keep``; running streams finish on it.

        A replica that is away has forgotten it by itself.

        Raises:
            AdapterRefused: if a replica would not.
        """
        for server in self.servers:
            if server.base_url not in keep:
                _take_out(server, name)

    def greedy(self, name: str, asked: Sequence[tuple[Sequence[int], int]], *, end_id: int) -> dict[str, list[tuple[int, ...]]]:
        """Of each replica by its address, its most likely continuation of each prompt: (token ids, how many tokens).

        A replica is asked one prompt after the other: all at once they would hold up the chats that it answers.

        Raises AdapterRefused, ModelServerUnavailable.
        """

        def ask(server: ModelServer) -> list[tuple[int, ...]]:
            return [server.greedy(name, prompt, tokens=tokens, end_id=end_id) for prompt, tokens in asked]

        waiting = {server.base_url: self._threads.submit(ask, server) for server in self.servers}
        return {url: future.result() for url, future in waiting.items()}


def _take_out(server: ModelServer, name: str) -> None:
    try:
        server.unload(name)
    except ModelServerUnavailable as error:
        log.warning("fleet.away", url=server.base_url, version=name, error=str(error))
