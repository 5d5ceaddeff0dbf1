"""Queries on training runs: who works on which, how far each has come, and its figures.

Time is the database's. Whoever supervises a run writes under the fencing token of its lease; a write under an older one raises LeaseLost
and changes nothing.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from db.errors import ParleyError
from db.models import Json, TrainingMetric, TrainingRun
from db.vocabulary import RunState


class RunNotFound(ParleyError):
    """No training run has this id or folder."""


class RunHeld(ParleyError):
    """Somebody else works on the run."""


class LeaseLost(ParleyError):
    """Somebody else works on the run by now: what was done under the older lease does not count."""


def create(session: Session, run: TrainingRun) -> TrainingRun:
    """Write a run; a folder that another run has is refused (``IntegrityError``)."""
    session.add(run)
    session.flush()
    return run


def get(session: Session, run_id: uuid.UUID) -> TrainingRun:
    """The run as it is now. Raises RunNotFound."""
    found = session.get(TrainingRun, run_id, populate_existing=True)
    if found is None:
        raise RunNotFound(f"there is no training run {run_id}; choose one from the list, or name its folder")
    return found


def find_by_folder(session: Session, folder: str) -> TrainingRun | None:
    """The run whose files are in this folder."""
    return session.scalars(select(TrainingRun).where(TrainingRun.folder == folder)).one_or_none()


def list_newest(session: Session, *, limit: int = 50) -> Sequence[TrainingRun]:
    """Runs, newest first."""
    return session.scalars(select(TrainingRun).order_by(TrainingRun.created_at.desc(), TrainingRun.id.desc()).limit(limit)).all()


def claim(session: Session, run_id: uuid.UUID, *, owner: str, lasting: timedelta, dead_owner: str | None = None) -> int:
    """Take the run for ``owner`` and return the fencing token; it is then running.

    ``dead_owner`` is one whose process the caller knows to be gone: its lease need not run out first.

    Raises:
        RunNotFound: there is none.
        RunHeld: another lease has not run out yet, or the run is done.
    """
    free = or_(TrainingRun.lease_expires_at.is_(None), TrainingRun.lease_expires_at < func.now(), TrainingRun.lease_owner == dead_owner)
    token = session.scalars(
        update(TrainingRun)
        .where(TrainingRun.id == run_id, TrainingRun.state != RunState.DONE, free)
        .values(
            state=RunState.RUNNING,
            fencing_token=TrainingRun.fencing_token + 1,
            lease_owner=owner,
            lease_expires_at=func.now() + lasting,
            heartbeat_at=func.now(),
            started_at=func.coalesce(TrainingRun.started_at, func.now()),
            ended_at=None,
            stop_asked_at=None,
            error=None,
        )
        .returning(TrainingRun.fencing_token)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if token is not None:
        return token
    run = get(session, run_id)
    if run.state is RunState.DONE:
        raise RunHeld(f"training run {run_id} is done; start another one")
    raise RunHeld(f"training run {run_id} is worked on by {run.lease_owner} (lease until {run.lease_expires_at}); wait, or stop that one")


def beat(session: Session, run_id: uuid.UUID, token: int, *, lasting: timedelta, **known: Any) -> bool:
    """Renew the lease and write what is known by now (``step``, ``steps``, ``config``, ``log_path``); whether somebody asks it to stop.

    The row is locked until the transaction ends, so that what is written with it is written under this lease. Raises LeaseLost.
    """
    asked = session.execute(
        _held(run_id, token)
        .values(heartbeat_at=func.now(), lease_expires_at=func.now() + lasting, **known)
        .returning(TrainingRun.stop_asked_at)
    ).one_or_none()
    if asked is None:
        raise LeaseLost(_lost(run_id, token))
    return asked[0] is not None


def end(session: Session, run_id: uuid.UUID, token: int, state: RunState, **known: Any) -> None:
    """Give the run back as stopped, failed (with ``error``) or done (with ``adapter_path`` and ``adapter_sha256``). Raises LeaseLost."""
    ended = session.execute(
        _held(run_id, token)
        .values(state=state, ended_at=func.now(), lease_owner=None, lease_expires_at=None, stop_asked_at=None, **known)
        .returning(TrainingRun.id)
    ).one_or_none()
    if ended is None:
        raise LeaseLost(_lost(run_id, token))


def ask_to_stop(session: Session, run_id: uuid.UUID) -> bool:
    """Ask a running run to stop at the end of its step; False, and nothing is changed, where it does not run."""
    asked = session.execute(
        update(TrainingRun)
        .where(TrainingRun.id == run_id, TrainingRun.state == RunState.RUNNING)
        .values(stop_asked_at=func.coalesce(TrainingRun.stop_asked_at, func.now()))
        .returning(TrainingRun.id)
        .execution_options(synchronize_session=False)
    )
    return asked.one_or_none() is not None


def _held(run_id: uuid.UUID, token: int) -> Any:
    held = (TrainingRun.id == run_id, TrainingRun.fencing_token == token, TrainingRun.state == RunState.RUNNING)
    return update(TrainingRun).where(*held).execution_options(synchronize_session=False)


def _lost(run_id: uuid.UUID, token: int) -> str:
    return f"training run {run_id} is no longer worked on under lease {token}: another process has taken it; nothing was written"


# -- figures ----------------------------------------------------------------------------------------------------------------------------


def add_metrics(session: Session, run_id: uuid.UUID, figures: Mapping[int, Json]) -> None:
    """Write the figures of steps; those of a step that has some already are added to them. In a transaction that has called ``beat``."""
    if not figures:
        return
    rows = [{"id": uuid7(), "run_id": run_id, "step": step, "values": values} for step, values in sorted(figures.items())]
    statement = insert(TrainingMetric)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["run_id", "step"], set_={"values": TrainingMetric.values.op("||")(statement.excluded["values"])}
        ),
        rows,
    )


def forget_after(session: Session, run_id: uuid.UUID, step: int) -> None:
    """Drop the figures of later steps, which are going to be written again. In a transaction that has called ``beat``."""
    session.execute(delete(TrainingMetric).where(TrainingMetric.run_id == run_id, TrainingMetric.step > step))


def metrics(session: Session, run_id: uuid.UUID, *, after: int = -1) -> Sequence[TrainingMetric]:
    """The figures of the steps after one, in order."""
    return session.scalars(
        select(TrainingMetric).where(TrainingMetric.run_id == run_id, TrainingMetric.step > after).order_by(TrainingMetric.step)
    ).all()


def thinned_metrics(session: Session, run_id: uuid.UUID, *, every: int) -> Sequence[TrainingMetric]:
    """The figures of every so manieth step, and of those at which held-out hotels were measured, in order."""
    measured = TrainingMetric.values.has_key("held_out/total")
    return session.scalars(
        select(TrainingMetric)
        .where(TrainingMetric.run_id == run_id, or_(TrainingMetric.step % every == 0, measured))
        .order_by(TrainingMetric.step)
    ).all()
