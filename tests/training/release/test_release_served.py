"""Two real model servers and a real adapter: published, proved token for token, deployed, gone back from."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from agent.serving import AdapterStore, ModelServer
from agent.serving.starter import ADAPTER_NAME, shipped_adapters
from db.embedded import free_port
from db.engine import SessionFactory
from db.repositories import deployments
from db.vocabulary import DeploymentRole
from training.release.fleet import Fleet
from training.release.golden import GoldenMismatch, prepare, prove
from training.release.publishing import publish
from training.release.settings import ReleaseSettings
from training.release.traffic import promote, roll_back, sweep
from training.runs.adapters import WEIGHTS

pytestmark = pytest.mark.model


@pytest.fixture
def second_server(served_model: Path, tmp_path: Path) -> Iterator[str]:
    port = free_port()
    environment = os.environ | {"PARLEY_MODEL_PATH": str(served_model), "PARLEY_MODEL_PORT": str(port), "PARLEY_MODEL_CACHE_MIB": "64"}
    with (tmp_path / "second.log").open("wb") as log:
        # A group of its own: the server's engine is a process that outlives it.
        process = subprocess.Popen(
            [sys.executable, "-m", "agent.serving.server"], env=environment, stdout=log, stderr=log, start_new_session=True
        )
    client = ModelServer(f"http://127.0.0.1:{port}")
    try:
        client.wait_ready(240, alive=lambda: process.poll() is None)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        client.close()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """The shipped policy, bent until it is another one where it is certain, too."""
    folder = Path(shutil.copytree(shipped_adapters()[ADAPTER_NAME], tmp_path / "trained"))
    bent = {name: weight * 2.0 if ".lora_B." in name else weight for name, weight in load_file(folder / WEIGHTS).items()}
    save_file(bent, folder / WEIGHTS)
    return folder


def test_that_a_version_goes_out_on_two_servers_and_comes_back(
    sessions: SessionFactory, model_server: str, second_server: str, trained: Path, tmp_path: Path
) -> None:
    store = AdapterStore(tmp_path / "adapters")
    golden = prepare(trained)
    assert sum(prompt.telling for prompt in golden.prompts) > 0, "the golden prompts tell the adapter from its base"
    with Fleet([model_server, second_server]) as fleet:
        try:
            first = publish(sessions, fleet, store, trained, name="trial-v8", parent_id=None, note={})
            assert all("trial-v8" in names for names in fleet.loaded().values())
            with pytest.raises(GoldenMismatch, match="does not answer as"):
                prove(fleet, ADAPTER_NAME, golden)
            shipped = Path(shutil.copytree(shipped_adapters()[ADAPTER_NAME], tmp_path / "shipped"))
            second = publish(sessions, fleet, store, shipped, name="trial-v9", parent_id=first, note={})
            promote(sessions, fleet, first)
            promote(sessions, fleet, second)
            assert sweep(sessions, fleet, settings=ReleaseSettings(drain_grace_s=0)).unloaded == ("trial-v8",)
            moved = roll_back(sessions, fleet, reason="bad")
            assert moved is not None
            assert moved.live == "trial-v8"
            prove(fleet, "trial-v8", golden)
            with sessions() as session:
                live = deployments.find_active(session, DeploymentRole.LIVE)
            assert live is not None
            assert live.policy_version_id == first
        finally:
            for name in ("trial-v8", "trial-v9"):
                fleet.unload(name)
