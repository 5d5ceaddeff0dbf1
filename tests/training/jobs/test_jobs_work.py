"""Working on a retrain: every end that it can come to, taken over after kill -9, by one worker at a time.

Steps have a moment's work in them (``quick_step``), in real processes where processes are killed; the training of the policy is there
already. The chain with its real work is ``test_jobs_chain``.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import pytest

from agent.serving import ModelServerUnavailable
from db.engine import SessionFactory
from db.models import PolicyVersion
from db.repositories import audit_events, deployments, policy_versions, retrains
from db.vocabulary import DeploymentRole, PolicyStatus, RetrainState, StepState
from tests.training.jobs.job_scenes import TOY, Budget, Shelf, already_trained, asked, row_of, settings_in, steps_of
from tests.training.jobs.quick_step import NOTES, within
from training.jobs import child
from training.jobs.against import Against, freeze_against
from training.jobs.requests import RequestRefused, begin_again, cancel, override_gate
from training.jobs.settings import JobSettings
from training.jobs.work import work

ROOT = Path(__file__).parents[3]
PATIENCE_S = 240.0


@pytest.fixture(autouse=True)
def quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "processes" in request.fixturenames:
        monkeypatch.setattr(child, "STEP", "tests.training.jobs.quick_step")
    else:
        monkeypatch.setattr(child, "carry_out", within)


@pytest.fixture
def processes() -> None:
    """For a test whose steps are processes."""


@pytest.fixture
def settings(tmp_path: Path) -> JobSettings:
    return settings_in(tmp_path)


@pytest.fixture
def shelf(sessions: SessionFactory, tmp_path: Path) -> Shelf:
    return Shelf(sessions, tmp_path / "store")


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def notes(folder: Path) -> list[str]:
    return (folder / NOTES).read_text().splitlines() if (folder / NOTES).is_file() else []


def steps(sessions: SessionFactory, retrain_id: UUID) -> dict[str, str]:
    with sessions() as session:
        return steps_of(session, retrain_id)


def actions(sessions: SessionFactory, retrain_id: UUID) -> list[str]:
    with sessions() as session:
        return [event.action for event in audit_events.list_of_subject(session, "retrain", retrain_id)]


def test_that_a_retrain_goes_to_its_canary_and_holds_nothing_there(sessions: SessionFactory, settings: JobSettings, shelf: Shelf) -> None:
    retrain_id = asked(sessions, settings)
    already_trained(settings, retrain_id)
    assert work(sessions, retrain_id, outlet=shelf, settings=settings) is RetrainState.CANARY
    row = row_of(sessions, retrain_id)
    assert (row.lease_owner, row.ended_at, row.error) == (None, None, None)
    assert row.candidate_id is not None
    assert row.verdict is not None
    assert row.verdict["passed"] is True
    assert shelf.published == ["policy-v2"]
    done = dict.fromkeys(["snapshot", "reward_model", "policy", "evaluate", "gate", "publish"], "done")
    assert steps(sessions, retrain_id) == done | {"canary": "running", "live": "waiting"}
    assert work(sessions, retrain_id, outlet=shelf, settings=settings) is None, "nothing is left to work on"


def test_that_without_a_share_it_goes_live_at_once(sessions: SessionFactory, settings: JobSettings, shelf: Shelf) -> None:
    retrain_id = asked(sessions, settings, TOY.model_copy(update={"canary_share": 0.0}))
    already_trained(settings, retrain_id)
    assert work(sessions, retrain_id, outlet=shelf, settings=settings) is RetrainState.LIVE
    assert steps(sessions, retrain_id)["canary"] == "skipped"


@pytest.mark.parametrize("start", ["live", "base", "policy-v1"])
def test_that_what_it_began_at_is_its_parent(sessions: SessionFactory, settings: JobSettings, shelf: Shelf, start: str) -> None:
    with sessions.begin() as session:
        bare = PolicyVersion(name="parley-starter", base_model="parley-starter", adapter_path=None, status=PolicyStatus.PUBLISHED)
        policy_versions.create(session, bare)
    retrain_id = asked(sessions, settings, TOY.model_copy(update={"start": start}))
    already_trained(settings, retrain_id)
    work(sessions, retrain_id, outlet=shelf, settings=settings)
    with sessions() as session:
        parent = policy_versions.get(session, policy_versions.list_named(session, ["policy-v2"])[0].parent_id or retrain_id)
    assert parent.name == ("parley-starter" if start == "base" else "policy-v1")


def test_that_a_base_that_is_live_is_called_by_its_version(sessions: SessionFactory, tmp_path: Path) -> None:
    with sessions.begin() as session:
        bare = PolicyVersion(name="parley-starter", base_model="parley-starter", adapter_path=None, status=PolicyStatus.PUBLISHED)
        policy_versions.create(session, bare)
        deployments.deploy(session, bare.id, DeploymentRole.LIVE)
    assert freeze_against(sessions, tmp_path) == Against(name="parley-starter", adapter=None)


class Away(Shelf):
    """A model server that does not answer at first."""

    def __init__(self, sessions: SessionFactory, folder: Path, *, times: int) -> None:
        super().__init__(sessions, folder)
        self.times = times

    def publish(self, adapter: Path, **known: Any) -> UUID:
        self.times -= 1
        if self.times >= 0:
            raise ModelServerUnavailable("The model server is away.")
        return super().publish(adapter, **known)


def test_that_a_model_server_that_is_away_is_waited_for(sessions: SessionFactory, settings: JobSettings, tmp_path: Path) -> None:
    settings = settings.model_copy(update={"jobs_pause_s": 0.001})
    shelf = Away(sessions, tmp_path / "store", times=2 * settings.jobs_tries)
    retrain_id = asked(sessions, settings)
    already_trained(settings, retrain_id)
    assert work(sessions, retrain_id, outlet=shelf, settings=settings) is RetrainState.CANARY
    assert shelf.published == ["policy-v2"]


def test_that_a_model_server_is_not_waited_for_without_end(sessions: SessionFactory, settings: JobSettings, tmp_path: Path) -> None:
    settings = settings.model_copy(update={"jobs_pause_s": 0.001, "jobs_patience_s": 0.05})
    retrain_id = asked(sessions, settings)
    already_trained(settings, retrain_id)
    assert work(sessions, retrain_id, outlet=Away(sessions, tmp_path / "store", times=10_000), settings=settings) is RetrainState.FAILED
    assert row_of(sessions, retrain_id).error == "publish: The model server is away."


def test_that_a_rejected_one_is_let_past_its_gate_for_a_written_reason(
    sessions: SessionFactory, settings: JobSettings, shelf: Shelf
) -> None:
    retrain_id = asked(sessions, settings)
    folder = already_trained(settings, retrain_id)
    (folder / "reject").touch()
    assert work(sessions, retrain_id, outlet=shelf, settings=settings) is RetrainState.REJECTED
    assert shelf.published == []
    assert steps(sessions, retrain_id)["gate"] == "failed"
    with sessions.begin() as session, pytest.raises(RequestRefused, match="in 10 to"):
        override_gate(session, retrain_id, actor=None, reason="fine")
    with sessions.begin() as session:
        override_gate(session, retrain_id, actor=None, reason="The hotels of this test are easier.")
    before = notes(folder)
    assert work(sessions, retrain_id, outlet=shelf, settings=settings) is RetrainState.CANARY
    assert notes(folder) == before, "nothing was done again"
    assert actions(sessions, retrain_id) == ["retrain.request", "retrain.override"]
    with sessions.begin() as session, pytest.raises(RequestRefused, match="has not rejected it"):
        override_gate(session, retrain_id, actor=None, reason="The hotels of this test are easier.")


@pytest.mark.usefixtures("processes")
def test_that_cancelling_ends_the_process_and_beginning_again_goes_on(
    sessions: SessionFactory, settings: JobSettings, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUICK_S", "60")
    hurried = settings.model_copy(update={"jobs_lease_s": 6.0})
    retrain_id = asked(sessions, settings)
    folder = already_trained(settings, retrain_id)
    came_to: list[RetrainState | None] = []
    worker = threading.Thread(target=lambda: came_to.append(work(sessions, retrain_id, outlet=shelf, settings=hurried)))
    worker.start()
    until(lambda: notes(folder) == ["snapshot begins"])
    with sessions.begin() as session:
        cancel(session, retrain_id)
    worker.join(PATIENCE_S)
    assert came_to == [RetrainState.CANCELLED]
    assert not [process for process in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(process.info["cmdline"] or ())]
    assert steps(sessions, retrain_id)["snapshot"] == "skipped"
    with sessions.begin() as session, pytest.raises(RequestRefused, match="cancelled already"):
        cancel(session, retrain_id)
    with sessions.begin() as session:
        begin_again(session, retrain_id)
    monkeypatch.setenv("QUICK_S", "0")
    monkeypatch.setattr(child, "carry_out", within)
    assert work(sessions, retrain_id, outlet=shelf, settings=settings) is RetrainState.CANARY
    with sessions.begin() as session, pytest.raises(RequestRefused, match="roll the canary back"):
        cancel(session, retrain_id)
    assert actions(sessions, retrain_id) == ["retrain.request", "retrain.cancel", "retrain.again"]


def test_that_a_queued_one_is_cancelled_at_once(sessions: SessionFactory, settings: JobSettings, shelf: Shelf) -> None:
    retrain_id = asked(sessions, settings)
    with sessions.begin() as session:
        cancel(session, retrain_id)
    assert row_of(sessions, retrain_id).state is RetrainState.CANCELLED
    assert work(sessions, retrain_id, outlet=shelf, settings=settings) is None


def test_that_a_budget_that_is_used_up_ends_it_and_what_is_done_stands(
    sessions: SessionFactory, settings: JobSettings, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUICK_S", "60")
    retrain_id = asked(sessions, settings, TOY.model_copy(update={"budget": Budget(minutes=0.02)}))
    already_trained(settings, retrain_id)
    assert work(sessions, retrain_id, outlet=shelf, settings=settings) is RetrainState.FAILED
    row = row_of(sessions, retrain_id)
    assert row.error is not None
    assert "0.02 minutes are used up" in row.error
    assert steps(sessions, retrain_id)["snapshot"] == "failed"
    with sessions.begin() as session:
        begin_again(session, retrain_id)
    assert row_of(sessions, retrain_id).started_at is None, "its budget begins anew"


def test_that_a_worker_that_is_told_to_stop_gives_it_back(sessions: SessionFactory, settings: JobSettings, shelf: Shelf) -> None:
    retrain_id = asked(sessions, settings)
    already_trained(settings, retrain_id)
    shutdown = threading.Event()
    shutdown.set()
    assert work(sessions, retrain_id, outlet=shelf, settings=settings, shutdown=shutdown) is RetrainState.QUEUED
    assert work(sessions, retrain_id, outlet=shelf, settings=settings) is RetrainState.CANARY


def test_that_of_two_workers_that_race_one_works(sessions: SessionFactory, settings: JobSettings, shelf: Shelf) -> None:
    retrain_id = asked(sessions, settings)
    folder = already_trained(settings, retrain_id)
    came_to: list[RetrainState | None] = []
    workers = [
        threading.Thread(target=lambda: came_to.append(work(sessions, retrain_id, outlet=shelf, settings=settings))) for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE_S)
    assert sorted(map(str, came_to)) == ["None", "None", "None", "canary"]
    assert notes(folder) == [f"{step} {what}" for step in ("snapshot", "reward_model", "evaluate") for what in ("begins", "ends")]
    assert shelf.published == ["policy-v2"]


def test_that_another_one_of_the_line_waits_until_the_canary_is_decided(
    sessions: SessionFactory, settings: JobSettings, shelf: Shelf
) -> None:
    one, two = asked(sessions, settings), asked(sessions, settings)
    for retrain_id in (one, two):
        already_trained(settings, retrain_id)
    assert work(sessions, one, outlet=shelf, settings=settings) is RetrainState.CANARY
    assert work(sessions, two, outlet=shelf, settings=settings) is None
    assert row_of(sessions, two).state is RetrainState.QUEUED


@pytest.mark.usefixtures("processes")
def test_that_a_step_whose_process_is_killed_is_tried_again(
    sessions: SessionFactory, settings: JobSettings, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUICK_S", "1")
    retrain_id = asked(sessions, settings)
    folder = already_trained(settings, retrain_id)
    killed: list[int] = []

    def kill() -> None:
        until(lambda: "snapshot begins" in notes(folder))
        killed.extend(kill_steps(folder))

    killer = threading.Thread(target=kill)
    monkeypatch.setattr(child, "carry_out", only_the_first(child.carry_out, within))
    killer.start()
    assert work(sessions, retrain_id, outlet=shelf, settings=settings) is RetrainState.CANARY
    killer.join()
    assert killed
    assert notes(folder)[:3] == ["snapshot begins", "snapshot begins", "snapshot ends"]


@pytest.mark.usefixtures("processes")
def test_that_a_step_that_breaks_off_by_itself_fails_with_what_it_said(
    sessions: SessionFactory, settings: JobSettings, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUICK_S", "no number")
    retrain_id = asked(sessions, settings)
    already_trained(settings, retrain_id)
    assert work(sessions, retrain_id, outlet=shelf, settings=settings) is RetrainState.FAILED
    row = row_of(sessions, retrain_id)
    assert row.error is not None
    assert "snapshot broke off: ValueError" in row.error


def test_that_who_has_lost_the_lease_ends_its_work_and_writes_nothing(
    sessions: SessionFactory, settings: JobSettings, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUICK_S", "60")
    hurried = settings.model_copy(update={"jobs_lease_s": 6.0})
    retrain_id = asked(sessions, settings)
    folder = already_trained(settings, retrain_id)
    came_to: list[RetrainState | None] = []
    worker = threading.Thread(target=lambda: came_to.append(work(sessions, retrain_id, outlet=shelf, settings=hurried)))
    worker.start()
    until(lambda: notes(folder) == ["snapshot begins"])
    with sessions.begin() as session:
        before = retrains.get(session, retrain_id)
        retrains.claim(session, retrain_id, owner="elsewhere:1:a", lasting=timedelta(minutes=5), dead_owner=before.lease_owner)
    worker.join(PATIENCE_S)
    assert came_to == [None]
    row = row_of(sessions, retrain_id)
    assert (row.state, row.lease_owner) == (RetrainState.RUNNING, "elsewhere:1:a")
    assert steps(sessions, retrain_id)["snapshot"] == str(StepState.RUNNING)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("moment", "steps_are"), [("snapshot begins", "processes"), ("reward_model ends", "within"), ("evaluate ends", "within")]
)
def test_that_a_killed_worker_is_taken_over_and_everything_happens_once(
    sessions: SessionFactory, database_url: str, settings: JobSettings, shelf: Shelf, tmp_path: Path, moment: str, steps_are: str
) -> None:
    retrain_id = asked(sessions, settings)
    folder = already_trained(settings, retrain_id)
    command = [sys.executable, "-m", "tests.training.jobs.work_once", database_url, str(tmp_path), str(retrain_id), steps_are]
    # Held where it is killed within the worker; a step of its own goes on, an orphan, and ends by itself.
    held_at = {"HOLD_AT": moment} if steps_are == "within" else {}
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | {"QUICK_S": "2"} | held_at, stdout=subprocess.DEVNULL) as worker:
        until(lambda: moment in notes(folder))
        worker.kill()
    held = row_of(sessions, retrain_id)
    assert held.state is RetrainState.RUNNING
    # Its lease lasts a minute more, yet its process was of this machine and is gone.
    assert work(sessions, retrain_id, outlet=shelf, settings=settings) is RetrainState.CANARY
    assert row_of(sessions, retrain_id).fencing_token == held.fencing_token + 1
    until(lambda: not steps_at_work(folder))  # an orphan ends by itself
    ended = [line for line in notes(folder) if line.endswith("ends")]
    # Killed between its last word and its mark, a step is done again.
    assert list(dict.fromkeys(ended)) == ["snapshot ends", "reward_model ends", "evaluate ends"]
    assert len(ended) - 3 <= (moment in ended)
    with sessions() as session:
        made = [version.name for version in policy_versions.list_all(session) if "retrain" in version.note]
    assert made == ["policy-v2"], "by whichever of the two came to it"


def only_the_first(first: Callable[..., None], then: Callable[..., None]) -> Callable[..., None]:
    calls: list[Any] = []

    def carry_out(*arguments: Any, **named: Any) -> None:
        calls.append(arguments)
        (first if len(calls) == 1 else then)(*arguments, **named)

    return carry_out


def steps_at_work(folder: Path) -> list[int]:
    """Processes of steps in the folder."""
    return [process.pid for process in psutil.process_iter(["cmdline"]) if str(folder) in (process.info["cmdline"] or ())]


def kill_steps(folder: Path) -> list[int]:
    """SIGKILL to each of them."""
    killed = steps_at_work(folder)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    return killed
