"""Training runs: one worker at a time, an overtaken one writes nothing, and figures that come twice count once."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from db.models import TrainingRun
from db.repositories import training_runs
from db.repositories.training_runs import LeaseLost, RunHeld, RunNotFound
from db.vocabulary import RunState

MINUTE = timedelta(minutes=1)


def run(session: Session, folder: str = "runs/a", **changed: str | None) -> TrainingRun:
    row = TrainingRun(
        objective="repo", seed=1, config={"beta": 0.02}, folder=folder, snapshot_sha256="00", spec_version=1, spec_digest="11", versions={}
    )
    row.policy_line = changed.get("policy_line")
    return training_runs.create(session, row)


def test_a_run_has_one_worker_at_a_time(session: Session) -> None:
    row = run(session)
    assert row.state is RunState.QUEUED
    first = training_runs.claim(session, row.id, owner="a:1", lasting=MINUTE)
    with pytest.raises(RunHeld, match="worked on by a:1"):
        training_runs.claim(session, row.id, owner="b:2", lasting=MINUTE)
    second = training_runs.claim(session, row.id, owner="a:2", lasting=MINUTE, dead_owner="a:1")
    assert second > first
    with pytest.raises(LeaseLost):
        training_runs.beat(session, row.id, first, lasting=MINUTE, step=3)
    assert not training_runs.beat(session, row.id, second, lasting=MINUTE, step=4, steps=9)
    found = training_runs.get(session, row.id)
    assert (found.step, found.steps, found.state, found.lease_owner) == (4, 9, RunState.RUNNING, "a:2")


def test_a_lease_that_has_run_out_can_be_taken(session: Session) -> None:
    row = run(session)
    first = training_runs.claim(session, row.id, owner="a:1", lasting=timedelta(seconds=-1))
    assert training_runs.claim(session, row.id, owner="b:2", lasting=MINUTE) == first + 1


def test_a_run_that_is_done_is_not_taken_again(session: Session) -> None:
    row = run(session)
    token = training_runs.claim(session, row.id, owner="a:1", lasting=MINUTE)
    training_runs.end(session, row.id, token, RunState.DONE, adapter_path="x", adapter_sha256="22")
    with pytest.raises(RunHeld, match="is done"):
        training_runs.claim(session, row.id, owner="a:1", lasting=MINUTE)
    with pytest.raises(LeaseLost):
        training_runs.end(session, row.id, token, RunState.STOPPED)
    done = training_runs.get(session, row.id)
    assert (done.lease_owner, done.adapter_sha256) == (None, "22")
    assert done.ended_at is not None


@pytest.mark.parametrize("state", [RunState.STOPPED, RunState.FAILED])
def test_what_was_broken_off_can_go_on(session: Session, state: RunState) -> None:
    row = run(session)
    token = training_runs.claim(session, row.id, owner="a:1", lasting=MINUTE)
    training_runs.end(session, row.id, token, state, error="the disk is full")
    assert training_runs.claim(session, row.id, owner="b:1", lasting=MINUTE) == token + 1
    assert training_runs.get(session, row.id).error is None


def test_somebody_can_ask_it_to_stop(session: Session) -> None:
    row = run(session)
    assert not training_runs.ask_to_stop(session, row.id), "it does not run yet"
    token = training_runs.claim(session, row.id, owner="a:1", lasting=MINUTE)
    assert not training_runs.beat(session, row.id, token, lasting=MINUTE)
    assert training_runs.ask_to_stop(session, row.id)
    assert training_runs.beat(session, row.id, token, lasting=MINUTE)


def test_one_run_of_a_line_is_running_and_others_wait(session: Session) -> None:
    one, other, by_hand = run(session, "a", policy_line="live"), run(session, "b", policy_line="live"), run(session, "c")
    token = training_runs.claim(session, one.id, owner="a:1", lasting=MINUTE)
    training_runs.claim(session, by_hand.id, owner="a:2", lasting=MINUTE)
    with pytest.raises(IntegrityError, match="uq_training_run_running"), session.begin_nested():
        training_runs.claim(session, other.id, owner="a:3", lasting=MINUTE)
    training_runs.end(session, one.id, token, RunState.FAILED, error="x")
    training_runs.claim(session, other.id, owner="a:3", lasting=MINUTE)


def test_figures_that_come_twice_count_once(session: Session) -> None:
    row = run(session)
    training_runs.add_metrics(session, row.id, {})
    training_runs.add_metrics(session, row.id, {1: {"loss": 2.0}, 2: {"loss": 1.0}, 3: {"loss": 0.5}})
    training_runs.add_metrics(session, row.id, {2: {"held_out/total": 0.1, "loss": 1.5}})
    told = [(metric.step, metric.values) for metric in training_runs.metrics(session, row.id)]
    assert told == [(1, {"loss": 2.0}), (2, {"loss": 1.5, "held_out/total": 0.1}), (3, {"loss": 0.5})]
    training_runs.forget_after(session, row.id, 1)
    assert [metric.step for metric in training_runs.metrics(session, row.id)] == [1]
    assert list(training_runs.metrics(session, row.id, after=1)) == []


def test_runs_are_found_by_id_and_folder_newest_first(session: Session) -> None:
    one, other = run(session, "a"), run(session, "b")
    assert training_runs.find_by_folder(session, "b") is other
    assert training_runs.find_by_folder(session, "c") is None
    assert list(training_runs.list_newest(session, limit=2)) == [other, one]
    with pytest.raises(RunNotFound):
        training_runs.get(session, uuid7())


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("state = 'running'", "ck_training_run_held"),
        ("state = 'done'", "ck_training_run_done"),
        ("state = 'failed'", "ck_training_run_failed"),
        ("step = -1", "ck_training_run_progress"),
        ("lease_owner = 'a:1'", "ck_training_run_"),
    ],
)
def test_a_state_comes_with_what_belongs_to_it(session: Session, change: str, constraint: str) -> None:
    row = run(session)
    with pytest.raises(IntegrityError, match=constraint), session.begin_nested():
        session.execute(text(f"UPDATE training_run SET {change} WHERE id = '{row.id}'"))
