"""A model server that starts again holds what conversations need from its first answer on."""

import json
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from agent.serving.needed import needed_adapters
from agent.serving.server import arguments
from agent.serving.settings import ServingSettings
from agent.serving.starter import ADAPTER_FOLDER, ADAPTER_NAME
from db.engine import SessionFactory
from db.models import PolicyVersion
from db.repositories import deployments, policy_versions
from db.vocabulary import DeploymentRole
from tests.db.db_rows import Rows


def version(session: Session, folder: Path, name: str, *, rank: int = 8) -> PolicyVersion:
    path = folder / name
    path.mkdir()
    (path / "adapter_config.json").write_text(json.dumps({"r": rank}))
    return policy_versions.create(session, PolicyVersion(name=name, base_model="parley-starter", adapter_path=str(path)))[0]


@pytest.fixture
def used(sessions: SessionFactory, tmp_path: Path) -> Path:
    """A live version, one of an open conversation, one of a closed one, one of too high a rank, and one without files."""
    with sessions.begin() as session:
        rows = Rows(session)
        deployments.deploy(session, version(session, tmp_path, "policy-v4").id, DeploymentRole.LIVE)
        rows.conversation(policy_version_id=version(session, tmp_path, "policy-v3").id)
        version(session, tmp_path, "policy-v2")
        rows.conversation(policy_version_id=version(session, tmp_path, "policy-wide", rank=64).id)
        gone = policy_versions.create(session, PolicyVersion(name="policy-gone", base_model="parley-starter", adapter_path="/nowhere"))[0]
        rows.conversation(policy_version_id=gone.id)
    return tmp_path


def test_that_what_is_in_use_and_can_be_served_is_needed(database_url: str, used: Path) -> None:
    needed = needed_adapters(database_url, base_model="parley-starter", max_rank=8)
    assert needed == {"policy-v4": used / "policy-v4", "policy-v3": used / "policy-v3"}
    flags = arguments(ServingSettings(), cpu=True, needed=needed)
    at = flags.index("--lora-modules")
    assert set(flags[at + 1 : at + 4]) == {
        f"policy-v4={used / 'policy-v4'}",
        f"policy-v3={used / 'policy-v3'}",
        f"{ADAPTER_NAME}={ADAPTER_FOLDER}",
    }


def test_that_nothing_is_put_on_another_base(database_url: str, used: Path) -> None:
    assert needed_adapters(database_url, base_model="a-larger-model", max_rank=8) == {}


def test_that_no_database_stops_no_server(empty_database_url: str) -> None:
    assert needed_adapters(None, base_model="parley-starter", max_rank=8) == {}
    assert needed_adapters(empty_database_url, base_model="parley-starter", max_rank=8) == {}
    assert needed_adapters("postgresql://parley@127.0.0.1:9/none", base_model="parley-starter", max_rank=8, patience_s=0) == {}
