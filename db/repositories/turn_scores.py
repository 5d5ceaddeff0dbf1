"""Queries on what the reward said of replies that were sent."""

import uuid
from collections.abc import Sequence

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from db.models import Turn, TurnScore
from db.vocabulary import Speaker


def add_missing(session: Session, scores: Sequence[TurnScore]) -> int:
    """Write those that are not there yet, in one statement; how many were written."""
    if not scores:
        return 0
    names = ("turn_id", "reward_model", "spec_digest", "model", "judge", "total", "parts", "doubt")
    rows = [{"id": uuid7()} | {name: getattr(score, name) for name in names} for score in scores]
    written = session.execute(insert(TurnScore).values(rows).on_conflict_do_nothing().returning(TurnScore.id))
    return len(written.all())


def list_unscored(session: Session, reward_model: str, spec_digest: str, *, limit: int) -> dict[uuid.UUID, set[int]]:
    """The numbers of our newest turns that make a move and have no score by this reward, by conversation, the newest first."""
    scored = exists().where(TurnScore.turn_id == Turn.id, TurnScore.reward_model == reward_model, TurnScore.spec_digest == spec_digest)
    newest = (
        select(Turn.conversation_id, Turn.number)
        .where(Turn.speaker == Speaker.BD, Turn.move.is_not(None), ~scored)
        .order_by(Turn.created_at.desc(), Turn.id.desc())
        .limit(limit)
    )
    found: dict[uuid.UUID, set[int]] = {}
    for conversation_id, number in session.execute(newest):
        found.setdefault(conversation_id, set()).add(number)
    return found
