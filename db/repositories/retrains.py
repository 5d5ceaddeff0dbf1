"""Queries on retrains: who works on which, how far each has come, and what became of its version.

Time is the database's. Whoever works on a retrain writes under the fencing token of its lease; a write under an older one raises LeaseLost
and changes nothing.
"""

import uuid
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased, joinedload
from uuid_utils.compat import uuid7

from db.errors import ParleyError
from db.models import Json, Retrain, RetrainStepRow
from db.repositories.training_runs import LeaseLost
from db.vocabulary import RetrainState, RetrainStep, StepState

_AT_WORK = (RetrainState.RUNNING, RetrainState.CANARY)
_other = aliased(Retrain)


class RetrainNotFound(ParleyError):
    """No retrain has this id."""


class RetrainHeld(ParleyError):
    """It cannot be worked on now: somebody else does, another one of its line comes first, or it has ended."""


def create(session: Session, retrain: Retrain) -> Retrain:
    """Write a retrain with all its steps, waiting."""
    session.add(retrain)
    session.flush()
    session.add_all([RetrainStepRow(retrain_id=retrain.id, step=step) for step in RetrainStep])
    session.flush()
    return retrain


def get(session: Session, retrain_id: uuid.UUID) -> Retrain:
    """The retrain as it is now. Raises RetrainNotFound."""
    found = session.get(Retrain, retrain_id, populate_existing=True)
    if found is None:
        raise RetrainNotFound(f"there is no retrain {retrain_id}; `parley retrain list` shows which there are")
    return found


def get_for_update(session: Session, retrain_id: uuid.UUID) -> Retrain:
    """The retrain as it is now, locked until this transaction ends. Raises RetrainNotFound."""
    found = session.get(Retrain, retrain_id, populate_existing=True, with_for_update=True)
    if found is None:
        raise RetrainNotFound(f"there is no retrain {retrain_id}; `parley retrain list` shows which there are")
    return found


def get_with_people(session: Session, retrain_id: uuid.UUID) -> Retrain:
    """The retrain as it is now, with everybody and everything that it names. Raises RetrainNotFound."""
    found = session.scalars(_WITH_PEOPLE.where(Retrain.id == retrain_id).execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise RetrainNotFound(f"there is no retrain {retrain_id}; `parley retrain list` shows which there are")
    return found


def list_newest(session: Session, *, states: Collection[RetrainState] = (), limit: int = 50, offset: int = 0) -> Sequence[Retrain]:
    """One page of retrains, newest first, with the same as ``get_with_people``; only those in ``states`` where some are named."""
    newest = _WITH_PEOPLE.order_by(Retrain.created_at.desc(), Retrain.id.desc())
    if states:
        newest = newest.where(Retrain.state.in_(states))
    return session.scalars(newest.limit(limit).offset(offset)).all()


def find_of_candidate(session: Session, version_id: uuid.UUID) -> Retrain | None:
    """The newest retrain that has published this version."""
    newest = select(Retrain).where(Retrain.candidate_id == version_id).order_by(Retrain.created_at.desc(), Retrain.id.desc())
    return session.scalars(newest.limit(1)).one_or_none()


def ids_to_work_on(session: Session, *, limit: int = 20) -> Sequence[uuid.UUID]:
    """Retrains that somebody should take: those whose lease has run out, and the oldest queued one of each line that nobody is at.

    Rows that another transaction is at are left to it.
    """
    orphaned = and_(Retrain.state == RetrainState.RUNNING, Retrain.lease_expires_at < func.now())
    older = and_(_other.state == RetrainState.QUEUED, _other.id < Retrain.id)
    before = exists().where(_other.policy_line == Retrain.policy_line, or_(_other.state.in_(_AT_WORK), older))
    waiting = and_(Retrain.state == RetrainState.QUEUED, ~before)
    found = select(Retrain.id).where(or_(orphaned, waiting)).order_by(Retrain.id).limit(limit)
    return session.scalars(found.with_for_update(skip_locked=True, key_share=True)).all()


def is_open_of_schedule(session: Session, schedule_id: uuid.UUID) -> bool:
    """Whether a retrain of the schedule waits or is worked on."""
    open_ = Retrain.state.in_((RetrainState.QUEUED, *_AT_WORK))
    return session.scalars(select(exists().where(Retrain.schedule_id == schedule_id, open_))).one()


# -- work -------------------------------------------------------------------------------------------------------------------------------


def claim(session: Session, retrain_id: uuid.UUID, *, owner: str, lasting: timedelta, dead_owner: str | None = None) -> int:
    """Take the retrain for ``owner`` and return the fencing token; it is then running.

    ``dead_owner`` is one whose process the caller knows to be gone: its lease need not run out first.

    Raises:
        RetrainNotFound: there is none.
        RetrainHeld: another lease has not run out yet, it has ended or its canary is out, or another one of its line comes first.
        IntegrityError: another one of its line is claimed at the same moment.
    """
    free = or_(Retrain.lease_expires_at.is_(None), Retrain.lease_expires_at < func.now(), Retrain.lease_owner == dead_owner)
    busy = exists().where(_other.policy_line == Retrain.policy_line, _other.id != Retrain.id, _other.state.in_(_AT_WORK))
    token = session.scalars(
        update(Retrain)
        .where(Retrain.id == retrain_id, Retrain.state.in_((RetrainState.QUEUED, RetrainState.RUNNING)), free, ~busy)
        .values(
            state=RetrainState.RUNNING,
            fencing_token=Retrain.fencing_token + 1,
            lease_owner=owner,
            lease_expires_at=func.now() + lasting,
            heartbeat_at=func.now(),
            started_at=func.coalesce(Retrain.started_at, func.now()),
            ended_at=None,
            error=None,
        )
        .returning(Retrain.fencing_token)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if token is not None:
        return token
    row = get(session, retrain_id)
    if row.state not in (RetrainState.QUEUED, RetrainState.RUNNING):
        raise RetrainHeld(f"retrain {retrain_id} is {row.state}: nothing is left to work on; ask for another one")
    if row.lease_owner is not None:
        raise RetrainHeld(
            f"retrain {retrain_id} is worked on by {row.lease_owner} (lease until {row.lease_expires_at}); wait, or cancel it"
        )
    raise RetrainHeld(f"retrain {retrain_id} waits for another one of the line {row.policy_line!r} to end")


def beat(session: Session, retrain_id: uuid.UUID, token: int, *, lasting: timedelta, **known: Any) -> bool:
    """Renew the lease and write what is known by now (``step``, ``log_path``, ``verdict``, ``training_run_id`` …); whether it is to end.

    The row is locked until the transaction ends, so that what is written with it is written under this lease. Raises LeaseLost.
    """
    asked = session.execute(
        _held(retrain_id, token)
        .values(heartbeat_at=func.now(), lease_expires_at=func.now() + lasting, **known)
        .returning(Retrain.cancel_asked_at)
    ).one_or_none()
    if asked is None:
        raise LeaseLost(_lost(retrain_id, token))
    return asked[0] is not None


def hand_back(session: Session, retrain_id: uuid.UUID, token: int, state: RetrainState, **known: Any) -> None:
    """Give the retrain back in another state: queued again, with its canary out, or ended (``error`` where it failed). Raises LeaseLost."""
    over = {"ended_at": func.now(), "cancel_asked_at": None} if state.is_end else {}
    given = session.execute(
        _held(retrain_id, token).values(state=state, lease_owner=None, lease_expires_at=None, **over, **known).returning(Retrain.id)
    ).one_or_none()
    if given is None:
        raise LeaseLost(_lost(retrain_id, token))


def _held(retrain_id: uuid.UUID, token: int) -> Any:
    held = (Retrain.id == retrain_id, Retrain.fencing_token == token, Retrain.state == RetrainState.RUNNING)
    return update(Retrain).where(*held).execution_options(synchronize_session=False)


def _lost(retrain_id: uuid.UUID, token: int) -> str:
    return f"retrain {retrain_id} is no longer worked on under lease {token}: another process has taken it; nothing was written"


# -- what people and the watch decide ----------------------------------------------------------------------------------------------------


def end_queued(session: Session, retrain_id: uuid.UUID) -> bool:
    """Cancel one that nobody works on yet; False, and nothing is changed, where it is not queued."""
    return _changed(session, retrain_id, RetrainState.QUEUED, state=RetrainState.CANCELLED, ended_at=func.now())


def ask_to_cancel(session: Session, retrain_id: uuid.UUID) -> bool:
    """Ask whoever works on it to end it; False, and nothing is changed, where nobody does."""
    asked = func.coalesce(Retrain.cancel_asked_at, func.now())
    return _changed(session, retrain_id, RetrainState.RUNNING, cancel_asked_at=asked)


def override(session: Session, retrain_id: uuid.UUID, *, by: uuid.UUID | None, reason: str) -> bool:
    """Queue a rejected one again, to go on past the gate; False, and nothing is changed, where it is not rejected."""
    values = {"override_by": by, "override_reason": reason, "override_at": func.now(), "started_at": None, "ended_at": None}
    return _changed(session, retrain_id, RetrainState.REJECTED, state=RetrainState.QUEUED, **values)


def queue_again(session: Session, retrain_id: uuid.UUID, state: RetrainState) -> bool:
    """Queue one that has failed or was cancelled, to go on where it ended; False, and nothing is changed, where it is not in ``state``."""
    return _changed(session, retrain_id, state, state=RetrainState.QUEUED, started_at=None, ended_at=None, cancel_asked_at=None)


def decide_canary(session: Session, retrain_id: uuid.UUID, state: RetrainState, *, why: str | None = None) -> bool:
    """Write what became of the canary: live, or rolled back; False, and nothing is changed, where it has none out."""
    return _changed(session, retrain_id, RetrainState.CANARY, state=state, ended_at=func.now(), error=why)


def take_back(session: Session, retrain_id: uuid.UUID, *, why: str) -> bool:
    """Write that a live version was rolled back; False, and nothing is changed, where it is not live."""
    return _changed(session, retrain_id, RetrainState.LIVE, state=RetrainState.ROLLED_BACK, ended_at=func.now(), error=why)


def _changed(session: Session, retrain_id: uuid.UUID, before: RetrainState, **values: Any) -> bool:
    changed = session.execute(
        update(Retrain)
        .where(Retrain.id == retrain_id, Retrain.state == before)
        .values(**values)
        .returning(Retrain.id)
        .execution_options(synchronize_session=False)
    )
    return changed.one_or_none() is not None


# -- steps ------------------------------------------------------------------------------------------------------------------------------


def steps(session: Session, retrain_id: uuid.UUID) -> Sequence[RetrainStepRow]:
    """Every step, in their order."""
    rows = session.scalars(select(RetrainStepRow).where(RetrainStepRow.retrain_id == retrain_id).execution_options(populate_existing=True))
    order = list(RetrainStep)
    return sorted(rows, key=lambda row: order.index(row.step))


def write_step(
    session: Session, retrain_id: uuid.UUID, step: RetrainStep, state: StepState, *, progress: float, figures: Json | None = None
) -> None:
    """Write how far a step has come; figures replace the ones before where some are given. In a transaction that has called ``beat``."""
    begun = None if state is StepState.WAITING else func.now()
    ended = func.now() if state in (StepState.DONE, StepState.FAILED, StepState.SKIPPED) else None
    values = {"state": state, "progress": progress, "ended_at": ended} | ({} if figures is None else {"figures": figures})
    row = {"id": uuid7(), "retrain_id": retrain_id, "step": step, "figures": figures or {}, "started_at": begun}
    again = values | {"started_at": None if begun is None else func.coalesce(RetrainStepRow.started_at, begun)}
    statement = insert(RetrainStepRow).values(row | values).on_conflict_do_update(index_elements=["retrain_id", "step"], set_=again)
    session.execute(statement)


# -- retention --------------------------------------------------------------------------------------------------------------------------


def list_ended_of_line(session: Session, policy_line: str) -> Sequence[Retrain]:
    """Every retrain of a line that has ended, newest first."""
    open_ = (RetrainState.QUEUED, *_AT_WORK)
    ended = select(Retrain).where(Retrain.policy_line == policy_line, Retrain.state.not_in(open_))
    return session.scalars(ended.order_by(Retrain.created_at.desc(), Retrain.id.desc())).all()


def list_lines(session: Session) -> Sequence[str]:
    """Every policy line that has retrains."""
    return session.scalars(select(Retrain.policy_line).distinct().order_by(Retrain.policy_line)).all()


def forget(session: Session, retrain_id: uuid.UUID) -> None:
    """Drop a retrain with its steps. What it has trained and published is not touched."""
    session.execute(delete(Retrain).where(Retrain.id == retrain_id))


_WITH_PEOPLE = select(Retrain).options(
    joinedload(Retrain.requester),
    joinedload(Retrain.overrider),
    joinedload(Retrain.schedule),
    joinedload(Retrain.training_run),
    joinedload(Retrain.candidate),
)
