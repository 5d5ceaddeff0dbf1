"""What saving, skipping and taking back do to an item and its leases, inside the caller's transaction.

Decided here: who may still answer after the time ran out (whoever finds the place free), when an item is complete, and what can no longer
be undone (what somebody has decided, or is deciding, on top of it).
"""

from uuid import UUID

from sqlalchemy.orm import Session

from db.models import Json, Rating, RatingAssignment, RatingItem, RatingTag
from db.repositories import audit_events, rating_assignments, rating_items, ratings
from db.vocabulary import AssignmentState, ItemState
from training.ratings import judging
from training.ratings.errors import AlreadyJudged, LeaseLost, LeaseUnknown, UndoTooLate
from training.ratings.views import Judgement


def lock_lease(session: Session, rater_id: UUID, assignment_id: UUID) -> tuple[RatingAssignment, RatingItem]:
    """The person's lease and its item, both as they are now and locked. Raises LeaseUnknown."""
    lease = rating_assignments.lock(session, rater_id, assignment_id)
    if lease is None:
        raise LeaseUnknown(assignment_id)
    return lease, lease.item


def take_answer(session: Session, lease: RatingAssignment, item: RatingItem) -> None:
    """End the lease as answered, or take the place anew where it has run out."""
    if lease.state is AssignmentState.DONE:
        raise AlreadyJudged("you have judged this item already; undo it or revise it to say something else")
    if lease.state is AssignmentState.SKIPPED:
        raise AlreadyJudged("you have skipped this item; undo the skip to judge it")
    if item.state is ItemState.WITHDRAWN:
        raise LeaseLost
    if lease.state is AssignmentState.RESERVED:
        rating_assignments.end(session, lease.id, AssignmentState.DONE)
        return
    active = rating_assignments.find_active(session, item.id, lease.rater_id)
    if active is not None:
        if active.state is not AssignmentState.RESERVED or active.adjudicates is not lease.adjudicates:
            raise AlreadyJudged("you have answered this item under another lease already; go on to the next one")
        # The same item was handed to the same person anew: its place is the one that is used.
        rating_assignments.end(session, active.id, AssignmentState.RELEASED)
    elif lease.adjudicates:
        if item.state is not ItemState.DISPUTED or rating_assignments.count_held(session, item.id, adjudicates=True):
            raise LeaseLost
    elif item.gold_answer_id is None:
        if item.state is not ItemState.OPEN or not item.open_places:
            raise LeaseLost
        rating_items.take_places(session, [item.id])
    rating_assignments.end(session, lease.id, AssignmentState.DONE)


def settle(session: Session, item: RatingItem) -> None:
    """Say whether the item has all its judgements, and whether they agree; a dispute that is decided stays so."""
    if item.gold_answer_id is not None or item.state in (ItemState.ADJUDICATED, ItemState.WITHDRAWN):
        return
    if not rating_items.is_complete(session, item.id):
        return
    said = ratings.list_current_of(session, [item.id]).get(item.id, [])
    disputed = judging.in_dispute(item.queue.kind, said, over=item.queue.adjudicate_over)
    rating_items.set_state(session, item.id, ItemState.DISPUTED if disputed else ItemState.JUDGED)


def take_back(session: Session, lease: RatingAssignment, item: RatingItem) -> None:
    """Withdraw what the person said of the item."""
    if not lease.adjudicates:
        if item.state is ItemState.ADJUDICATED:
            raise UndoTooLate("others disagreed with you on this item and it has been decided; it can no longer be undone")
        if rating_assignments.count_held(session, item.id, adjudicates=True):
            raise UndoTooLate("others disagreed with you on this item and somebody is deciding it; it can no longer be undone")
    said = ratings.find_current(session, item.id, lease.rater_id)
    if said is None:
        raise UndoTooLate("what you said of this item has been taken back already; ask for the next one")
    withdrawal = Rating(
        **judging.subject_of(said),
        rater_id=lease.rater_id,
        idempotency_key=f"undo:{said.id}",
        supersedes_id=said.id,
        withdrawn=True,
        adjudicates=said.adjudicates,
        source=said.source,
    )
    write(session, withdrawal, None, action="rating.undo", before=judging.said_by(said))
    if item.gold_answer_id is None and item.state is not ItemState.WITHDRAWN:
        rating_items.set_state(session, item.id, ItemState.DISPUTED if lease.adjudicates else ItemState.OPEN)


def take_up(session: Session, lease: RatingAssignment, item: RatingItem) -> None:
    """Take the place of a skipped item again."""
    if lease.adjudicates:
        if item.state is not ItemState.DISPUTED or rating_assignments.count_held(session, item.id, adjudicates=True):
            raise UndoTooLate("somebody else decides the dispute that you skipped; it can no longer be undone")
    elif item.gold_answer_id is None:
        if item.state is not ItemState.OPEN or not item.open_places:
            raise UndoTooLate("others have taken the item that you skipped; it can no longer be undone")
        rating_items.take_places(session, [item.id])
    audit(session, lease.rater_id, "rating.undo_skip", lease, before={"item": str(item.id), "reason": lease.skip_reason})


def write(session: Session, rating: Rating, said: Judgement | None, *, action: str, before: Judgement | None = None) -> None:
    """Write a judgement and its audit event."""
    tags = [RatingTag(rating_id=rating.id, tag=tag.tag, severity=tag.severity) for tag in said.tags] if said is not None else []
    ratings.add(session, rating, tags)
    audit_events.record(
        session,
        actor_id=rating.rater_id,
        action=action,
        subject_type="rating",
        subject_id=rating.id,
        before={"rating": str(rating.supersedes_id), **judging.in_words(before)} if before is not None else None,
        after={"item": str(rating.item_id) if rating.item_id else None, **judging.in_words(said)} if said is not None else None,
    )


def audit(
    session: Session,
    actor: UUID,
    action: str,
    lease: RatingAssignment,
    *,
    before: Json | None = None,
    after: Json | None = None,
) -> None:
    """Write down what a person did with a lease."""
    audit_events.record(
        session, actor_id=actor, action=action, subject_type="rating_assignment", subject_id=lease.id, before=before, after=after
    )
