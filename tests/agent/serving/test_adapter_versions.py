"""A version of the policy is on disk whole or not at all, and never changes."""

import json
import multiprocessing
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.serving import (
    AdapterNameTaken,
    AdapterNotReady,
    AdapterStore,
    NotAnAdapter,
    UnknownAdapter,
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """What peft would have saved, as far as the store looks."""
    folder = tmp_path / "trained"
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps({"r": 8, "base_model_name_or_path": "parley-starter"}))
    (folder / "adapter_model.safetensors").write_bytes(b"\x01" * 4096)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> AdapterStore:
    return AdapterStore(tmp_path / "adapters")


def test_that_a_published_version_is_whole_and_described(store: AdapterStore, source: Path) -> None:
    version = store.publish(source, "policy-v1")
    assert (version.name, version.rank, version.base_model) == ("policy-v1", 8, "parley-starter")
    assert (version.path / "adapter_model.safetensors").read_bytes() == b"\x01" * 4096
    assert store.get("policy-v1") == version
    assert store.list() == (version,)


def test_that_versions_are_listed_oldest_first(store: AdapterStore, source: Path) -> None:
    for name in ("policy-v2", "policy-v10", "policy-v1"):
        store.publish(source, name)
    assert [version.name for version in store.list()] == ["policy-v2", "policy-v10", "policy-v1"]


def test_that_a_version_survives_changes_to_its_source(store: AdapterStore, source: Path) -> None:
    version = store.publish(source, "policy-v1")
    (source / "adapter_model.safetensors").write_bytes(b"\x02")
    assert (version.path / "adapter_model.safetensors").read_bytes() == b"\x01" * 4096
    assert store.publish(source, "policy-v2").digest != version.digest


def test_that_a_name_is_never_used_twice(store: AdapterStore, source: Path) -> None:
    store.publish(source, "policy-v1")
    with pytest.raises(AdapterNameTaken, match="policy-v1"):
        store.publish(source, "policy-v1")
    store.remove("policy-v1")
    assert store.list() == ()
    with pytest.raises(AdapterNameTaken, match="policy-v1"):
        store.publish(source, "policy-v1")
    with pytest.raises(UnknownAdapter):
        store.get("policy-v1")


@pytest.mark.parametrize("name", ["", "..", "../up", "Policy", "a/b", ".hidden", "x" * 65, "v1\n"])
def test_that_a_name_that_is_no_name_is_refused(store: AdapterStore, source: Path, name: str) -> None:
    with pytest.raises(NotAnAdapter, match="cannot name a version"):
        store.publish(source, name)
    with pytest.raises(UnknownAdapter):
        store.get(name)
    with pytest.raises(UnknownAdapter):
        store.remove(name)


@pytest.mark.parametrize("missing", ["adapter_config.json", "adapter_model.safetensors"])
def test_that_a_folder_without_its_files_is_refused(store: AdapterStore, source: Path, missing: str) -> None:
    (source / missing).unlink()
    with pytest.raises(NotAnAdapter, match=missing):
        store.publish(source, "policy-v1")
    assert not store.folder.exists()


@pytest.mark.parametrize("config", ["{", "[]", "{}"])
def test_that_a_config_that_is_none_is_refused(store: AdapterStore, source: Path, config: str) -> None:
    (source / "adapter_config.json").write_text(config)
    with pytest.raises(NotAnAdapter, match="adapter_config"):
        store.publish(source, "policy-v1")


def test_that_a_folder_without_the_marker_is_not_served(store: AdapterStore, source: Path) -> None:
    store.publish(source, "policy-v1")
    (store.folder / "policy-v1" / "READY").unlink()
    assert store.list() == ()
    with pytest.raises(AdapterNotReady, match="policy-v1"):
        store.get("policy-v1")
    with pytest.raises(AdapterNameTaken):
        store.publish(source, "policy-v1")


def test_that_an_unknown_version_names_the_known_ones(store: AdapterStore, source: Path) -> None:
    with pytest.raises(UnknownAdapter, match="none yet"):
        store.get("policy-v9")
    store.publish(source, "policy-v1")
    with pytest.raises(UnknownAdapter, match="policy-v1"):
        store.get("policy-v9")


def test_that_what_a_killed_publication_left_is_swept(store: AdapterStore, source: Path) -> None:
    dead = multiprocessing.get_context("spawn").Process(target=int)
    dead.start()
    dead.join()
    left = store.folder / f".incoming-{dead.pid}-policy-v0"
    left.mkdir(parents=True)
    store.publish(source, "policy-v1")
    assert not left.exists()


_PUBLISH_ON_A_FULL_DISK = """
import subprocess, sys
from pathlib import Path
from agent.serving import AdapterStore, AdapterStoreFull
source, disk = Path(sys.argv[1]), Path(sys.argv[2])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], check=True)
store = AdapterStore(disk / "adapters")
store.publish(source, "policy-v1")
(source / "adapter_model.safetensors").write_bytes(b"x" * 200_000)
try:
    store.publish(source, "policy-v2")
except AdapterStoreFull as error:
    print(error)
assert [version.name for version in store.list()] == ["policy-v1"], store.list()
assert sorted(path.name for path in store.folder.iterdir()) == ["policy-v1"]
(source / "adapter_model.safetensors").write_bytes(b"x" * 1_000)
store.publish(source, "policy-v2")
"""


def test_that_a_full_disk_is_named_and_leaves_nothing_behind(source: Path, tmp_path: Path) -> None:
    inside = ["unshare", "--user", "--map-root-user", "--mount", "--"]
    if shutil.which("unshare") is None or subprocess.run([*inside, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("a small disk of its own needs a user namespace, which this machine does not allow")
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        [*inside, sys.executable, "-c", _PUBLISH_ON_A_FULL_DISK, str(source), str(disk)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == 0, done.stderr
    assert "No space for version policy-v2" in done.stdout
    assert str(disk) in done.stdout
