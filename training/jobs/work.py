"""Working on one retrain: taken under a lease, carried on, handed back in the state that it came to.

Decided here: what each way to end means for the row. Who is told to stop gives it back at once for another one; who cannot reach the
database lets the lease run out. What the steps are is ``chain``'s.
"""

import math
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.exc import IntegrityError
from structlog.contextvars import bound_contextvars

from agent.telemetry import span
from db.engine import SessionFactory
from db.errors import ParleyError
from db.models import Retrain
from db.repositories import retrain_schedules, retrains
from db.repositories.retrains import RetrainHeld
from db.repositories.training_runs import LeaseLost
from db.vocabulary import RetrainState, RetrainStep, StepState
from training.files import put
from training.jobs.chain import Chain, Outcome
from training.jobs.child import is_ready
from training.jobs.lease import AWAY, Ending, Lease, Stopped, is_gone, owner
from training.jobs.outlet import Outlet
from training.jobs.plan import parse_plan
from training.jobs.schedule import QuietHours
from training.jobs.schedules import quiet_hours
from training.jobs.settings import JobSettings

_LOOK_S = 10.0
"""Between two looks whether quiet hours have begun, after which the time that was spent is noted, too."""
_SPENT = "spent.txt"
"""Seconds of work on it so far: waiting in the queue and in quiet hours costs nothing."""
_TRIES, _PAUSE_S = 5, 1.0
_log = structlog.get_logger(__name__)


def work(
    sessions: SessionFactory,
    retrain_id: UUID,
    *,
    outlet: Outlet,
    settings: JobSettings | None = None,
    shutdown: threading.Event | None = None,
) -> RetrainState | None:
    """Work on the retrain to its end, or to its canary; the state that it is in then. None where it is not ours to work on (any more).

    Raises:
        DatabaseUnreachable, DatabaseBusy: before anything was begun.
    """
    chosen = settings or JobSettings()
    claimed = _claimed(sessions, retrain_id, chosen)
    if claimed is None:
        return None
    row, token, quiet = claimed
    ends = _Ends(row, shutdown, quiet)
    _log.info("retrain.taken", retrain=str(retrain_id), token=token)
    lasting = timedelta(seconds=chosen.jobs_lease_s)
    with (
        bound_contextvars(retrain=str(retrain_id)),
        span("retrain", retrain=retrain_id, trigger=row.trigger, token=token),
        Lease(sessions, retrain_id, token, lasting=lasting, ends=ends) as lease,
    ):
        outcome = _came_to(lambda: Chain(row, lease, sessions=sessions, outlet=outlet, settings=chosen).run(), row)
    state = None if outcome is None else _handed_back(sessions, row, token, outcome)
    _log.info("retrain.left", retrain=str(retrain_id), token=token, state=None if state is None else str(state))
    return state


def _claimed(sessions: SessionFactory, retrain_id: UUID, settings: JobSettings) -> tuple[Retrain, int, QuietHours | None] | None:
    try:
        with sessions.begin() as session:
            row = retrains.get(session, retrain_id)
            quiet = None if row.schedule_id is None else quiet_hours(retrain_schedules.get(session, row.schedule_id))
            if quiet is not None and quiet.has(retrain_schedules.now(session)):
                return None
            token = retrains.claim(
                session,
                retrain_id,
                owner=owner(),
                lasting=timedelta(seconds=settings.jobs_lease_s),
                dead_owner=row.lease_owner if is_gone(row.lease_owner) else None,
            )
            if row.started_at is None:
                # For the first time, or again after somebody has said so.
                (Path(row.folder) / _SPENT).unlink(missing_ok=True)
            row = retrains.get(session, retrain_id)
            session.expunge(row)
            return row, token, quiet
    except (RetrainHeld, IntegrityError) as error:
        _log.info("retrain.not_taken", retrain=str(retrain_id), error=str(error))
        return None


class _Ends:
    """The reasons to end that are not the lease's own."""

    def __init__(self, row: Retrain, shutdown: threading.Event | None, quiet: QuietHours | None) -> None:
        self._folder = Path(row.folder)
        self._minutes = parse_plan(row.plan).budget.minutes
        self._shutdown, self._quiet = shutdown, quiet
        spent = self._folder / _SPENT
        self._before_s = float(spent.read_text(encoding="utf-8")) if spent.is_file() else 0.0
        self._begun = time.monotonic()
        self._looked = -math.inf

    def __call__(self) -> Ending | None:
        """The first that holds."""
        if self._shutdown is not None and self._shutdown.is_set():
            return Ending.SHUTDOWN
        spent_s = self._before_s + time.monotonic() - self._begun
        if self._minutes is not None and spent_s > 60 * self._minutes and not is_ready(self._folder, RetrainStep.EVALUATE):
            return Ending.BUDGET
        if time.monotonic() - self._looked < _LOOK_S:
            return None
        self._looked = time.monotonic()
        if self._folder.is_dir():
            put(self._folder / _SPENT, f"{spent_s:.1f}")
        return Ending.QUIET if self._quiet is not None and self._quiet.has(datetime.now(UTC)) else None


def _came_to(run: Callable[[], Outcome], row: Retrain) -> Outcome | None:
    """What the chain came to, whatever way it ended; None where nothing is to be written."""
    try:
        return run()
    except Stopped as stopped:
        match stopped.ending:
            case Ending.LOST:
                return None
            case Ending.CANCELLED:
                return Outcome(state=RetrainState.CANCELLED)
            case Ending.SHUTDOWN | Ending.QUIET:
                return Outcome(state=RetrainState.QUEUED)
            case Ending.BUDGET:
                minutes = parse_plan(row.plan).budget.minutes
                return _failed(
                    f"Its {minutes:g} minutes are used up. What is done stands: `parley retrain again` goes on with as many more."
                )
    except AWAY as error:
        _log.warning("retrain.database_away", retrain=str(row.id), error=str(error))
        return None
    except ParleyError as error:
        return _failed(str(error))
    except Exception as error:
        _log.exception("retrain.broke_off", retrain=str(row.id))
        return _failed(f"It broke off for a reason that was not foreseen: {type(error).__name__}: {error}. The worker's log has the rest.")


def _failed(error: str) -> Outcome:
    return Outcome(state=RetrainState.FAILED, known={"error": error})


def _handed_back(sessions: SessionFactory, row: Retrain, token: int, outcome: Outcome) -> RetrainState | None:
    for left in reversed(range(_TRIES)):
        try:
            with sessions.begin() as session:
                _tell_step(session, row.id, outcome)
                retrains.hand_back(session, row.id, token, outcome.state, **outcome.known)
            return outcome.state
        except LeaseLost:
            return None
        except AWAY:
            if not left:
                return None
            time.sleep(_PAUSE_S)
    raise AssertionError("there is at least one try")


def _tell_step(session: Any, retrain_id: UUID, outcome: Outcome) -> None:
    """The step that was being worked on is no longer."""
    ended = {RetrainState.FAILED: StepState.FAILED, RetrainState.CANCELLED: StepState.SKIPPED, RetrainState.QUEUED: StepState.WAITING}
    if (state := ended.get(outcome.state)) is None:
        return
    for row in retrains.steps(session, retrain_id):
        if row.state is StepState.RUNNING:
            figures = {**row.figures, "error": outcome.known["error"]} if "error" in outcome.known else row.figures
            retrains.write_step(session, retrain_id, row.step, state, progress=row.progress, figures=figures)
