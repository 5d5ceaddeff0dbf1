"""Where a run is written down while it goes on: always in its folder, and in the database where there is one.

Decided here: one transaction a batch of events, under the lease's fencing token; and that a database which is away for a while costs no
training: what it missed is written when it is back, at the latest when the run is resumed.
"""

import os
import socket
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import structlog

from db.engine import DatabaseBusy, DatabaseUnreachable, SessionFactory
from db.models import Json, TrainingRun
from db.repositories import training_runs
from db.vocabulary import RunState
from training.runs.events import Began, Event, Measured
from training.runs.metrics import by_step, read_metrics
from training.runs.plan import Plan
from training.runs.status import Status

LEASE = timedelta(seconds=60)
BEAT_S = 5.0
_AWAY = (DatabaseUnreachable, DatabaseBusy)
_ENDED = (RunState.STOPPED, RunState.FAILED, RunState.DONE)
_TRIES, _PAUSE_S = 5, 1.0
_log = structlog.get_logger(__name__)


class Ledger:
    """Of one run. Whoever uses it holds the folder's lock (``status.supervised``)."""

    def __init__(self, folder: Path, plan: Plan, sessions: SessionFactory | None = None, *, requested_by: UUID | None = None) -> None:
        """Nothing is written yet; ``requested_by`` is the person."""
        self.folder, self.plan = folder, plan
        self._sessions, self._requested_by = sessions, requested_by
        self._token = 0
        self._forget: int | None = None
        self._figures: dict[int, Json] = {}
        self._beaten = 0.0

    def begin(self, status: Status) -> None:
        """Make the row where there is none, and take the run. Raises RunHeld where somebody else has it."""
        status.write(self.folder)
        if self._sessions is None:
            return
        owner = f"{socket.gethostname()}:{os.getpid()}"
        with self._sessions.begin() as session:
            row = session.get(TrainingRun, self.plan.id) or training_runs.create(session, self._row())
            # We hold the folder's lock: another process of this machine that had the run is gone.
            here = (row.lease_owner or "").rpartition(":")[0] == socket.gethostname()
            self._token = training_runs.claim(session, row.id, owner=owner, lasting=LEASE, dead_owner=row.lease_owner if here else None)

    def told(self, events: list[Event], status: Status) -> bool:
        """Write down what has happened since the last time; whether somebody asks the run to stop. Raises LeaseLost."""
        for event in events:
            if isinstance(event, Began):
                self._forget, self._figures = event.step, {}
            elif isinstance(event, Measured):
                self._figures.setdefault(event.step, {}).update(event.values)
        if events:
            status.write(self.folder)
        if self._sessions is None or not (events or time.monotonic() - self._beaten > BEAT_S):
            return False
        try:
            return self._beat(self._sessions, status)
        except _AWAY as error:
            _log.warning("run.database_away", run=str(self.plan.id), error=str(error))
            self._beaten = time.monotonic()
            return False

    def _beat(self, sessions: SessionFactory, status: Status) -> bool:
        config = self.plan.model_dump(mode="json") | {"settings": status.settings or self.plan.settings}
        with sessions.begin() as session:
            asked = training_runs.beat(
                session, self.plan.id, self._token, lasting=LEASE, step=status.step, steps=status.steps, log_path=status.log, config=config
            )
            if self._forget is not None:
                training_runs.forget_after(session, self.plan.id, self._forget)
            training_runs.add_metrics(session, self.plan.id, self._figures)
        self._forget, self._figures, self._beaten = None, {}, time.monotonic()
        return asked

    def end(self, status: Status) -> None:
        """Write down how it ended, and give it back. Raises LeaseLost, and DatabaseUnreachable after some patience."""
        assert status.state in _ENDED, f"a run does not end as {status.state}"
        status.write(self.folder)
        if self._sessions is None:
            return
        known = {"adapter_path": status.adapter, "adapter_sha256": status.adapter_sha256, "error": status.error}
        for left in reversed(range(_TRIES)):
            try:
                self._beat(self._sessions, status)
                with self._sessions.begin() as session:
                    training_runs.end(session, self.plan.id, self._token, status.state, **known)
                return
            except _AWAY:
                if not left:
                    raise
                time.sleep(_PAUSE_S)

    def catch_up(self, status: Status) -> None:
        """Record a run that is over in its folder where the database has missed that; twice is as once."""
        if self._sessions is None:
            return
        with self._sessions() as session:
            row = session.get(TrainingRun, self.plan.id)
        if row is not None and row.state is RunState.DONE:
            return
        self.begin(status)
        self._figures = by_step(read_metrics(self.folder))
        self.end(status)

    def _row(self) -> TrainingRun:
        plan, spec = self.plan, self.plan.reward_spec
        return TrainingRun(
            id=plan.id,
            objective=plan.objective,
            seed=plan.seed,
            config=plan.model_dump(mode="json"),
            folder=str(self.folder),
            snapshot_sha256=plan.snapshot_sha256,
            spec_version=spec.version,
            spec_digest=spec.digest,
            versions=plan.versions,
            git_revision=plan.git_revision,
            requested_by=self._requested_by,
        )
