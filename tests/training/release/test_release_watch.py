"""A canary that does harm is rolled back by itself with its reason; one that does none goes live where it may."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from arms import Talk, now, write
from sqlalchemy import text

from db.engine import SessionFactory
from db.repositories import audit_events, deployments, policy_versions
from db.vocabulary import DeploymentRole, Severity
from training.release.fleet import Fleet
from training.release.settings import ReleaseSettings
from training.release.traffic import promote, set_share, start_canary
from training.release.watch import Action, canary_since, look, watch

Published = Callable[[str], UUID]
FEW = ReleaseSettings(canary_enough=20, canary_promotes=True)


@pytest.fixture
def arms(sessions: SessionFactory, fleet: Fleet, published: Published) -> tuple[UUID, UUID]:
    """A live version and a canary since a day."""
    live, canary = published("policy-v2"), published("policy-v3")
    promote(sessions, fleet, live)
    start_canary(sessions, fleet, canary, share=0.5)
    with sessions.begin() as session:
        session.execute(text("UPDATE deployment SET active_from = now() - interval '1 day' WHERE role = 'canary'"))
    return live, canary


def since() -> datetime:
    return now() - timedelta(hours=20)


def fill(sessions: SessionFactory, version_id: UUID, talks: list[Talk]) -> None:
    with sessions.begin() as session:
        write(session, version_id, talks, since=since())


def live_name(sessions: SessionFactory) -> list[tuple[str, str]]:
    with sessions() as session:
        return [(str(one.role), one.policy_version.name) for one in deployments.list_active(session)]


def test_that_a_canary_that_breaks_rules_is_rolled_back_with_its_reason(
    sessions: SessionFactory, fleet: Fleet, arms: tuple[UUID, UUID]
) -> None:
    rng = random.Random(1)
    for version_id, chance in zip(arms, (0.05, 0.6), strict=True):
        fill(sessions, version_id, [Talk(violated=[rng.random() < chance for _ in range(4)], minutes=n * 5) for n in range(30)])
    (decision,) = watch(sessions, fleet)
    assert (decision.action, decision.version, decision.moved) == (Action.ROLL_BACK, "policy-v3", True)
    assert live_name(sessions) == [("live", "policy-v2")]
    with sessions() as session:
        (event,) = audit_events.list_newest(session, action="deployment.roll_back")
    assert event.actor_id is None
    assert event.after is not None
    assert str(event.after["reason"]).startswith("worse than policy-v2 after 30 conversations of policy-v3: first drafts against a rule: ")
    assert watch(sessions, fleet) == ()


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("errors", Talk(violated=[False], agreed=False, unusable=0)),
        ("templates", Talk(violated=[False], agreed=False, template=0)),
        ("slowness", Talk(violated=[False, False], agreed=False, seconds=19.0)),
        ("ratings", Talk(violated=[False], agreed=False, stars=1)),
    ],
)
def test_that_every_kind_of_harm_is_seen(sessions: SessionFactory, arms: tuple[UUID, UUID], name: str, bad: Talk) -> None:
    fine = Talk(violated=[False] * len(bad.violated), agreed=True, stars=4)
    fill(sessions, arms[0], [replace(fine, minutes=n * 5) for n in range(30)])
    fill(sessions, arms[1], [replace(bad, minutes=n * 5) for n in range(30)])
    with sessions() as session:
        watched = look(session)
    assert watched is not None
    assert [criterion.name for criterion in watched.alarms] == [name]
    assert watched.action is Action.ROLL_BACK


def test_that_a_canary_without_harm_goes_live_where_it_may(sessions: SessionFactory, fleet: Fleet, arms: tuple[UUID, UUID]) -> None:
    for version_id in arms:
        fill(sessions, version_id, [Talk(minutes=n * 5) for n in range(19)])
    assert watch(sessions, fleet, settings=FEW)[0].action is Action.WAIT
    fill(sessions, arms[1], [Talk(minutes=200)])
    assert watch(sessions, fleet, settings=ReleaseSettings(canary_enough=20))[0].action is Action.WAIT
    (decision,) = watch(sessions, fleet, settings=FEW)
    assert (decision.action, decision.moved) == (Action.PROMOTE, True)
    assert live_name(sessions) == [("live", "policy-v3")]
    with sessions() as session:
        event = audit_events.list_newest(session, action="deployment.promote")[0]
    assert event.after is not None
    assert str(event.after["reason"]).startswith("no harm after 20 conversations of policy-v3")


def test_that_a_versions_own_word_on_promotion_counts_more_than_the_setting(sessions: SessionFactory, arms: tuple[UUID, UUID]) -> None:
    for version_id in arms:
        fill(sessions, version_id, [Talk(minutes=n) for n in range(20)])
    with sessions.begin() as session:
        policy_versions.get(session, arms[1]).note = {"promote": False}
        session.flush()
        watched = look(session, settings=FEW)
    assert watched is not None
    assert watched.action is Action.WAIT


def test_that_only_what_is_settled_counts_and_only_the_first_replies(sessions: SessionFactory, arms: tuple[UUID, UUID]) -> None:
    talks = [
        Talk(violated=[False] * 3),  # goes on
        Talk(violated=[True] * 2, agreed=True),  # over before its fourth
        Talk(violated=[False] * 4 + [True] * 4),
        Talk(violated=[True] * 4, severity=Severity.MINOR),
        Talk(violated=[], agreed=False),  # nothing was said
    ]
    fill(sessions, arms[1], talks)
    with sessions() as session:
        watched = look(session)
    assert watched is not None
    assert watched.conversations == 3
    assert watched.criteria[0].canary == pytest.approx(1 / 3)
    assert watched.criteria[0].live is None


def test_that_what_was_said_before_the_canary_does_not_count(sessions: SessionFactory, arms: tuple[UUID, UUID]) -> None:
    with sessions.begin() as session:
        write(session, arms[0], [Talk(violated=[True] * 4)], since=now() - timedelta(days=3))
        watched = look(session)
    assert watched is not None
    assert watched.criteria[0].live is None


def test_that_another_share_is_no_new_canary(sessions: SessionFactory, arms: tuple[UUID, UUID]) -> None:
    with sessions() as session:
        before = look(session)
    set_share(sessions, share=0.2)
    set_share(sessions, share=0.3)
    with sessions() as session:
        after = look(session)
        spans = deployments.list_of_version(session, arms[1])
    assert before is not None
    assert after is not None
    assert after.since == before.since
    assert canary_since(spans) == before.since
    with pytest.raises(ValueError, match="not the canary"):
        canary_since([span for span in spans if span.role is DeploymentRole.LIVE])


def test_that_there_is_nothing_to_watch_without_a_canary(sessions: SessionFactory, fleet: Fleet, published: Published) -> None:
    assert watch(sessions, fleet) == ()
    promote(sessions, fleet, published("policy-v2"))
    assert watch(sessions, fleet) == ()
