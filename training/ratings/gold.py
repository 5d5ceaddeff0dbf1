"""Known answers: turns that a careful person has judged beforehand, mixed into queues to see, and to teach, how well people judge.

A known answer is never changed: retire it and add another. It goes into every queue of single replies that has a share for it and whose
language and stage fit; a turn that is being judged in a queue comes in there when its judgements are complete. Everybody gets it once.
"""

import random
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from db.engine import SessionFactory
from db.models import GoldAnswer, Turn
from db.repositories import audit_events, gold_answers, rating_queues
from db.vocabulary import IssueTag, JudgementKind, Speaker
from training.ratings.errors import GoldWrong

LONGEST_EXPLANATION = 4_000
"""Characters."""


def add_gold(
    sessions: SessionFactory,
    turn_id: UUID,
    *,
    stars_from: int,
    stars_to: int,
    tags: Sequence[IssueTag] = (),
    explanation: str = "",
    actor: UUID | None,
) -> UUID:
    """Say what a careful person answers for one turn of ours, and mix it in; id of the known answer.

    Args:
        sessions: where it is stored.
        turn_id: a turn of ours.
        stars_from: fewest stars that are right.
        stars_to: most stars that are right.
        tags: faults that must be seen.
        explanation: shown to people after they have judged it.
        actor: who says so.

    Raises:
        GoldWrong: if the turn is not one of ours or has a known answer already, or the stars are out of order.
    """
    if not 1 <= stars_from <= stars_to <= 5:
        raise GoldWrong(f"{stars_from} to {stars_to} stars cannot be right; say two numbers from 1 to 5, the lower one first")
    why = explanation.replace("\0", "").strip()
    if len(why) > LONGEST_EXPLANATION:
        raise GoldWrong(f"the explanation has {len(why):,} characters; shorten it to {LONGEST_EXPLANATION:,}")
    with sessions.begin() as session:
        turn = session.get(Turn, turn_id)
        if turn is None or turn.speaker is not Speaker.BD:
            raise GoldWrong(f"{turn_id} is not a reply of ours; choose a reply of ours")
        answer = GoldAnswer(
            turn_id=turn_id, stars_from=stars_from, stars_to=stars_to, tags=list(dict.fromkeys(tags)), explanation=why, created_by=actor
        )
        stored, is_new = gold_answers.add_once(session, answer)
        if not is_new:
            raise GoldWrong("this reply has a known answer already; retire that one to give another")
        after = {"turn": str(turn_id), "stars_from": stars_from, "stars_to": stars_to, "tags": list(stored.tags), "explanation": why}
        audit_events.record(
            session, actor_id=actor, action="gold_answer.add", subject_type="gold_answer", subject_id=stored.id, after=after
        )
        # Queues are locked in the order of their ids, so that two who add at once never wait for each other.
        for queue_id in sorted(queue.id for queue in rating_queues.list_active(session)):
            place(session, queue_id)
        return stored.id


def retire_gold(sessions: SessionFactory, gold_answer_id: UUID, *, actor: UUID | None) -> bool:
    """Hand a known answer out no more; False if that was done before. What was judged by it stays.

    Raises:
        GoldNotFound: if there is none.
    """
    with sessions.begin() as session:
        gold_answers.get(session, gold_answer_id, locked=True)
        if not gold_answers.retire(session, gold_answer_id):
            return False
        audit_events.record(session, actor_id=actor, action="gold_answer.retire", subject_type="gold_answer", subject_id=gold_answer_id)
        return True


def place(session: Session, queue_id: UUID) -> int:
    """Mix the known answers that a queue lacks into it, if it has a share for them; how many came in."""
    queue = rating_queues.get(session, queue_id, locked=True)
    if queue.kind is not JudgementKind.TURN or not queue.gold_share:
        return 0
    missing = gold_answers.list_missing(session, queue_id, language=queue.filters.get("language"), stage=queue.filters.get("stage"))
    return gold_answers.place(session, queue_id, [(answer, random.random()) for answer in missing])
