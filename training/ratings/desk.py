"""The annotators' desk: it hands out what is to be judged and takes the judgements.

Decided here: nobody gets an item twice, an item goes to as many people as its queue asks for, and a judgement is acknowledged only when
it is committed. Each call is one transaction (a hand-out that finds too little is several: what is overdue is taken back, and what is
missing is chosen, with no item locked meanwhile). An item whose answer is known is the exception to counting: it goes to everybody, and
nobody is waited for.

Locks are taken in one order: the person, the item, its leases. What is overdue is ended on the way by whoever asks for work next.
"""

import random
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from agent.telemetry import annotate, traced
from db.engine import DatabaseBusy, SessionFactory
from db.models import Rating, RatingItem
from db.repositories import rating_assignments, rating_items, rating_queues, ratings
from db.repositories.rating_assignments import Lease
from db.repositories.rating_queues import ActiveQueue
from db.vocabulary import AssignmentState, ItemState, JudgementKind
from training.ratings import answers, disputes, judging, queues
from training.ratings.disputes import Dispute
from training.ratings.errors import (
    AlreadyJudged,
    JudgementWrong,
    KeyTaken,
    NotCurrent,
    NotYours,
)
from training.ratings.tasks import as_shown, tasks_of
from training.ratings.views import Judgement, Progress, Saved, Task

MOST_AT_ONCE = 20
"""Tasks that one person may hold."""
UNDO_WITHIN = timedelta(minutes=30)
COUNTED_UP_TO = 1_000
LONGEST_REASON = 1_000
"""Characters."""


class RatingDesk:
    """One desk for everybody; safe to share among threads.

    ``dry_s``: seconds for which a queue that had nothing more to choose from is not asked again. ``sweep_s``: seconds between two looks
    at what is overdue, as long as nobody goes short; who does finds what is overdue at once.
    """

    def __init__(self, sessions: SessionFactory, *, rng: random.Random | None = None, dry_s: float = 5.0, sweep_s: float = 1.0) -> None:
        self._sessions = sessions
        self._rng = rng or random.SystemRandom()
        self._dry_s = dry_s
        self._dry_until: dict[UUID, float] = {}
        self._sweep_s = sweep_s
        self._sweep_at = 0.0
        self._clock_lock = threading.Lock()

    def next(self, rater_id: UUID, *, n: int = 2, queue_id: UUID | None = None) -> list[Task]:
        """What the person holds, the longest held first, filled up to ``n`` (at most 20) with what comes next in the queues.

        Leases of the person that ran out, and that nobody has taken back, are renewed: whoever asks for work is at the desk. Empty where
        nothing is left. ``queue_id`` keeps to one queue.

        Raises:
            RaterNotFound: if there is no such person.
        """
        wanted = min(max(n, 1), MOST_AT_ONCE)
        swept = self._is_time_to_sweep()
        with self._sessions.begin() as session:
            tasks = self._hand_out(session, rater_id, wanted, queue_id, sweep=swept)
        if len(tasks) < wanted and not swept:
            with self._sessions.begin() as session:
                tasks = self._hand_out(session, rater_id, wanted, queue_id, sweep=True)
        if len(tasks) < wanted and self._fill_queues(rater_id, queue_id):
            with self._sessions.begin() as session:
                tasks = self._hand_out(session, rater_id, wanted, queue_id, sweep=False)
        return tasks

    @traced("rating.save")
    def save(self, rater_id: UUID, assignment_id: UUID, judgement: Judgement, *, key: str) -> Saved:
        """Take a judgement; of a comparison in the order in which the replies were shown. The same key again changes nothing.

        Where the lease has run out, the judgement is taken all the same as long as its place is free. On an item in dispute it decides.

        Raises:
            JudgementWrong: if it does not fit what was to be judged.
            LeaseUnknown: if the item was not handed to this person.
            LeaseLost: if others have filled the place in the meantime.
            AlreadyJudged: if the person has answered with another key.
            KeyTaken: if the key has saved something else.
        """
        with self._sessions.begin() as session:
            rating_assignments.take_seat(session, rater_id)
            lease, item = answers.lock_lease(session, rater_id, assignment_id)
            annotate(item=item.id, queue=item.queue_id, turn_id=item.turn_id)
            repeated = ratings.find_by_key(session, rater_id, _key(key))
            if repeated is not None:
                if repeated.item_id != item.id:
                    raise KeyTaken(key)
                return _saved(item, repeated.id, judging.said_by(repeated))
            said = judging.checked(item.queue.kind, as_shown(judgement, swapped=lease.swapped))
            answers.take_answer(session, lease, item)
            rating = Rating(
                **judging.subject_of(item),
                **judging.columns_of(said),
                rater_id=rater_id,
                idempotency_key=key,
                adjudicates=lease.adjudicates,
            )
            answers.write(session, rating, said, action="rating.adjudicate" if lease.adjudicates else "rating.save")
            if lease.adjudicates:
                rating_items.set_state(session, item.id, ItemState.ADJUDICATED)
            else:
                answers.settle(session, item)
            return _saved(item, rating.id, said)

    def skip(self, rater_id: UUID, assignment_id: UUID, reason: str, *, key: str) -> None:
        """Give an item back for good: this person never gets it again. Doing so twice changes nothing.

        Raises:
            JudgementWrong: if no reason is given.
            LeaseUnknown: if the item was not handed to this person.
            AlreadyJudged: if the person has judged it.
        """
        why = reason.replace("\0", "").strip()
        if not 0 < len(why) <= LONGEST_REASON:
            raise JudgementWrong(f"say in at most {LONGEST_REASON:,} characters why you skip this, so that others learn from it")
        with self._sessions.begin() as session:
            rating_assignments.take_seat(session, rater_id)
            lease, item = answers.lock_lease(session, rater_id, assignment_id)
            if lease.state is AssignmentState.DONE:
                raise AlreadyJudged("you have judged this item; undo the judgement first if you want to skip it")
            active = rating_assignments.find_active(session, item.id, rater_id)
            # One that was given back, or skipped and then taken up again, is another lease now: a late repeat does not touch it.
            if lease.state not in (AssignmentState.RESERVED, AssignmentState.EXPIRED) or (active is not None and active.id != lease.id):
                return
            if lease.state is AssignmentState.RESERVED and item.gold_answer_id is None and not lease.adjudicates:
                rating_items.give_back(session, [item.id])
            rating_assignments.end(session, lease.id, AssignmentState.SKIPPED, skip_reason=why)
            answers.audit(session, rater_id, "rating.skip", lease, after={"item": str(item.id), "reason": why, "key": key})

    def undo(self, rater_id: UUID, *, assignment_id: UUID | None = None) -> Task | None:
        """Take back the person's newest save or skip of the last 30 minutes; the item is theirs again, under a new lease.

        Name the lease of that save or skip in ``assignment_id``, and the same request twice undoes once. None where there is nothing to
        undo.

        Raises:
            UndoTooLate: if a dispute over the item has been decided or is being decided, or others have filled the place of a skip.
            LeaseUnknown: if ``assignment_id`` is not the person's.
        """
        with self._sessions.begin() as session:
            rating_assignments.take_seat(session, rater_id)
            if assignment_id is None:
                last = rating_assignments.find_last_ended(session, rater_id, within=UNDO_WITHIN)
                if last is None:
                    return None
                lease, item = answers.lock_lease(session, rater_id, last)
            else:
                lease, item = answers.lock_lease(session, rater_id, assignment_id)
                if lease.state not in rating_assignments.ENDED_BY_A_PERSON:
                    again = rating_assignments.find_active(session, item.id, rater_id)
                    held = again is not None and again.state is AssignmentState.RESERVED
                    return tasks_of(session, rater_id, [again.id])[0] if again is not None and held else None
                if not rating_assignments.ended_within(session, lease.id, UNDO_WITHIN):
                    return None
            if lease.state is AssignmentState.DONE:
                answers.take_back(session, lease, item)
            else:
                answers.take_up(session, lease, item)
            rating_assignments.end(session, lease.id, AssignmentState.RELEASED, skip_reason=lease.skip_reason)
            again_as = Lease(item_id=item.id, swapped=lease.swapped, adjudicates=lease.adjudicates)
            ids = rating_assignments.reserve(session, rater_id, [again_as], lasting=timedelta(seconds=item.queue.reservation_s))
            return tasks_of(session, rater_id, ids)[0]

    def revise(self, rater_id: UUID, rating_id: UUID, judgement: Judgement, *, key: str) -> Saved:
        """Put a new version in the place of one's own judgement, at any time later; of a comparison in the order that was shown.

        The same key again changes nothing.

        Raises:
            RatingNotFound: if there is no such judgement.
            NotYours: if it is somebody else's.
            NotCurrent: if it has been replaced or taken back.
            JudgementWrong, KeyTaken: as in ``save``.
        """
        with self._sessions.begin() as session:
            rating_assignments.take_seat(session, rater_id)
            before = ratings.get(session, rating_id)
            if before.rater_id != rater_id:
                raise NotYours
            item = rating_items.lock(session, before.item_id) if before.item_id is not None else None
            repeated = ratings.find_by_key(session, rater_id, _key(key))
            if repeated is not None:
                if repeated.supersedes_id != rating_id:
                    raise KeyTaken(key)
                return _saved(item, repeated.id, judging.said_by(repeated))
            if before.withdrawn or ratings.is_superseded(session, rating_id):
                raise NotCurrent
            lease = rating_assignments.find_active(session, item.id, rater_id) if item is not None else None
            said = judging.checked(before.kind, as_shown(judgement, swapped=lease is not None and lease.swapped))
            rating = Rating(
                **judging.subject_of(before),
                **judging.columns_of(said),
                rater_id=rater_id,
                idempotency_key=key,
                supersedes_id=before.id,
                adjudicates=before.adjudicates,
                source=before.source,
            )
            answers.write(session, rating, said, action="rating.revise", before=judging.said_by(before))
            if item is not None and not rating_assignments.count_held(session, item.id, adjudicates=True):
                answers.settle(session, item)
            return _saved(item, rating.id, said)

    def next_dispute(self, rater_id: UUID, *, queue_id: UUID | None = None) -> Task | None:
        """The dispute that the person is deciding, or the one that has waited longest and that they have no part in; None without one.

        It is decided with ``save``. Whether the person may decide is for the caller to know.

        Raises:
            RaterNotFound: if there is no such person.
        """
        with self._sessions.begin() as session:
            rating_assignments.take_seat(session, rater_id)
            rating_assignments.expire_some(session, other_than=rater_id)
            held = rating_assignments.list_held(session, rater_id, queue_id=queue_id, adjudicates=True)
            if not held:
                item = rating_items.pick_disputed(session, rater_id, queue_id=queue_id)
                if item is None:
                    return None
                lease = Lease(item_id=item.id, swapped=self._is_swapped(item.queue.kind), adjudicates=True)
                held = rating_assignments.reserve(session, rater_id, [lease], lasting=timedelta(seconds=item.queue.reservation_s))
            return tasks_of(session, rater_id, held[:1])[0]

    def disputes(self, *, queue_id: UUID | None = None, limit: int = 100) -> tuple[Dispute, ...]:
        """Disputes that wait for a decision, those that have waited longest first."""
        with self._sessions.begin() as session:
            return disputes.list_waiting(session, queue_id=queue_id, limit=limit)

    def release(self, rater_id: UUID) -> int:
        """Give back all that the person holds, at sign-out; how many."""
        with self._sessions.begin() as session:
            rating_assignments.take_seat(session, rater_id)
            return rating_assignments.release_held(session, rater_id)

    def sweep(self) -> int:
        """Give back everything that is overdue, a few at a time; how many. Only needed where nobody asks for work."""
        ended = 0
        while True:
            with self._sessions.begin() as session:
                some = rating_assignments.expire_some(session)
            if not some:
                return ended
            ended += some

    def progress(self, rater_id: UUID) -> Progress:
        """How far the person has come, and how much waits for them."""
        with self._sessions.begin() as session:
            tally = rating_assignments.tally(session, rater_id)
            waiting = rating_items.count_waiting(session, rater_id, up_to=COUNTED_UP_TO)
        return Progress(judged_today=tally.judged_today, judged=tally.judged, skipped=tally.skipped, waiting=waiting)

    def _hand_out(self, session: Session, rater_id: UUID, wanted: int, queue_id: UUID | None, *, sweep: bool) -> list[Task]:
        rating_assignments.take_seat(session, rater_id, hastily=True)
        if sweep:
            rating_assignments.expire_some(session, other_than=rater_id)
        held = rating_assignments.list_held(session, rater_id, queue_id=queue_id)[:wanted]
        if len(held) < wanted:
            for queue in rating_queues.list_active(session, queue_id):
                held += self._reserve(session, rater_id, queue, wanted - len(held))
                if len(held) == wanted:
                    break
        return tasks_of(session, rater_id, held)

    def _reserve(self, session: Session, rater_id: UUID, queue: ActiveQueue, wanted: int) -> Sequence[UUID]:
        picked = list(rating_items.pick(session, queue.id, rater_id, limit=wanted))
        if not picked:
            return ()
        # Gold stands in for an ordinary item that was there to be had, so that nobody is left with gold alone.
        drawn = [place for place in range(len(picked)) if self._rng.random() < queue.gold_share]
        known = rating_items.pick_gold(session, queue.id, rater_id, limit=len(drawn)) if drawn else ()
        for place, item_id in zip(drawn, known, strict=False):
            picked[place] = item_id
        leases = [Lease(item_id=item_id, swapped=self._is_swapped(queue.kind), takes_place=item_id not in known) for item_id in picked]
        return rating_assignments.reserve(session, rater_id, leases, lasting=timedelta(seconds=queue.reservation_s))

    def _is_swapped(self, kind: JudgementKind) -> bool:
        """Drawn anew for each person, so that a side has no advantage."""
        return kind is JudgementKind.COMPARISON and self._rng.random() < 0.5

    def _fill_queues(self, rater_id: UUID, queue_id: UUID | None) -> bool:
        """Choose new items for the first queue that has any for this person; whether it is worth asking again."""
        with self._sessions.begin() as session:
            active = [queue.id for queue in rating_queues.list_active(session, queue_id)]
        for each in active:
            if self._is_dry(each):
                continue
            try:
                with self._sessions.begin() as session:
                    filled = queues.fill_for(session, each, rater_id)
            except DatabaseBusy:
                # Choosing took too long. The person is told that nothing is left for now, rather than that something is broken.
                filled = False
            if filled:
                return True
            with self._clock_lock:
                self._dry_until[each] = time.monotonic() + self._dry_s
        return False

    def _is_time_to_sweep(self) -> bool:
        with self._clock_lock:
            now = time.monotonic()
            if now < self._sweep_at:
                return False
            self._sweep_at = now + self._sweep_s
            return True

    def _is_dry(self, queue_id: UUID) -> bool:
        with self._clock_lock:
            return time.monotonic() < self._dry_until.get(queue_id, 0.0)


def _saved(item: RatingItem | None, rating_id: UUID, said: Judgement) -> Saved:
    answer = item.gold_answer if item is not None else None
    return Saved(rating_id=rating_id, gold=judging.gold_of(answer, said) if answer is not None else None)


def _key(key: str) -> str:
    if not 0 < len(key) <= 200:
        raise JudgementWrong("a save needs a key of 1 to 200 characters that is its own")
    return key
