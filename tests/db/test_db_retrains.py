"""Retrains: one worker at a time, one of a line at a time, an overtaken worker writes nothing, and what people may change when."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from db.models import PolicyVersion, Retrain
from db.repositories import policy_versions, retrains
from db.repositories.retrains import RetrainHeld, RetrainNotFound
from db.repositories.training_runs import LeaseLost
from db.vocabulary import RetrainState, RetrainStep, RetrainTrigger, StepState

MINUTE = timedelta(minutes=1)
OVER = timedelta(seconds=-1)


def retrain(session: Session, folder: str = "retrains/a", *, line: str = "main") -> Retrain:
    return retrains.create(session, Retrain(policy_line=line, trigger=RetrainTrigger.BY_HAND, plan={}, folder=folder))


def published(session: Session) -> PolicyVersion:
    return policy_versions.create(session, PolicyVersion(name="policy-v9", base_model="base", adapter_path="adapters/policy-v9"))[0]


def test_a_retrain_has_all_its_steps_from_the_start(session: Session) -> None:
    row = retrain(session)
    assert row.state is RetrainState.QUEUED
    assert [step.step for step in retrains.steps(session, row.id)] == list(RetrainStep)
    assert {step.state for step in retrains.steps(session, row.id)} == {StepState.WAITING}


def test_a_retrain_has_one_worker_at_a_time(session: Session) -> None:
    row = retrain(session)
    first = retrains.claim(session, row.id, owner="a:1", lasting=MINUTE)
    with pytest.raises(RetrainHeld, match="worked on by a:1"):
        retrains.claim(session, row.id, owner="b:2", lasting=MINUTE)
    second = retrains.claim(session, row.id, owner="a:2", lasting=MINUTE, dead_owner="a:1")
    assert second == first + 1
    with pytest.raises(LeaseLost):
        retrains.beat(session, row.id, first, lasting=MINUTE, step=RetrainStep.POLICY)
    with pytest.raises(LeaseLost):
        retrains.hand_back(session, row.id, first, RetrainState.FAILED, error="x")
    assert not retrains.beat(session, row.id, second, lasting=MINUTE, step=RetrainStep.SNAPSHOT)
    found = retrains.get(session, row.id)
    assert (found.step, found.state, found.lease_owner) == (RetrainStep.SNAPSHOT, RetrainState.RUNNING, "a:2")


def test_of_a_line_one_is_at_work_and_the_oldest_of_the_others_is_next(session: Session) -> None:
    one, two, three = (retrain(session, name) for name in "abc")
    other = retrain(session, "d", line="other")
    assert set(retrains.ids_to_work_on(session)) == {one.id, other.id}
    token = retrains.claim(session, one.id, owner="a:1", lasting=MINUTE)
    with pytest.raises(RetrainHeld, match="waits for another one of the line 'main'"):
        retrains.claim(session, two.id, owner="a:2", lasting=MINUTE)
    assert set(retrains.ids_to_work_on(session)) == {other.id}
    retrains.hand_back(session, one.id, token, RetrainState.FAILED, error="no room")
    assert set(retrains.ids_to_work_on(session)) == {two.id, other.id}
    assert retrains.end_queued(session, two.id)
    assert set(retrains.ids_to_work_on(session)) == {three.id, other.id}


def test_a_canary_keeps_its_line_until_it_is_decided(session: Session) -> None:
    one, two = retrain(session, "a"), retrain(session, "b")
    token = retrains.claim(session, one.id, owner="a:1", lasting=MINUTE)
    version = published(session)
    retrains.hand_back(session, one.id, token, RetrainState.CANARY, candidate_id=version.id)
    with pytest.raises(RetrainHeld, match="is canary"):
        retrains.claim(session, one.id, owner="a:1", lasting=MINUTE)
    assert list(retrains.ids_to_work_on(session)) == []
    found = retrains.find_of_candidate(session, version.id)
    assert found is not None
    assert found.id == one.id
    assert found.ended_at is None
    assert retrains.decide_canary(session, one.id, RetrainState.LIVE)
    assert not retrains.decide_canary(session, one.id, RetrainState.ROLLED_BACK)
    assert list(retrains.ids_to_work_on(session)) == [two.id]
    assert retrains.take_back(session, one.id, why="a person said so")
    assert retrains.get(session, one.id).state is RetrainState.ROLLED_BACK


def test_an_orphan_is_found_once_its_lease_has_run_out(session: Session) -> None:
    row = retrain(session)
    first = retrains.claim(session, row.id, owner="a:1", lasting=OVER)
    assert list(retrains.ids_to_work_on(session)) == [row.id]
    assert retrains.claim(session, row.id, owner="b:2", lasting=MINUTE) == first + 1


def test_somebody_can_ask_it_to_end(session: Session) -> None:
    row = retrain(session)
    assert not retrains.ask_to_cancel(session, row.id), "nobody works on it yet"
    token = retrains.claim(session, row.id, owner="a:1", lasting=MINUTE)
    assert not retrains.end_queued(session, row.id), "it is worked on"
    assert retrains.ask_to_cancel(session, row.id)
    assert retrains.beat(session, row.id, token, lasting=MINUTE)
    retrains.hand_back(session, row.id, token, RetrainState.CANCELLED)
    ended = retrains.get(session, row.id)
    assert ended.ended_at is not None
    assert retrains.queue_again(session, row.id, RetrainState.CANCELLED)
    token = retrains.claim(session, row.id, owner="a:1", lasting=MINUTE)
    assert not retrains.beat(session, row.id, token, lasting=MINUTE), "what was asked then is forgotten"


def test_only_a_rejected_one_can_be_overridden(session: Session) -> None:
    row = retrain(session)
    token = retrains.claim(session, row.id, owner="a:1", lasting=MINUTE)
    assert not retrains.override(session, row.id, by=None, reason="it is fine")
    retrains.hand_back(session, row.id, token, RetrainState.REJECTED, verdict={"criteria": []})
    assert retrains.override(session, row.id, by=None, reason="it is fine")
    found = retrains.get(session, row.id)
    assert (found.state, found.override_reason, found.ended_at) == (RetrainState.QUEUED, "it is fine", None)


def test_a_step_that_is_written_twice_counts_once(session: Session) -> None:
    row = retrain(session)
    retrains.write_step(session, row.id, RetrainStep.SNAPSHOT, StepState.RUNNING, progress=0.5, figures={"doing": "simulating"})
    retrains.write_step(session, row.id, RetrainStep.SNAPSHOT, StepState.DONE, progress=1, figures={"rows": 24})
    retrains.write_step(session, row.id, RetrainStep.SNAPSHOT, StepState.DONE, progress=1)
    first = retrains.steps(session, row.id)[0]
    assert (first.state, first.progress, first.figures) == (StepState.DONE, 1.0, {"rows": 24})
    assert first.ended_at is not None
    assert len(retrains.steps(session, row.id)) == len(RetrainStep)


def test_retrains_are_listed_newest_first(session: Session) -> None:
    one, two = retrain(session, "a"), retrain(session, "b")
    assert [row.id for row in retrains.list_newest(session)] == [two.id, one.id]
    assert retrains.list_newest(session, states=[RetrainState.LIVE]) == []
    assert retrains.list_lines(session) == ["main"]
    assert list(retrains.list_ended_of_line(session, "main")) == []
    with pytest.raises(RetrainNotFound, match="parley retrain list"):
        retrains.get(session, uuid7())
    retrains.forget(session, one.id)
    assert [row.id for row in retrains.list_newest(session)] == [two.id]


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("state = 'running'", "ck_retrain_held"),
        ("state = 'failed'", "ck_retrain_failed"),
        ("state = 'rejected'", "ck_retrain_rejected"),
        ("state = 'canary'", "ck_retrain_candidate"),
        ("lease_owner = 'a:1'", "ck_retrain_"),
        ("override_reason = 'so'", "ck_retrain_override"),
        ("override_reason = '', override_at = now()", "ck_retrain_override_reason"),
    ],
)
def test_a_state_comes_with_what_belongs_to_it(session: Session, change: str, constraint: str) -> None:
    row = retrain(session)
    with pytest.raises(IntegrityError, match=constraint), session.begin_nested():
        session.execute(text(f"UPDATE retrain SET {change} WHERE id = '{row.id}'"))
