"""A version is published on every replica, proved, or not at all."""

import json
from pathlib import Path

import pytest
from replicas import Replica, make_adapter, replica

from agent.serving import AdapterRefused, AdapterStore, ModelServerUnavailable
from db.embedded import free_port
from db.engine import SessionFactory
from db.repositories import audit_events, policy_versions
from db.vocabulary import PolicyStatus
from training.release.fleet import Fleet, ReplicasDiffer
from training.release.golden import GOLDEN, GoldenMismatch, NoGolden, prepare, read_golden
from training.release.publishing import NotPublishable, next_name, publish
from training.release.settings import ReleaseSettings

Replicas = tuple[Replica, Replica]


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    return make_adapter(tmp_path / "adapter", b"\x01" * 4096)


def status_of(sessions: SessionFactory, name: str) -> PolicyStatus | None:
    with sessions() as session:
        version = policy_versions.find_by_name(session, name)
        return version.status if version is not None else None


def test_that_a_version_is_on_every_replica_and_written_down(
    sessions: SessionFactory, fleet: Fleet, replicas: Replicas, store: AdapterStore, adapter: Path
) -> None:
    version_id = publish(sessions, fleet, store, adapter, name="policy-v2", parent_id=None, note={"seed": 7})
    path = str(store.get("policy-v2").path)
    assert [one.adapters for one in replicas] == [{"policy-v2": path}] * 2
    with sessions() as session:
        version = policy_versions.get(session, version_id)
        assert (version.status, version.adapter_path, version.base_model, version.note) == (
            PolicyStatus.PUBLISHED,
            path,
            "parley-starter",
            {"seed": 7},
        )
        (event,) = audit_events.list_of_subject(session, "policy_version", version_id)
        assert event.action == "policy.publish"
        assert event.after == {"name": "policy-v2", "replicas": 2, "golden": {"prompts": 4, "tokens": 24}}


def test_that_publishing_again_changes_nothing(
    sessions: SessionFactory, fleet: Fleet, replicas: Replicas, store: AdapterStore, adapter: Path
) -> None:
    first = publish(sessions, fleet, store, adapter, name="policy-v2", parent_id=None, note={})
    assert publish(sessions, fleet, store, adapter, name="policy-v2", parent_id=None, note={"other": 1}) == first
    assert [one.loads for one in replicas] == [1, 1]
    with sessions() as session:
        assert len(audit_events.list_of_subject(session, "policy_version", first)) == 1


def test_that_a_replica_that_refuses_takes_it_from_the_others(
    sessions: SessionFactory, fleet: Fleet, replicas: Replicas, store: AdapterStore, adapter: Path
) -> None:
    replicas[1].refuses = {"policy-v2"}
    with pytest.raises(AdapterRefused, match="rank 64"):
        publish(sessions, fleet, store, adapter, name="policy-v2", parent_id=None, note={})
    assert [one.adapters for one in replicas] == [{}, {}]
    assert status_of(sessions, "policy-v2") is PolicyStatus.CANDIDATE
    replicas[1].refuses = set()
    publish(sessions, fleet, store, adapter, name="policy-v2", parent_id=None, note={})
    assert status_of(sessions, "policy-v2") is PolicyStatus.PUBLISHED


def test_that_a_replica_that_is_away_is_named_and_nothing_is_half_published(
    sessions: SessionFactory, replicas: Replicas, store: AdapterStore, adapter: Path
) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    with Fleet([replicas[0].url, away]) as fleet, pytest.raises(ModelServerUnavailable, match=away):
        publish(sessions, fleet, store, adapter, name="policy-v2", parent_id=None, note={})
    assert replicas[0].adapters == {}


def test_that_a_replica_that_answers_with_other_weights_stops_it(
    sessions: SessionFactory, fleet: Fleet, replicas: Replicas, store: AdapterStore, adapter: Path
) -> None:
    replicas[1].mixed_up = True
    with pytest.raises(
        GoldenMismatch, match=rf"{replicas[1].url} does not answer as policy-v2 should: golden prompt 1 of 4 .* token 1 of 6"
    ):
        publish(sessions, fleet, store, adapter, name="policy-v2", parent_id=None, note={})
    assert [one.adapters for one in replicas] == [{}, {}]
    assert status_of(sessions, "policy-v2") is PolicyStatus.CANDIDATE


def test_that_a_name_stays_with_its_weights(
    sessions: SessionFactory, fleet: Fleet, store: AdapterStore, adapter: Path, tmp_path: Path
) -> None:
    publish(sessions, fleet, store, adapter, name="policy-v2", parent_id=None, note={})
    other = make_adapter(tmp_path / "other", b"\x02" * 4096)
    with pytest.raises(NotPublishable, match="another adapter already"):
        publish(sessions, fleet, store, other, name="policy-v2", parent_id=None, note={})
    with pytest.raises(NotPublishable, match="the name of another version"):
        publish(sessions, fleet, AdapterStore(tmp_path / "elsewhere"), adapter, name="policy-v2", parent_id=None, note={})


def test_that_a_rejected_version_does_not_go_out(sessions: SessionFactory, fleet: Fleet, store: AdapterStore, adapter: Path) -> None:
    version_id = publish(sessions, fleet, store, adapter, name="policy-v2", parent_id=None, note={})
    with sessions.begin() as session:
        policy_versions.set_status(session, version_id, PolicyStatus.REJECTED)
    with pytest.raises(NotPublishable, match="rejected"):
        publish(sessions, fleet, store, adapter, name="policy-v2", parent_id=None, note={})


def test_that_replicas_of_different_base_models_are_no_fleet(
    sessions: SessionFactory, fleet: Fleet, replicas: Replicas, store: AdapterStore, adapter: Path
) -> None:
    replicas[1].base = "qwen"
    with pytest.raises(ReplicasDiffer, match="qwen"):
        publish(sessions, fleet, store, adapter, name="policy-v2", parent_id=None, note={})
    assert status_of(sessions, "policy-v2") is None


def test_that_golden_tokens_of_other_weights_do_not_count(adapter: Path) -> None:
    assert read_golden(adapter) is not None
    (adapter / "adapter_model.safetensors").write_bytes(b"\x03" * 100)
    assert read_golden(adapter) is None
    (adapter / GOLDEN).write_text("{}")
    assert read_golden(adapter) is None


def test_that_an_adapter_that_cannot_be_served_has_no_golden_tokens(adapter: Path) -> None:
    (adapter / GOLDEN).unlink()
    with pytest.raises(NoGolden, match=r"cannot be read as safetensors"):
        prepare(adapter)


def test_that_the_next_name_was_never_used(sessions: SessionFactory, fleet: Fleet, store: AdapterStore, adapter: Path) -> None:
    assert next_name(sessions, store) == "policy-v1"
    publish(sessions, fleet, store, adapter, name="policy-v7", parent_id=None, note={})
    assert next_name(sessions, store) == "policy-v8"


def test_that_a_fleet_is_what_the_settings_name(replicas: Replicas) -> None:
    with Fleet.named(settings=ReleaseSettings(model_admin_urls=f"{replicas[0].url}/v1, {replicas[1].url},")) as fleet:
        assert fleet.healthy() == {replicas[0].url: True, replicas[1].url: True}
    with Fleet.named("http://one:1/v1", ReleaseSettings()) as fleet:
        assert [server.base_url for server in fleet.servers] == ["http://one:1"]


def test_that_a_golden_file_is_small_and_plain(adapter: Path) -> None:
    assert set(json.loads((adapter / GOLDEN).read_text())) == {"adapter_sha256", "end_id", "prompts"}


def test_that_a_server_that_ends_leaves_the_others_in_use(sessions: SessionFactory, store: AdapterStore, adapter: Path) -> None:
    with replica() as first:
        with replica() as second, Fleet([first.url, second.url]) as fleet:
            publish(sessions, fleet, store, adapter, name="policy-v2", parent_id=None, note={})
        with Fleet([first.url, second.url]) as fleet:
            fleet.unload("policy-v2")
        assert first.adapters == {}
