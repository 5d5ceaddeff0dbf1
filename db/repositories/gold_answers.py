"""Queries on known answers, and on the items by which they are mixed into queues."""

import uuid
from collections.abc import Sequence

from sqlalchemy import exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, contains_eager, joinedload
from uuid_utils.compat import uuid7

from db.errors import ParleyError
from db.models import Conversation, GoldAnswer, RatingItem, Turn
from db.vocabulary import ItemState, Stage


class GoldNotFound(ParleyError):
    """No known answer has this id."""


def add_once(session: Session, answer: GoldAnswer) -> tuple[GoldAnswer, bool]:
    """Write a known answer, or find the one that its turn has already; says whether it was written."""
    same = [GoldAnswer.turn_id == answer.turn_id, GoldAnswer.retired_at.is_(None)]
    values = {name: getattr(answer, name) for name in ("id", "turn_id", "stars_from", "stars_to", "tags", "explanation", "created_by")}
    inserted = session.scalars(
        insert(GoldAnswer)
        .values(values)
        .on_conflict_do_nothing(index_elements=[GoldAnswer.turn_id], index_where=GoldAnswer.retired_at.is_(None))
        .returning(GoldAnswer)
    ).one_or_none()
    return (inserted, True) if inserted is not None else (session.scalars(select(GoldAnswer).where(*same)).one(), False)


def get(session: Session, gold_answer_id: uuid.UUID, *, locked: bool = False) -> GoldAnswer:
    """The known answer with its ``turn``.

    Raises:
        GoldNotFound: if there is none.
    """
    statement = select(GoldAnswer).options(joinedload(GoldAnswer.turn, innerjoin=True)).where(GoldAnswer.id == gold_answer_id)
    if locked:
        statement = statement.with_for_update(of=GoldAnswer, key_share=True).execution_options(populate_existing=True)
    found = session.scalars(statement).one_or_none()
    if found is None:
        raise GoldNotFound(f"there is no known answer {gold_answer_id}; choose one from the list")
    return found


def list_all(session: Session, *, retired: bool = False, limit: int = 200, offset: int = 0) -> Sequence[GoldAnswer]:
    """One page of known answers with their ``turn``, newest first; ``retired`` ones too only if asked for."""
    newest = (
        select(GoldAnswer)
        .options(joinedload(GoldAnswer.turn, innerjoin=True))
        .order_by(GoldAnswer.created_at.desc(), GoldAnswer.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return session.scalars(newest if retired else newest.where(GoldAnswer.retired_at.is_(None))).all()


def retire(session: Session, gold_answer_id: uuid.UUID) -> bool:
    """Hand the answer out no more; False if that was done before."""
    retired = session.scalars(
        update(GoldAnswer)
        .where(GoldAnswer.id == gold_answer_id, GoldAnswer.retired_at.is_(None))
        .values(retired_at=func.now())
        .returning(GoldAnswer.id)
    ).one_or_none()
    if retired is None:
        return False
    session.execute(
        update(RatingItem)
        .where(RatingItem.gold_answer_id == gold_answer_id)
        .values(open_places=0, state=ItemState.WITHDRAWN)
        .execution_options(synchronize_session=False)
    )
    return True


def list_missing(session: Session, queue_id: uuid.UUID, *, language: str | None, stage: Stage | None) -> Sequence[GoldAnswer]:
    """Known answers, with their ``turn``, that the queue does not hold and that fit what it asks about."""
    missing = (
        select(GoldAnswer)
        .join(GoldAnswer.turn)
        .options(contains_eager(GoldAnswer.turn))
        .where(
            GoldAnswer.retired_at.is_(None),
            ~exists().where(RatingItem.queue_id == queue_id, RatingItem.gold_answer_id == GoldAnswer.id),
        )
        .order_by(GoldAnswer.id)
    )
    if stage is not None:
        missing = missing.where(Turn.stage_before == stage)
    if language is not None:
        missing = missing.join(Conversation, Conversation.id == Turn.conversation_id).where(Conversation.language == language)
    return session.scalars(missing).all()


def place(session: Session, queue_id: uuid.UUID, answers: Sequence[tuple[GoldAnswer, float]]) -> int:
    """Put known answers, each with its ``turn``, into a queue at their positions; how many came in.

    An item that the queue holds already becomes one with a known answer once it has all its judgements; until then it is left alone.
    """
    if not answers:
        return 0
    rows = [
        {
            "id": uuid7(),
            "queue_id": queue_id,
            "conversation_id": answer.turn.conversation_id,
            "turn_id": answer.turn_id,
            "gold_answer_id": answer.id,
            "open_places": 1,
            "priority": 0,
            "position": position,
            "state": ItemState.OPEN,
        }
        for answer, position in answers
    ]
    new = insert(RatingItem).values(rows)
    finished = (ItemState.JUDGED, ItemState.ADJUDICATED, ItemState.WITHDRAWN)
    placed = new.on_conflict_do_update(
        index_elements=[RatingItem.queue_id, RatingItem.turn_id],
        index_where=RatingItem.turn_id.is_not(None),
        set_={name: new.excluded[name] for name in ("gold_answer_id", "open_places", "position", "state")},
        where=RatingItem.state.in_(finished),
    )
    return len(session.scalars(placed.returning(RatingItem.id)).all())
