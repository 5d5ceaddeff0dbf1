"""What happens each minute: schedules fire once, orphans are found, canaries are settled, and what nobody needs is thrown away."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from agent.service.routing import ensure_first_version
from agent.serving import ModelServerUnavailable
from agent.serving.starter import ADAPTER_FOLDER, MODEL_NAME
from db.engine import SessionFactory
from db.models import PolicyVersion, RetrainSchedule
from db.repositories import audit_events, deployments, policy_versions, retrain_schedules, retrains
from db.vocabulary import DeploymentRole, PolicyStatus, RetrainState, RetrainTrigger
from tests.training.jobs.job_scenes import TOY, Shelf, asked, row_of, settings_in, steps_of
from training.files import put
from training.jobs import retention, schedules
from training.jobs.lease import owner
from training.jobs.schedule import ScheduleRefused
from training.jobs.schedules import ScheduleNameTaken, add_schedule, change_schedule, remove_schedule
from training.jobs.settings import JobSettings
from training.jobs.tick import tick

OVER = timedelta(seconds=-1)


@pytest.fixture
def settings(tmp_path: Path) -> JobSettings:
    return settings_in(tmp_path)


@pytest.fixture
def shelf(sessions: SessionFactory, tmp_path: Path) -> Shelf:
    return Shelf(sessions, tmp_path / "adapters")


def due(sessions: SessionFactory, **changed: object) -> UUID:
    """A schedule whose hour has just come."""
    with sessions.begin() as session:
        schedule = add_schedule(session, "nightly", TOY, cron="0 3 * * *")
        retrain_schedules.change(session, schedule.id, **{"next_due_at": datetime.now(UTC) - timedelta(minutes=1), **changed})
        return schedule.id


def schedule_of(sessions: SessionFactory, schedule_id: UUID) -> RetrainSchedule:
    with sessions() as session:
        return retrain_schedules.get(session, schedule_id)


class TestSchedules:
    def test_that_an_hour_that_has_come_begins_one_retrain(self, sessions: SessionFactory, settings: JobSettings, shelf: Shelf) -> None:
        schedule_id = due(sessions)
        found = tick(sessions, shelf, settings)
        assert len(found) == 1
        row = row_of(sessions, found[0])
        assert (row.trigger, row.schedule_id, row.requested_by) == (RetrainTrigger.SCHEDULE, schedule_id, None)
        assert tick(sessions, shelf, settings) == found, "it is still the one to be worked on, and no other was begun"
        schedule = schedule_of(sessions, schedule_id)
        assert schedule.next_due_at is not None
        assert schedule.next_due_at > datetime.now(UTC)
        assert schedule.last_fired_at is not None
        assert shelf.looks == 2

    def test_that_an_hour_is_skipped_while_the_last_retrain_is_not_over(
        self, sessions: SessionFactory, settings: JobSettings, shelf: Shelf
    ) -> None:
        schedule_id = due(sessions)
        found = tick(sessions, shelf, settings)
        with sessions.begin() as session:
            retrain_schedules.change(session, schedule_id, next_due_at=datetime.now(UTC) - timedelta(minutes=1))
        assert tick(sessions, shelf, settings) == found
        later = schedule_of(sessions, schedule_id).next_due_at
        assert later is not None
        assert later > datetime.now(UTC)

    def test_that_nothing_is_begun_in_quiet_hours_or_while_it_is_off(
        self, sessions: SessionFactory, settings: JobSettings, shelf: Shelf
    ) -> None:
        schedule_id = due(sessions, quiet_from=time(0), quiet_to=time(23, 59, 59, 999_999))
        assert tick(sessions, shelf, settings) == []
        with sessions.begin() as session:
            retrain_schedules.change(session, schedule_id, quiet_from=None, quiet_to=None, enabled=False)
        assert tick(sessions, shelf, settings) == []

    @pytest.mark.parametrize(
        ("condition", "counts", "trigger"),
        [
            ({"min_ratings": 3}, "count_ratings_since", RetrainTrigger.RATINGS),
            ({"min_bad_cases": 1}, "count_bad_cases_since", RetrainTrigger.BAD_CASE),
        ],
    )
    def test_that_enough_of_what_is_new_begins_one(
        self,
        sessions: SessionFactory,
        settings: JobSettings,
        shelf: Shelf,
        monkeypatch: pytest.MonkeyPatch,
        condition: dict[str, int],
        counts: str,
        trigger: RetrainTrigger,
    ) -> None:
        with sessions.begin() as session:
            schedule_id = add_schedule(session, "enough", TOY, **condition).id  # pyright: ignore[reportArgumentType]
        (wanted,) = condition.values()
        new: dict[datetime | None, int] = {schedule_of(sessions, schedule_id).counted_until: wanted - 1}
        monkeypatch.setattr(schedules.retrain_schedules, counts, lambda _, since: new.get(since, 0))
        assert tick(sessions, shelf, settings) == []
        new = dict.fromkeys(new, wanted)
        found = tick(sessions, shelf, settings)
        assert [row_of(sessions, retrain_id).trigger for retrain_id in found] == [trigger]
        assert tick(sessions, shelf, settings) == found, "what has had its retrain does not count again"

    def test_that_one_which_a_release_does_not_know_any_more_leaves_the_others_to_fire(
        self, sessions: SessionFactory, settings: JobSettings, shelf: Shelf
    ) -> None:
        due(sessions, plan={"objective": "alchemy"})
        with sessions.begin() as session:
            other = add_schedule(session, "other", TOY, cron="0 3 * * *")
            retrain_schedules.change(session, other.id, next_due_at=datetime.now(UTC) - timedelta(minutes=1))
        assert len(tick(sessions, shelf, settings)) == 1

    def test_that_changes_are_checked_and_leave_a_trail(self, sessions: SessionFactory) -> None:
        with sessions.begin() as session:
            schedule_id = add_schedule(session, "nightly", TOY, cron="0 3 * * *", timezone="Europe/Berlin").id
        with sessions.begin() as session, pytest.raises(ScheduleNameTaken, match="'nightly' already"):
            add_schedule(session, "nightly", TOY, min_ratings=1)
        wrongs: dict[str, Any] = {"cron": "never", "timezone": "Nowhere", "quiet_from": time(1), "min_ratings": 0, "name": ""}
        for wrong in (*({column: value} for column, value in wrongs.items()), {"cron": None}):
            with sessions() as session, pytest.raises(ScheduleRefused):
                change_schedule(session, schedule_id, **wrong)
        with sessions.begin() as session:
            changed = change_schedule(session, schedule_id, cron="30 4 * * *", plan=TOY.model_copy(update={"line": "other"}))
            assert changed.policy_line == "other"
            assert changed.next_due_at is not None
            assert changed.next_due_at.minute == 30
        with sessions.begin() as session:
            remove_schedule(session, schedule_id)
            trail = audit_events.list_of_subject(session, "retrain_schedule", schedule_id)
        assert [event.action for event in trail] == [f"retrain_schedule.{act}" for act in ("add", "change", "remove")]
        assert trail[1].before is not None
        assert trail[1].before["cron"] == "0 3 * * *"


class TestWork:
    def test_that_an_orphan_is_asked_for_again(self, sessions: SessionFactory, settings: JobSettings, shelf: Shelf) -> None:
        retrain_id = asked(sessions, settings)
        with sessions.begin() as session:
            retrains.claim(session, retrain_id, owner="elsewhere:1:a", lasting=OVER)
        assert tick(sessions, shelf, settings) == [retrain_id]

    def test_that_a_dead_process_of_this_machine_is_not_waited_for(
        self, sessions: SessionFactory, settings: JobSettings, shelf: Shelf
    ) -> None:
        retrain_id = asked(sessions, settings)
        host, _, space, word = owner().split(":")
        with sessions.begin() as session:
            retrains.claim(session, retrain_id, owner=f"{host}:99999999:{space}:{word}", lasting=timedelta(hours=1))
        assert tick(sessions, shelf, settings) == [retrain_id]

    def test_that_a_dead_process_that_nobody_has_asked_after_is_not_waited_for(
        self, sessions: SessionFactory, settings: JobSettings, shelf: Shelf
    ) -> None:
        retrain_id = asked(sessions, settings)
        host, _, space, _ = owner().split(":")
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
            with sessions.begin() as session:
                held_by = f"{host}:{process.pid}:{space}:a"
                retrains.claim(session, retrain_id, owner=held_by, lasting=timedelta(hours=1))
            assert tick(sessions, shelf, settings) == []
            process.kill()
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it is dead, and still listed
            assert tick(sessions, shelf, settings) == [retrain_id]

    def test_that_who_is_alive_is_left_alone(self, sessions: SessionFactory, settings: JobSettings, shelf: Shelf) -> None:
        retrain_id = asked(sessions, settings)
        with sessions.begin() as session:
            retrains.claim(session, retrain_id, owner="elsewhere:1:a", lasting=timedelta(hours=1))
        assert tick(sessions, shelf, settings) == []

    def test_that_a_model_server_that_is_away_stops_nothing_else(
        self, sessions: SessionFactory, settings: JobSettings, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away() -> None:
            raise ModelServerUnavailable("The model server is away.")

        monkeypatch.setattr(shelf, "look", away)
        retrain_id = asked(sessions, settings)
        assert tick(sessions, shelf, settings) == [retrain_id]


def canary_out(sessions: SessionFactory, settings: JobSettings, shelf: Shelf) -> tuple[UUID, UUID]:
    """A retrain whose canary is out, and its version."""
    retrain_id = asked(sessions, settings)
    version_id = version(sessions, "policy-v9")
    with sessions.begin() as session:
        token = retrains.claim(session, retrain_id, owner="here:1:a", lasting=timedelta(minutes=1))
        retrains.hand_back(session, retrain_id, token, RetrainState.CANARY, candidate_id=version_id)
    shelf.start_canary(version_id, share=0.1)
    return retrain_id, version_id


def version(sessions: SessionFactory, name: str, *, path: str | None = None, parent: UUID | None = None) -> UUID:
    with sessions.begin() as session:
        row = PolicyVersion(name=name, base_model=MODEL_NAME, adapter_path=path, parent_id=parent, status=PolicyStatus.PUBLISHED)
        return policy_versions.create(session, row)[0].id


class TestCanaries:
    def test_that_a_canary_that_nobody_has_moved_stays(self, sessions: SessionFactory, settings: JobSettings, shelf: Shelf) -> None:
        retrain_id, _ = canary_out(sessions, settings, shelf)
        tick(sessions, shelf, settings)
        assert row_of(sessions, retrain_id).state is RetrainState.CANARY

    def test_that_one_that_became_live_makes_its_retrain_live(self, sessions: SessionFactory, settings: JobSettings, shelf: Shelf) -> None:
        retrain_id, version_id = canary_out(sessions, settings, shelf)
        shelf.promote(version_id)
        tick(sessions, shelf, settings)
        assert row_of(sessions, retrain_id).state is RetrainState.LIVE
        with sessions() as session:
            assert steps_of(session, retrain_id)["live"] == "done"

    def test_that_one_that_was_taken_back_lets_the_next_of_its_line_begin(
        self, sessions: SessionFactory, settings: JobSettings, shelf: Shelf
    ) -> None:
        retrain_id, _ = canary_out(sessions, settings, shelf)
        waiting = asked(sessions, settings)
        assert tick(sessions, shelf, settings) == []
        with sessions.begin() as session:
            deployments.end_active(session, DeploymentRole.CANARY)
        assert tick(sessions, shelf, settings) == [waiting]
        row = row_of(sessions, retrain_id)
        assert (row.state, row.error) == (RetrainState.ROLLED_BACK, "Its version was rolled back.")

    def test_that_a_live_one_is_rolled_back_only_where_it_was_retired(
        self, sessions: SessionFactory, settings: JobSettings, shelf: Shelf
    ) -> None:
        retrain_id, version_id = canary_out(sessions, settings, shelf)
        shelf.promote(version_id)
        tick(sessions, shelf, settings)
        shelf.promote(version(sessions, "policy-v10"))
        tick(sessions, shelf, settings)
        assert row_of(sessions, retrain_id).state is RetrainState.LIVE, "a newer one has followed it"
        with sessions.begin() as session:
            deployments.retire(session, version_id)
        tick(sessions, shelf, settings)
        assert row_of(sessions, retrain_id).state is RetrainState.ROLLED_BACK


class TestRetention:
    @pytest.fixture(autouse=True)
    def kept_here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(retention, "adapters_folder", lambda: tmp_path / "adapters")

    @pytest.fixture
    def publish(self, sessions: SessionFactory, shelf: Shelf) -> Callable[..., UUID]:
        def publish(name: str, parent: UUID | None = None) -> UUID:
            return shelf.publish(ADAPTER_FOLDER, name=name, parent_id=parent, note={}, created_by=None)

        return publish

    def test_that_old_versions_go_and_what_is_needed_stays(
        self, sessions: SessionFactory, settings: JobSettings, shelf: Shelf, publish: Callable[..., UUID]
    ) -> None:
        with sessions.begin() as session:
            ensure_first_version(session, MODEL_NAME)
        ids = {name: publish(name) for name in ("policy-v2", "policy-v3", "policy-v4", "policy-v5", "policy-v6")}
        ids["policy-v7"] = publish("policy-v7", ids["policy-v6"])
        ids["policy-v8"] = publish("policy-v8")
        shelf.promote(ids["policy-v7"])
        shelf.served = {"policy-v4"}
        retrain_id = asked(sessions, settings)
        put_beginning(settings.folder() / str(retrain_id), "policy-v5")
        thrown = retention.clean(sessions, shelf, settings.model_copy(update={"keep_adapters": 1}))
        # v4 is loaded, v5 is begun from, v6 is the parent of what is live, v7 is live, v8 is the newest.
        assert sorted(thrown) == ["policy-v2", "policy-v3"]
        assert [one.name for one in shelf.store.list()] == ["policy-v4", "policy-v5", "policy-v6", "policy-v7", "policy-v8"]
        with sessions() as session:
            gone = policy_versions.find_by_id(session, ids["policy-v2"])
            assert gone is not None
            assert gone.status is PolicyStatus.REMOVED
        assert retention.clean(sessions, shelf, settings.model_copy(update={"keep_adapters": 1})) == []

    def test_that_old_retrains_lose_their_bulk_and_keep_their_reports(
        self, sessions: SessionFactory, settings: JobSettings, shelf: Shelf
    ) -> None:
        folders: list[Path] = []
        for _ in range(3):
            retrain_id = asked(sessions, settings)
            with sessions.begin() as session:
                retrains.end_queued(session, retrain_id)
            folder = settings.folder() / str(retrain_id)
            for name in ("snapshot/data", "reward_model/model", "policy/checkpoints/checkpoint-2", "evaluate"):
                (folder / name).mkdir(parents=True)
            put(folder / "evaluate" / "gate.json", "{}")
            folders.append(folder)
        open_one = asked(sessions, settings)
        (settings.folder() / str(open_one) / "snapshot").mkdir(parents=True)
        retention.clean(sessions, shelf, settings.model_copy(update={"keep_retrains": 1}))
        assert [(folder / "snapshot").exists() for folder in folders] == [False, False, True]
        assert [(folder / "policy" / "checkpoints").exists() for folder in folders] == [False, False, True]
        assert all((folder / "evaluate" / "gate.json").exists() for folder in folders)
        assert (settings.folder() / str(open_one) / "snapshot").exists()


def put_beginning(folder: Path, start: str) -> None:
    folder.mkdir(parents=True)
    put(folder / "retrain.json", json.dumps({"start": start}))
