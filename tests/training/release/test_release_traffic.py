"""Deployments move in one transaction with a trace, one after the other, and back again; conversations keep their version."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from replicas import Replica
from sqlalchemy import text

from agent.service.exclusive import alone
from agent.service.routing import choose_version, ensure_first_version
from agent.serving import AdapterRefused
from db.engine import SessionFactory
from db.models import Conversation, PolicyVersion
from db.repositories import audit_events, deployments, policy_versions
from db.vocabulary import DeploymentRole, DraftStatus, PolicyStatus
from tests.db.db_rows import Rows
from training.release.fleet import Fleet
from training.release.settings import ReleaseSettings
from training.release.traffic import NotDeployable, NothingToRollBackTo, promote, roll_back, set_share, start_canary, sweep

Published = Callable[[str], UUID]
Replicas = tuple[Replica, Replica]
AT_ONCE = ReleaseSettings(drain_grace_s=0)


def deployed(sessions: SessionFactory) -> list[tuple[str, str, Decimal]]:
    with sessions() as session:
        return [(str(one.role), one.policy_version.name, one.share) for one in deployments.list_active(session)]


def told(sessions: SessionFactory, action: str) -> int:
    with sessions() as session:
        return len(audit_events.list_newest(session, action=action))


def conversation(sessions: SessionFactory, version_id: UUID, *, waits: bool = False, closed: bool = False) -> UUID:
    with sessions.begin() as session:
        rows = Rows(session)
        ticket = rows.ticket(
            reference=f"PC-{datetime.now(UTC).timestamp()}", hotel=rows.hotel(name=f"Hotel {datetime.now(UTC).timestamp()}")
        )
        opened = rows.conversation(ticket, policy_version_id=version_id, closed_at=datetime.now(UTC) if closed else None)
        if waits:
            rows.draft(opened, 1, status=DraftStatus.PENDING, policy_version_id=version_id)
        return opened.id


def version_of(sessions: SessionFactory, conversation_id: UUID) -> UUID | None:
    with sessions() as session:
        return session.get_one(Conversation, conversation_id).policy_version_id


def test_that_a_canary_gets_its_share_and_the_live_version_the_rest(sessions: SessionFactory, fleet: Fleet, published: Published) -> None:
    first, second = published("policy-v2"), published("policy-v3")
    promote(sessions, fleet, first)
    start_canary(sessions, fleet, second, share=0.25)
    with sessions() as session:
        drawn = [choose_version(session, point=point, model_name="parley-starter").name for point in range(0, 1_000_000, 25_000)]
    assert drawn.count("policy-v3") == 10
    assert drawn.count("policy-v2") == 30


def test_that_versions_of_another_base_get_no_new_conversation(sessions: SessionFactory, fleet: Fleet, published: Published) -> None:
    first, second = published("policy-v2"), published("policy-v3")
    promote(sessions, fleet, first)
    start_canary(sessions, fleet, second, share=0.25)
    with sessions.begin() as session:
        drawn = {choose_version(session, point=point, model_name="a-larger-model").name for point in range(0, 1_000_000, 25_000)}
        live = deployments.find_active(session, DeploymentRole.LIVE)
    assert drawn == {"a-larger-model"}
    assert live is not None
    assert live.policy_version_id == first


def test_that_what_ships_is_not_taken_for_an_adapter_of_its_name_on_another_base(sessions: SessionFactory) -> None:
    with sessions.begin() as session:
        shipped = PolicyVersion(name="policy-v1", base_model="an-older-model", adapter_path="/older", status=PolicyStatus.PUBLISHED)
        policy_versions.create(session, shipped)
        assert ensure_first_version(session, "parley-starter").name == "parley-starter"


def test_that_a_version_is_never_put_on_another_base(
    sessions: SessionFactory, fleet: Fleet, published: Published, replicas: Replicas
) -> None:
    first, second = published("policy-v2"), published("policy-v3")
    promote(sessions, fleet, first)
    held = conversation(sessions, first)
    for one in replicas:
        one.base = "a-larger-model"
        one.adapters.clear()
    with sessions.begin() as session:
        bare = ensure_first_version(session, "an-older-model").id
    for unfit in (second, bare):
        with pytest.raises(AdapterRefused, match=r"needs the base model (parley-starter|an-older-model), .* serves a-larger-model"):
            promote(sessions, fleet, unfit)
    with pytest.raises(AdapterRefused, match="policy-v2 needs the base model parley-starter"):
        sweep(sessions, fleet)
    assert not any(one.adapters for one in replicas)
    with sessions.begin() as session:
        fitting = choose_version(session, point=0, model_name="a-larger-model").id
    promote(sessions, fleet, fitting)
    assert sweep(sessions, fleet).moved == 1
    assert version_of(sessions, held) == fitting


def test_that_every_move_is_in_the_audit_trail_once(sessions: SessionFactory, fleet: Fleet, published: Published) -> None:
    first, second = published("policy-v2"), published("policy-v3")
    with sessions.begin() as session:
        actor = Rows(session).user().id
    assert promote(sessions, fleet, first, actor=actor) is not None
    assert promote(sessions, fleet, first, actor=actor) is None
    assert start_canary(sessions, fleet, second, share=0.1, actor=actor) is not None
    assert start_canary(sessions, fleet, second, share=Decimal("0.1"), actor=actor) is None
    assert set_share(sessions, share=0.5, actor=actor) is not None
    assert set_share(sessions, share=0.5, actor=actor) is None
    assert deployed(sessions) == [("live", "policy-v2", Decimal(1)), ("canary", "policy-v3", Decimal("0.5"))]
    assert promote(sessions, fleet, second, actor=actor) is not None
    assert deployed(sessions) == [("live", "policy-v3", Decimal(1))]
    moved = roll_back(sessions, fleet, actor=actor, reason="too pushy")
    assert moved is not None
    assert (moved.version, moved.live) == ("policy-v3", "policy-v2")
    assert deployed(sessions) == [("live", "policy-v2", Decimal(1))]
    with sessions() as session:
        trail = [event for event in audit_events.list_of_subject(session, "policy_version", second) if event.actor_id == actor]
        assert [(event.action, event.before, event.after) for event in trail] == [
            ("deployment.canary", None, {"share": 0.1}),
            ("deployment.share", {"share": 0.1}, {"share": 0.5}),
            ("deployment.promote", {"live": "policy-v2"}, {"live": "policy-v3"}),
            ("deployment.roll_back", {"role": "live"}, {"live": "policy-v2", "reason": "too pushy"}),
        ]


def test_that_a_canary_that_is_rolled_back_leaves_the_live_version_alone(
    sessions: SessionFactory, fleet: Fleet, published: Published
) -> None:
    first, second = published("policy-v2"), published("policy-v3")
    promote(sessions, fleet, first)
    start_canary(sessions, fleet, second, share=0.1)
    moved = roll_back(sessions, fleet, reason="guard")
    assert moved is not None
    assert (moved.version, moved.live) == ("policy-v3", "policy-v2")
    assert deployed(sessions) == [("live", "policy-v2", Decimal(1))]


def test_that_of_two_people_who_roll_back_at_once_one_does(sessions: SessionFactory, fleet: Fleet, published: Published) -> None:
    first, second, third = published("policy-v2"), published("policy-v3"), published("policy-v4")
    for version_id in (first, second, third):
        promote(sessions, fleet, version_id)
    start = threading.Barrier(4)

    def press(_: int) -> object:
        start.wait()
        return roll_back(sessions, fleet, reason="bad", version_id=third)

    with ThreadPoolExecutor(4) as pool:
        moves = list(pool.map(press, range(4)))
    assert sum(move is not None for move in moves) == 1
    assert deployed(sessions) == [("live", "policy-v3", Decimal(1))]
    assert told(sessions, "deployment.roll_back") == 1


def test_that_two_who_promote_at_once_leave_one_live_version(sessions: SessionFactory, fleet: Fleet, published: Published) -> None:
    versions = [published(f"policy-v{number}") for number in (2, 3, 4, 5)]
    start = threading.Barrier(len(versions))

    def press(version_id: UUID) -> object:
        start.wait()
        return promote(sessions, fleet, version_id)

    with ThreadPoolExecutor(len(versions)) as pool:
        assert all(pool.map(press, versions))
    assert len(deployed(sessions)) == 1
    assert told(sessions, "deployment.promote") == len(versions)


def test_that_a_version_that_was_rolled_back_is_not_gone_back_to(sessions: SessionFactory, fleet: Fleet, published: Published) -> None:
    first, second, third = published("policy-v2"), published("policy-v3"), published("policy-v4")
    for version_id in (first, second, third):
        promote(sessions, fleet, version_id)
    roll_back(sessions, fleet, reason="bad")
    roll_back(sessions, fleet, reason="bad too")
    assert deployed(sessions) == [("live", "policy-v2", Decimal(1))]
    with pytest.raises(NothingToRollBackTo, match="before policy-v2"):
        roll_back(sessions, fleet, reason="all bad")
    promote(sessions, fleet, third)
    assert deployed(sessions) == [("live", "policy-v4", Decimal(1))]
    promote(sessions, fleet, first)
    roll_back(sessions, fleet, reason="it was fine after all")
    assert deployed(sessions) == [("live", "policy-v4", Decimal(1))]


def test_that_a_version_that_was_unloaded_is_loaded_before_it_is_gone_back_to(
    sessions: SessionFactory, fleet: Fleet, published: Published, replicas: Replicas
) -> None:
    first, second = published("policy-v2"), published("policy-v3")
    promote(sessions, fleet, first)
    promote(sessions, fleet, second)
    assert sweep(sessions, fleet, settings=AT_ONCE).unloaded == ("policy-v2",)
    replicas[1].refuses = {"policy-v2"}  # one replica that lags behind does not stop a rollback
    roll_back(sessions, fleet, reason="bad")
    assert "policy-v2" in replicas[0].adapters
    assert deployed(sessions) == [("live", "policy-v2", Decimal(1))]


def test_that_nothing_moves_where_a_replica_cannot_serve_the_version(
    sessions: SessionFactory, fleet: Fleet, published: Published, replicas: Replicas
) -> None:
    first, second = published("policy-v2"), published("policy-v3")
    promote(sessions, fleet, first)
    sweep(sessions, fleet, settings=AT_ONCE)
    replicas[1].refuses = {"policy-v3"}
    move: Callable[[], object]
    for move in (lambda: start_canary(sessions, fleet, second, share=0.1), lambda: promote(sessions, fleet, second)):
        with pytest.raises(AdapterRefused):
            move()
    assert deployed(sessions) == [("live", "policy-v2", Decimal(1))]
    assert told(sessions, "deployment.canary") == 0


def test_that_what_may_not_be_deployed_is_refused(sessions: SessionFactory, fleet: Fleet, published: Published) -> None:
    first, second, third = published("policy-v2"), published("policy-v3"), published("policy-v4")
    with pytest.raises(NotDeployable, match="no canary"):
        set_share(sessions, share=0.2)
    with pytest.raises(NothingToRollBackTo, match="Nothing is deployed"):
        roll_back(sessions, fleet, reason="?")
    promote(sessions, fleet, first)
    with pytest.raises(NotDeployable, match="live already"):
        start_canary(sessions, fleet, first, share=0.1)
    for share in (0, 1, -0.1, 1.5):
        with pytest.raises(NotDeployable, match="no share"):
            start_canary(sessions, fleet, second, share=share)
    start_canary(sessions, fleet, second, share=0.1)
    with pytest.raises(NotDeployable, match="policy-v3 is the canary"):
        start_canary(sessions, fleet, third, share=0.1)
    with pytest.raises(NotDeployable, match="policy-v3 is the canary"):
        promote(sessions, fleet, third)
    with sessions.begin() as session:
        policy_versions.set_status(session, third, PolicyStatus.CANDIDATE)
    with pytest.raises(NotDeployable, match="candidate, not published"):
        promote(sessions, fleet, third)
    with pytest.raises(policy_versions.VersionNotFound):
        promote(sessions, fleet, UUID(int=1))


def test_that_a_conversation_keeps_its_version_when_another_goes_live(
    sessions: SessionFactory, fleet: Fleet, published: Published, replicas: Replicas
) -> None:
    first, second = published("policy-v2"), published("policy-v3")
    promote(sessions, fleet, first)
    held = conversation(sessions, first)
    promote(sessions, fleet, second)
    assert sweep(sessions, fleet, settings=AT_ONCE).unloaded == ()
    assert version_of(sessions, held) == first
    with sessions.begin() as session:
        session.get_one(Conversation, held).closed_at = datetime.now(UTC)
    assert sweep(sessions, fleet, settings=AT_ONCE).unloaded == ("policy-v2",)
    assert [set(one.adapters) for one in replicas] == [{"policy-v3"}] * 2


def test_that_open_conversations_leave_a_version_that_is_rolled_back(sessions: SessionFactory, fleet: Fleet, published: Published) -> None:
    first, second = published("policy-v2"), published("policy-v3")
    promote(sessions, fleet, first)
    promote(sessions, fleet, second)
    free, busy, waiting, over = (conversation(sessions, second, waits=n == 2, closed=n == 3) for n in range(4))
    with sessions() as session:
        touched = session.get_one(Conversation, free).updated_at
    engine = sessions.kw["bind"]
    with alone(engine, busy, wait_s=1):
        moved = roll_back(sessions, fleet, reason="bad")
    assert moved is not None
    assert moved.conversations == 1
    assert [version_of(sessions, one) for one in (free, busy, waiting, over)] == [first, second, second, second]
    assert sweep(sessions, fleet, settings=AT_ONCE).moved == 1
    assert version_of(sessions, busy) == first
    with sessions.begin() as session:
        session.execute(text("UPDATE draft SET status = 'approved'"))
    assert sweep(sessions, fleet, settings=AT_ONCE).moved == 1
    assert [version_of(sessions, one) for one in (free, busy, waiting, over)] == [first, first, first, second]
    with sessions() as session:
        assert session.get_one(Conversation, free).updated_at == touched


def test_that_a_conversation_that_stays_open_for_ever_does_not_keep_a_version(
    sessions: SessionFactory, fleet: Fleet, published: Published
) -> None:
    first, second = published("policy-v2"), published("policy-v3")
    promote(sessions, fleet, first)
    held = conversation(sessions, first)
    promote(sessions, fleet, second)
    assert sweep(sessions, fleet, now=datetime.now(UTC) + timedelta(days=13)).moved == 0
    later = sweep(sessions, fleet, now=datetime.now(UTC) + timedelta(days=15))
    assert (later.moved, later.unloaded) == (1, ("policy-v2",))
    assert version_of(sessions, held) == second


def test_that_a_restarted_server_is_given_back_what_it_forgot(
    sessions: SessionFactory, fleet: Fleet, published: Published, replicas: Replicas
) -> None:
    first, second, third = published("policy-v2"), published("policy-v3"), published("policy-v4")
    promote(sessions, fleet, first)
    conversation(sessions, first)
    promote(sessions, fleet, second)
    start_canary(sessions, fleet, third, share=0.1)
    replicas[1].adapters.clear()
    assert sweep(sessions, fleet).loaded == ("policy-v2", "policy-v3", "policy-v4")
    assert replicas[0].adapters == replicas[1].adapters


def test_that_what_is_new_is_given_time_before_it_is_taken_out(
    sessions: SessionFactory, fleet: Fleet, published: Published, replicas: Replicas
) -> None:
    published("policy-v2")
    replicas[0].adapters["rollout-1"] = "/elsewhere"  # a training run's own
    assert sweep(sessions, fleet).unloaded == ()
    assert sweep(sessions, fleet, settings=AT_ONCE).unloaded == ("policy-v2",)
    assert set(replicas[0].adapters) == {"rollout-1"}


def test_that_nothing_is_taken_out_while_somebody_publishes(sessions: SessionFactory, fleet: Fleet, published: Published) -> None:
    published("policy-v2")
    with sessions.begin() as publishing:
        deployments.lock_publishing(publishing)
        assert sweep(sessions, fleet, settings=AT_ONCE).unloaded == ()
    assert sweep(sessions, fleet, settings=AT_ONCE).unloaded == ("policy-v2",)


def test_that_a_replica_that_is_away_does_not_stop_the_others(
    sessions: SessionFactory, fleet: Fleet, published: Published, replicas: Replicas
) -> None:
    promote(sessions, fleet, published("policy-v2"))
    replicas[0].adapters.clear()
    with Fleet([replicas[0].url, "http://127.0.0.1:9"]) as two:
        swept = sweep(sessions, two)
    assert swept.away == ("http://127.0.0.1:9",)
    assert swept.loaded == ("policy-v2",)


def test_that_the_history_tells_who_had_which_role_when(sessions: SessionFactory, fleet: Fleet, published: Published) -> None:
    first, second = published("policy-v2"), published("policy-v3")
    promote(sessions, fleet, first)
    start_canary(sessions, fleet, second, share=0.1)
    set_share(sessions, share=0.2)
    roll_back(sessions, fleet, reason="bad")
    with sessions() as session:
        spans: Sequence[tuple[DeploymentRole, bool]] = [
            (span.role, span.active_to is None) for span in deployments.list_of_version(session, second)
        ]
    assert spans == [(DeploymentRole.RETIRED, True), (DeploymentRole.CANARY, False), (DeploymentRole.CANARY, False)]
