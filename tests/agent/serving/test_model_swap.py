"""Adapters come and go on a real vLLM server under traffic, and every failure names what to do."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.serving import AdapterRefused, AdapterStore, AdapterVersion, DrainTimeout, ModelServer, ModelServerUnavailable
from agent.serving.starter import ADAPTER_NAME
from db.embedded import free_port

pytestmark = pytest.mark.model

# bfloat16 keeps eight bits: two steps of a logit of 16 to 32.
TIE_NATS = 0.25


@pytest.fixture
def server(model_server: str) -> Iterator[ModelServer]:
    """The session's model server, given back with the shipped adapter alone."""
    client = ModelServer(model_server)
    yield client
    for name in client.loaded() - {ADAPTER_NAME}:
        client.unload(name)
    client.close()


@pytest.fixture(scope="module")
def versions(make_adapter: Callable[[str, int], Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[AdapterVersion, AdapterVersion]:
    store = AdapterStore(tmp_path_factory.mktemp("store") / "adapters")
    return store.publish(make_adapter("first", 8), "trial-v1"), store.publish(make_adapter("second", 4), "trial-v2")


def completion(base_url: str, model: str, *, tokens: int = 24) -> httpx.Response:
    body = {"model": model, "prompt": "The hotel said:", "max_tokens": tokens, "temperature": 0, "ignore_eos": True, "logprobs": 2}
    return httpx.post(f"{base_url}/completions", json=body, timeout=60)


def choice(base_url: str, model: str) -> dict[str, Any]:
    answer = completion(base_url, model)
    assert answer.status_code == 200, answer.text
    return answer.json()["choices"][0]


def said(base_url: str, model: str) -> str:
    return choice(base_url, model)["text"]


def same_but_for_a_tie(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """True where two greedy replies agree up to a token that was as likely as its rival.

    A batch of another size takes other kernels, whose rounding may turn over a tie, and from there on the texts differ;
    weights that leaked from another version change tokens that were certain.
    """
    for token, rival, likely in zip(one["logprobs"]["tokens"], other["logprobs"]["tokens"], one["logprobs"]["top_logprobs"], strict=True):
        if token != rival:
            return rival in likely and likely[token] - likely[rival] < TIE_NATS
    return True


def test_that_a_fresh_server_serves_the_base_model_alone(server: ModelServer) -> None:
    assert server.healthy()
    assert server.base_model == "parley-starter"
    assert server.loaded() - {ADAPTER_NAME} == frozenset()


def test_that_each_version_answers_with_its_own_weights(
    server: ModelServer, model_server: str, versions: tuple[AdapterVersion, AdapterVersion]
) -> None:
    first, second = versions
    server.load(first)
    server.load(second)
    assert server.loaded() - {ADAPTER_NAME} == {"trial-v1", "trial-v2"}
    texts = {said(model_server, name) for name in ("parley-starter", "trial-v1", "trial-v2")}
    assert len(texts) == 3
    # The same version says the same again: nothing of the others has leaked in.
    assert said(model_server, "trial-v1") in texts


def test_that_versions_in_one_batch_do_not_touch_each_other_nor_the_base(
    server: ModelServer, model_server: str, versions: tuple[AdapterVersion, AdapterVersion]
) -> None:
    names = ("parley-starter", "trial-v1", "trial-v2")
    for version in versions:
        server.load(version)
    alone = {name: choice(model_server, name) for name in names}
    assert not any(same_but_for_a_tie(alone[one], alone[other]) for one, other in combinations(names, 2))
    with ThreadPoolExecutor(max_workers=6) as pool:
        together = list(pool.map(lambda name: (name, choice(model_server, name)), names * 2))
    for name, batched in together:
        assert same_but_for_a_tie(alone[name], batched), (name, alone[name]["text"], batched["text"])


def test_that_loading_twice_is_harmless_and_another_folder_under_the_name_is_refused(
    server: ModelServer, versions: tuple[AdapterVersion, AdapterVersion], tmp_path: Path, make_adapter: Callable[[str, int], Path]
) -> None:
    server.load(versions[0])
    server.load(versions[0])
    impostor = AdapterStore(tmp_path / "other").publish(make_adapter("impostor", 4), "trial-v1")
    with pytest.raises(AdapterRefused, match="unload it first"):
        server.load(impostor)


def test_that_what_a_restarted_server_forgot_is_loaded_again(server: ModelServer, versions: tuple[AdapterVersion, AdapterVersion]) -> None:
    server.load(versions[0])
    assert server.load_missing(versions) == ("trial-v2",)
    assert server.load_missing(versions) == ()


def test_that_an_unloaded_version_is_gone_for_new_requests(
    server: ModelServer, model_server: str, versions: tuple[AdapterVersion, AdapterVersion]
) -> None:
    server.load(versions[0])
    assert server.unload("trial-v1") is True
    assert server.unload("trial-v1") is False
    assert completion(model_server, "trial-v1").status_code == 404


def test_that_a_rank_above_the_maximum_is_refused_with_the_reason(
    server: ModelServer, make_adapter: Callable[[str, int], Path], tmp_path: Path
) -> None:
    large = AdapterStore(tmp_path / "adapters").publish(make_adapter("large", 64), "policy-large")
    with pytest.raises(AdapterRefused, match="rank"):
        server.load(large)
    assert server.loaded() - {ADAPTER_NAME} == frozenset()


def test_that_a_drain_waits_for_the_last_conversation(server: ModelServer, versions: tuple[AdapterVersion, AdapterVersion]) -> None:
    server.load(versions[0])
    left = [2, 1, 0]
    server.drain("trial-v1", lambda: left.pop(0), every_s=0.01)
    assert left == []
    assert server.loaded() - {ADAPTER_NAME} == frozenset()


def test_that_a_drain_that_takes_too_long_keeps_the_version(server: ModelServer, versions: tuple[AdapterVersion, AdapterVersion]) -> None:
    server.load(versions[0])
    with pytest.raises(DrainTimeout, match="3 conversations"):
        server.drain("trial-v1", lambda: 3, timeout_s=0.05, every_s=0.01)
    assert server.loaded() - {ADAPTER_NAME} == {"trial-v1"}


def test_that_swaps_under_traffic_break_no_stream(
    server: ModelServer, model_server: str, versions: tuple[AdapterVersion, AdapterVersion]
) -> None:
    server.load(versions[0])
    expected = said(model_server, "trial-v1")
    stop = threading.Event()
    heard: list[str] = []

    def talk() -> None:
        while not stop.is_set():
            heard.append(said(model_server, "trial-v1"))

    talkers = [threading.Thread(target=talk) for _ in range(4)]
    for talker in talkers:
        talker.start()
    for _ in range(5):
        server.load(versions[1])
        said(model_server, "trial-v2")
        server.unload("trial-v2")
    stop.set()
    for talker in talkers:
        talker.join()
    assert len(heard) >= 4
    assert all(text[:12] == expected[:12] for text in heard)


def test_that_a_server_that_is_away_is_named() -> None:
    address = f"http://127.0.0.1:{free_port()}/v1"
    away = ModelServer(address)
    assert not away.healthy()
    for question in (away.loaded, lambda: away.base_model, lambda: away.unload("trial-v1")):
        with pytest.raises(ModelServerUnavailable, match="PARLEY_MODEL_URL"):
            question()
    with pytest.raises(ModelServerUnavailable, match="not ready within"):
        away.wait_ready(0.3)
    with pytest.raises(ModelServerUnavailable, match="ended"):
        away.wait_ready(5, alive=lambda: False)
    away.close()
