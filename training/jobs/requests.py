"""What people, schedules and pages may ask of retrains: one to be begun, ended, let past its gate, or begun again.

Decided here: that each is a row changed in the caller's transaction, with an event in the audit trail beside it. Nothing is sent to a
worker: the tick finds what is queued within a minute, and ``tasks.wake`` may be called after the commit to be faster.
"""

import uuid

from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from db.errors import ParleyError
from db.models import Json, Retrain
from db.repositories import audit_events, retrains
from db.vocabulary import RetrainState, RetrainTrigger
from training.jobs.plan import RetrainPlan
from training.jobs.settings import JobSettings

FEWEST_REASON_CHARS = 10
MOST_REASON_CHARS = 2_000
_SUBJECT = "retrain"


class RequestRefused(ParleyError):
    """It is too late for what is asked, or too little is said."""


def request_retrain(
    session: Session,
    plan: RetrainPlan,
    *,
    trigger: RetrainTrigger = RetrainTrigger.BY_HAND,
    requested_by: uuid.UUID | None = None,
    schedule_id: uuid.UUID | None = None,
    settings: JobSettings | None = None,
) -> Retrain:
    """Queue a retrain. It begins once no other one of its line is at work."""
    retrain_id = uuid7()
    row = Retrain(
        id=retrain_id,
        policy_line=plan.line,
        trigger=trigger,
        plan=plan.model_dump(mode="json"),
        folder=str((settings or JobSettings()).folder() / str(retrain_id)),
        schedule_id=schedule_id,
        requested_by=requested_by,
    )
    retrains.create(session, row)
    after = {"line": plan.line, "trigger": str(trigger), "objective": plan.objective, "plan": row.plan}
    _record(session, "retrain.request", retrain_id, requested_by, after)
    return row


def cancel(session: Session, retrain_id: uuid.UUID, *, actor: uuid.UUID | None = None) -> None:
    """End a retrain that is queued, at once, or that is worked on, within seconds.

    Raises:
        RetrainNotFound: there is none.
        RequestRefused: it has ended, or its canary is out: that is rolled back instead.
    """
    if not (retrains.end_queued(session, retrain_id) or retrains.ask_to_cancel(session, retrain_id)):
        row = retrains.get(session, retrain_id)
        if row.state is RetrainState.CANARY:
            raise RequestRefused("Its version answers hotels by now: roll the canary back instead (`parley release rollback`).")
        raise RequestRefused(f"It is {row.state} already: there is nothing to cancel.")
    _record(session, "retrain.cancel", retrain_id, actor, {})


def override_gate(session: Session, retrain_id: uuid.UUID, *, actor: uuid.UUID | None, reason: str) -> None:
    """Let a rejected candidate past the gate, for a written reason; it is published and goes to its canary like any other.

    Raises:
        RetrainNotFound: there is none.
        RequestRefused: the gate has not rejected it, its candidate cannot be served at all, or the reason is too short.
    """
    why = reason.strip()
    if not FEWEST_REASON_CHARS <= len(why) <= MOST_REASON_CHARS or "\0" in why:
        raise RequestRefused(f"Say in {FEWEST_REASON_CHARS} to {MOST_REASON_CHARS:,} characters why it is let past the gate.")
    row = retrains.get_for_update(session, retrain_id)
    if row.state is not RetrainState.REJECTED or row.verdict is None:
        raise RequestRefused(f"The gate has not rejected it; it is {row.state}. Only a rejected one can be let past.")
    failed = [one["name"] for one in row.verdict["criteria"] if not one["met"]]
    if "whole" in failed:
        raise RequestRefused("Its adapter is broken and cannot be served, whatever the reason. Retrain instead.")
    retrains.override(session, retrain_id, by=actor, reason=why)
    _record(session, "retrain.override", retrain_id, actor, {"reason": why, "failed": failed})


def begin_again(session: Session, retrain_id: uuid.UUID, *, actor: uuid.UUID | None = None) -> None:
    """Queue one that has failed or was cancelled; it goes on after the last step that is whole, with a fresh budget.

    Raises:
        RetrainNotFound: there is none.
        RequestRefused: it did not fail, and was not cancelled.
    """
    if not any(retrains.queue_again(session, retrain_id, state) for state in (RetrainState.FAILED, RetrainState.CANCELLED)):
        state = retrains.get(session, retrain_id).state
        raise RequestRefused(f"It is {state}: only one that has failed or was cancelled can be begun again.")
    _record(session, "retrain.again", retrain_id, actor, {})


def _record(session: Session, action: str, retrain_id: uuid.UUID, actor: uuid.UUID | None, after: Json) -> None:
    audit_events.record(session, actor_id=actor, action=action, subject_type=_SUBJECT, subject_id=retrain_id, after=after)
