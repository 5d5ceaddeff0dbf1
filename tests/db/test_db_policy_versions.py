"""Which version answers: names that are never used again, one live version, at most one canary, and a history."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from db_rows import Rows
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.models import PolicyVersion
from db.repositories import conversations, deployments, policy_versions
from db.vocabulary import DeploymentRole, PolicyStatus


def test_a_name_belongs_to_one_version_for_ever(session: Session, rows: Rows) -> None:
    first = rows.policy_version("policy-v1")
    again, is_new = policy_versions.create(session, PolicyVersion(name="policy-v1", base_model="another"))
    assert not is_new
    assert again is first
    assert again.base_model == "parley-starter"
    assert policy_versions.find_by_name(session, "policy-v1") is first
    assert policy_versions.find_by_id(session, first.id) is first
    assert policy_versions.find_by_name(session, "policy-v2") is None


def test_a_version_comes_as_far_as_it_is_said_to(session: Session, rows: Rows) -> None:
    first, second = rows.policy_version(), rows.policy_version()
    assert first.status is PolicyStatus.CANDIDATE
    policy_versions.set_status(session, first.id, PolicyStatus.PUBLISHED)
    assert first.status is PolicyStatus.PUBLISHED
    assert list(policy_versions.list_all(session)) == [second, first]


def test_a_new_live_version_takes_the_place_of_the_old_one(session: Session, rows: Rows) -> None:
    first, second, third = rows.policy_version("v1"), rows.policy_version("v2"), rows.policy_version("v3")
    assert deployments.list_active(session) == []
    deployments.deploy(session, first.id, DeploymentRole.LIVE)
    deployments.deploy(session, third.id, DeploymentRole.CANARY, share=Decimal("0.1"))
    deployments.deploy(session, second.id, DeploymentRole.LIVE)
    session.expire_all()
    active = deployments.list_active(session)
    assert [(deployment.role, deployment.policy_version.name, deployment.share) for deployment in active] == [
        (DeploymentRole.LIVE, "v2", Decimal(1)),
        (DeploymentRole.CANARY, "v3", Decimal("0.1")),
    ]
    assert deployments.end_active(session, DeploymentRole.CANARY)
    assert not deployments.end_active(session, DeploymentRole.CANARY)
    assert [deployment.policy_version.name for deployment in deployments.list_history(session)] == ["v2", "v3", "v1"]


@pytest.mark.parametrize("share", ["-0.1", "1.1"])
def test_a_share_is_a_share(session: Session, rows: Rows, share: str) -> None:
    version = rows.policy_version()
    with pytest.raises(IntegrityError, match="ck_deployment_share"):
        deployments.deploy(session, version.id, DeploymentRole.CANARY, share=Decimal(share))


def test_a_version_is_drained_when_its_last_conversation_is_closed(session: Session, rows: Rows) -> None:
    version = rows.policy_version()
    rows.conversation(policy_version_id=version.id, closed_at=datetime.now(UTC))
    conversation = rows.conversation(policy_version_id=version.id)
    assert conversations.count_open_by_policy_version(session, version.id) == 1
    conversation.closed_at = datetime.now(UTC)
    session.flush()
    assert conversations.count_open_by_policy_version(session, version.id) == 0
