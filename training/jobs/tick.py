"""What is looked after each minute: schedules, orphans, canaries, old files. Any number of ticks at once do no harm.

Decided here: the order, and that one part which fails (the model server away, a full disk) is told and leaves the others to go on.
"""

from collections.abc import Callable, Sequence
from uuid import UUID

import structlog

from db.engine import SessionFactory
from db.errors import ParleyError
from db.repositories import retrain_schedules, retrains
from db.vocabulary import RetrainState
from training.jobs import retention
from training.jobs.lease import is_gone
from training.jobs.outlet import Outlet
from training.jobs.schedules import fire_due, quiet_hours
from training.jobs.settings import JobSettings
from training.jobs.settling import settle

_RUNNING = 100
_log = structlog.get_logger(__name__)


def tick(sessions: SessionFactory, outlet: Outlet, settings: JobSettings | None = None) -> Sequence[UUID]:
    """Look after everything once; the retrains that a worker should take now.

    Raises:
        DatabaseUnreachable, DatabaseBusy: nothing can be looked after without the database.
    """
    chosen = settings or JobSettings()
    with sessions.begin() as session:
        for row in fire_due(session, settings=chosen):
            _log.info("schedule.fired", retrain=str(row.id), trigger=str(row.trigger))
    _part("release", outlet.look)
    with sessions.begin() as session:
        for row in settle(session):
            _log.info("retrain.settled", retrain=str(row.id))
    _part("retention", lambda: _cleaned(sessions, outlet, chosen))
    return to_work_on(sessions)


def to_work_on(sessions: SessionFactory) -> Sequence[UUID]:
    """Retrains that a worker should take: queued ones whose turn it is, and orphans, but for those in their quiet hours."""
    with sessions.begin() as session:
        found = list(retrains.ids_to_work_on(session))
        running = retrains.list_newest(session, states=[RetrainState.RUNNING], limit=_RUNNING)
        # What a dead process of this machine holds need not wait for its lease to run out.
        found += [row.id for row in running if is_gone(row.lease_owner) and row.id not in found]
        now = retrain_schedules.now(session)
        rows = [retrains.get_with_people(session, retrain_id) for retrain_id in found]
        quiet = {row.id for row in rows if row.schedule is not None and (hours := quiet_hours(row.schedule)) and hours.has(now)}
    return [retrain_id for retrain_id in found if retrain_id not in quiet]


def _cleaned(sessions: SessionFactory, outlet: Outlet, settings: JobSettings) -> None:
    for what in retention.clean(sessions, outlet, settings):
        _log.info("retention.thrown_away", what=what)


def _part(name: str, do: Callable[[], None]) -> None:
    try:
        do()
    except (ParleyError, OSError) as error:
        _log.warning("tick.part_failed", part=name, error=str(error))
