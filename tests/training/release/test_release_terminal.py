"""``parley release …``: each move once, said in a sentence, and under the name of whoever answers for it."""

import io
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from replicas import Replica, make_adapter
from rich.console import Console

from db.engine import SessionFactory
from db.repositories import audit_events, deployments, users
from db.repositories.policy_versions import VersionNotFound
from db.vocabulary import DeploymentRole, Role
from training.release.fleet import Fleet
from training.release.terminal_release import (
    ab_command,
    canary_command,
    promote_command,
    publish_command,
    roll_back_command,
    share_command,
    status_command,
)
from training.release.traffic import NotDeployable, NothingToRollBackTo, promote, roll_back, start_canary
from training.rewards.terminal import PersonRefused

Published = Callable[[str], UUID]
ADA = "ada@example.com"


@pytest.fixture
def out() -> Console:
    return Console(file=io.StringIO(), width=200)


def words(out: Console) -> str:
    assert isinstance(out.file, io.StringIO)
    said = out.file.getvalue()
    out.file.truncate(0)
    out.file.seek(0)
    return said


@pytest.fixture
def ada(sessions: SessionFactory) -> UUID:
    with sessions.begin() as session:
        users.create(session, email="bo@example.com", name="Bo", roles=[Role.BD])
        return users.create(session, email=ADA, name="Ada", roles=[Role.OPS])[0].id


def active(sessions: SessionFactory) -> dict[str, str]:
    with sessions() as session:
        return {str(one.role): one.policy_version.name for one in deployments.list_active(session)}


def test_that_an_adapter_is_published_tried_shared_promoted_and_rolled_back(
    sessions: SessionFactory, fleet: Fleet, published: Published, ada: UUID, out: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_HOME", str(tmp_path / "home"))
    promote(sessions, fleet, published("policy-v2"))
    run = tmp_path / "run"
    make_adapter(run / "adapter", b"new" * 50)
    assert publish_command(sessions, fleet, run, name="policy-v7", parent="", email=ADA, console=out) == 0
    assert "policy-v7 is published on 2 model server(s)" in words(out)
    assert active(sessions) == {"live": "policy-v2"}, "no conversation has it yet"

    assert canary_command(sessions, fleet, "policy-v7", share=0.25, email=ADA, console=out) == 0
    assert "policy-v7 gets 25.0% of new conversations." in words(out)
    canary_command(sessions, fleet, "policy-v7", share=0.25, email=ADA, console=out)
    assert "Nothing to do" in words(out)
    share_command(sessions, 0.5, email=ADA, console=out)
    assert "The canary gets 50.0%." in words(out)
    assert ab_command(sessions, console=out) == 0
    assert "canary policy-v7, 0 conversations" in words(out)

    promote_command(sessions, fleet, "policy-v7", email=ADA, console=out)
    assert active(sessions) == {"live": "policy-v7"}
    ab_command(sessions, console=out)
    assert "before policy-v2" in words(out)
    roll_back_command(sessions, fleet, "", reason="too eager", email=ADA, console=out)
    assert "policy-v7 is rolled back; policy-v2 answers, also in 0 open conversations." in words(out)
    roll_back_command(sessions, fleet, "policy-v7", reason="again", email=ADA, console=out)
    assert "Nothing to do" in words(out)
    with sessions() as session:
        trail = audit_events.list_newest(session, action="deployment.roll_back")
    assert [(event.actor_id, event.after["reason"]) for event in trail if event.after] == [(ada, "too eager")]


def test_that_status_tells_roles_replicas_and_what_is_away(
    sessions: SessionFactory, fleet: Fleet, published: Published, replicas: tuple[Replica, Replica], out: Console
) -> None:
    promote(sessions, fleet, published("policy-v2"))
    start_canary(sessions, fleet, published("policy-v3"), share=0.1)
    assert status_command(sessions, fleet, console=out) == 0
    said = words(out)
    assert "2 of 2" in said
    assert "10%" in said
    assert "The watch says wait" in said
    with Fleet([replicas[0].url, "http://127.0.0.1:9"]) as half:
        assert status_command(sessions, half, console=out) == 1
    assert "away http://127.0.0.1:9" in words(out)


def test_that_what_cannot_be_meant_is_refused_and_nothing_moves(
    sessions: SessionFactory, fleet: Fleet, published: Published, ada: UUID, out: Console
) -> None:
    del ada
    promote(sessions, fleet, published("policy-v2"))
    with pytest.raises(VersionNotFound, match="parley release status"):
        promote_command(sessions, fleet, "policy-v99", email=ADA, console=out)
    with pytest.raises(PersonRefused, match=r"bo@example\.com"):
        roll_back_command(sessions, fleet, "", reason="so", email="bo@example.com", console=out)
    with pytest.raises(NotDeployable, match="no canary"):
        share_command(sessions, 0.5, email="", console=out)
    with pytest.raises(NothingToRollBackTo):
        roll_back_command(sessions, fleet, "", reason="so", email="", console=out)
    assert active(sessions) == {"live": "policy-v2"}


def test_that_the_live_version_goes_while_a_canary_stays(sessions: SessionFactory, fleet: Fleet, published: Published) -> None:
    first, second, third = published("policy-v2"), published("policy-v3"), published("policy-v4")
    promote(sessions, fleet, first)
    promote(sessions, fleet, second)
    start_canary(sessions, fleet, third, share=0.2)
    moved = roll_back(sessions, fleet, reason="the live one is at fault", version_id=second)
    assert moved is not None
    assert (moved.version, moved.live) == ("policy-v3", "policy-v2")
    assert active(sessions) == {"live": "policy-v2", "canary": "policy-v4"}


def test_that_a_canary_which_is_gone_back_to_is_no_canary_any_more(sessions: SessionFactory, fleet: Fleet, published: Published) -> None:
    first, second = published("policy-v2"), published("policy-v3")
    promote(sessions, fleet, first)
    promote(sessions, fleet, second)
    start_canary(sessions, fleet, first, share=0.2)
    roll_back(sessions, fleet, reason="the live one is at fault", version_id=second)
    assert active(sessions) == {"live": "policy-v2"}
    with sessions() as session:
        assert deployments.find_active(session, DeploymentRole.CANARY) is None
