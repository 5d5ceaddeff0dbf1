"""Queues: what operations define, how they are filled, and how far they have come.

A queue keeps ``size`` items with a free place ready, chosen by its policy. A person who has done all that is ready gets more all the same,
so that nobody waits for slower colleagues. Items keep the number of raters with which they were chosen, whatever the queue's is later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from agent.domain import plain
from db.engine import SessionFactory
from db.models import Json, RatingItem, RatingQueue
from db.repositories import audit_events, rating_candidates, rating_items, rating_queues
from db.repositories.rating_candidates import CandidateFilter
from db.repositories.rating_queues import RaterCount
from db.vocabulary import ItemState, JudgementKind, QueuePolicy, Stage
from training.ratings import gold
from training.ratings.errors import QueueNameTaken, QueueSettingsWrong

AT_ONCE = 500
"""Items that are chosen in one go."""
FOR_ONE_WHO_WAITS = 20
"""Items that are chosen for a person who has done all that was ready."""
SHARE_PLACES = 4
PATIENCE_S = 5.0
"""Seconds that one statement of choosing may take while somebody waits for it."""
LONGEST_NAME = 120
"""Characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings:
    """What a queue is. ``define`` and ``change`` refuse what cannot work."""

    name: str
    kind: JudgementKind
    policy: QueuePolicy
    raters_per_item: int = 1
    """1 to 20."""
    reservation_s: int = 900
    """Seconds after which an item that was handed out goes back; 30 to 86,400."""
    priority: int = 0
    """Higher comes first where a person has several queues."""
    gold_share: Decimal = Decimal(0)
    """Share of what is handed out that has a known answer, 0 to 0.5; of turns only."""
    adjudicate_over: int = 2
    """Raters who differ by more stars than this make an item disputed; 1 to 4, and 4 never does."""
    size: int = 200
    """How many items with a free place are kept ready; 1 to 1,000,000."""
    language: str | None = None
    """ISO 639-1; None for every language."""
    stage: Stage | None = None
    policy_version_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    """With its time zone, as ``since``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A queue that is there."""

    id: UUID
    settings: QueueSettings
    created_at: datetime
    closed_at: datetime | None
    """None while it hands out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueProgress:
    """How far a queue has come. Items with a known answer are in ``gold`` alone."""

    open: int
    """Want more judgements."""
    judged: int
    """Have all that were asked for, and agree."""
    disputed: int
    """Wait for somebody to decide."""
    adjudicated: int
    withdrawn: int
    gold: int
    """With a known answer, ready to be mixed in."""
    judgements: int
    """That count, of items with a known answer included."""
    raters: tuple[RaterCount, ...]
    """The most judgements first."""


def define(sessions: SessionFactory, settings: QueueSettings, *, actor: UUID | None) -> Queue:
    """Add a queue and choose its first items.

    Raises:
        QueueSettingsWrong: if the settings cannot work.
        QueueNameTaken: if another queue has the name.
    """
    cleaned = _checked(settings)
    with sessions.begin() as session:
        row, is_new = rating_queues.create(session, RatingQueue(**_columns(cleaned), created_by=actor))
        if not is_new:
            raise QueueNameTaken(cleaned.name)
        _audit(session, actor, "rating_queue.define", row.id, after=_in_words(cleaned))
        queue = _queue(row)
    with sessions.begin() as session:
        top_up(session, queue.id)
    return queue


def change(sessions: SessionFactory, queue_id: UUID, settings: QueueSettings, *, actor: UUID | None) -> Queue:
    """Give a queue other settings; what has been chosen stays. Its kind cannot change.

    Raises:
        QueueNotFound: if there is none.
        QueueSettingsWrong, QueueNameTaken: as in ``define``.
    """
    cleaned = _checked(settings)
    with sessions.begin() as session:
        row = rating_queues.get(session, queue_id, locked=True)
        before = _queue(row).settings
        if cleaned.kind is not before.kind:
            raise QueueSettingsWrong(f"the queue asks for a {before.kind}; define a new queue to ask for a {cleaned.kind}")
        if cleaned == before:
            return _queue(row)
        namesake = rating_queues.find_by_name(session, cleaned.name)
        if namesake is not None and namesake.id != queue_id:
            raise QueueNameTaken(cleaned.name)
        for name, value in _columns(cleaned).items():
            setattr(row, name, value)
        try:
            session.flush()
        except IntegrityError as error:
            raise QueueNameTaken(cleaned.name) from error
        if row.closed_at is None:
            gold.place(session, queue_id)
        was, is_now = _in_words(before), _in_words(cleaned)
        changed = {name for name in was.keys() | is_now.keys() if was.get(name) != is_now.get(name)}
        _audit(session, actor, "rating_queue.change", queue_id, before=_only(was, changed), after=_only(is_now, changed))
        return _queue(row)


def close(sessions: SessionFactory, queue_id: UUID, *, actor: UUID | None) -> Queue:
    """Hand out nothing more from a queue. What is in somebody's hands may still be saved; doing so twice changes nothing."""
    return _set_closed(sessions, queue_id, actor, closed=True)


def reopen(sessions: SessionFactory, queue_id: UUID, *, actor: UUID | None) -> Queue:
    """Hand out from a closed queue again; doing so twice changes nothing."""
    return _set_closed(sessions, queue_id, actor, closed=False)


def list_queues(session: Session) -> tuple[Queue, ...]:
    """Every queue: those that hand out first, the most important of them first."""
    return tuple(_queue(row) for row in rating_queues.list_all(session))


def queue_of(session: Session, queue_id: UUID) -> Queue:
    """One queue. Raises QueueNotFound."""
    return _queue(rating_queues.get(session, queue_id))


def top_up(session: Session, queue_id: UUID, *, limit: int | None = None) -> int:
    """Choose items until ``size`` are ready, at most ``limit`` (500 where it is not said); how many were added. A closed queue gets none.

    Raises:
        QueueNotFound: if there is none.
    """
    row = rating_queues.get(session, queue_id, locked=True)
    if row.closed_at is not None:
        return 0
    gold.place(session, queue_id)
    most = min(AT_ONCE, row.size) if limit is None else limit
    return _choose(session, row, min(most, row.size - rating_items.count_ready(session, queue_id, up_to=row.size)))


def fill_for(session: Session, queue_id: UUID, rater_id: UUID) -> bool:
    """Choose items because this person finds none; whether there are any now. Of several people at once, the first chooses for all.

    Raises:
        DatabaseBusy: if it takes longer than a person waits (5 s a statement).
    """
    rating_queues.give_up_after(session, PATIENCE_S)
    row = rating_queues.get(session, queue_id, locked=True)
    if row.closed_at is not None:
        return False
    if rating_items.is_any_open(session, queue_id, rater_id):
        return True
    gold.place(session, queue_id)
    missing = row.size - rating_items.count_ready(session, queue_id, up_to=row.size)
    return _choose(session, row, min(AT_ONCE, max(missing, FOR_ONE_WHO_WAITS))) > 0


def progress_of(session: Session, queue_id: UUID) -> QueueProgress:
    """How far the queue has come, and who has done how much."""
    items = rating_queues.count_items(session, queue_id)
    return QueueProgress(
        open=items[ItemState.OPEN],
        judged=items[ItemState.JUDGED],
        disputed=items[ItemState.DISPUTED],
        adjudicated=items[ItemState.ADJUDICATED],
        withdrawn=items[ItemState.WITHDRAWN],
        gold=rating_queues.count_gold(session, queue_id),
        judgements=rating_queues.count_judgements(session, queue_id),
        raters=rating_queues.count_by_rater(session, queue_id),
    )


def _choose(session: Session, queue: RatingQueue, number: int) -> int:
    if number <= 0:
        return 0
    settings = _queue(queue).settings
    wanted = CandidateFilter(
        language=settings.language,
        stage=settings.stage,
        policy_version_id=settings.policy_version_id,
        since=settings.since,
        until=settings.until,
    )
    chosen = rating_candidates.list_candidates(session, queue.id, queue.kind, queue.policy, wanted, limit=number)
    return rating_items.add_missing(
        session,
        [
            RatingItem(
                queue_id=queue.id,
                conversation_id=each.conversation_id,
                turn_id=each.turn_id,
                first_draft_id=each.first_draft_id,
                second_draft_id=each.second_draft_id,
                open_places=queue.raters_per_item,
                position=each.position,
            )
            for each in chosen
        ],
    )


def _set_closed(sessions: SessionFactory, queue_id: UUID, actor: UUID | None, *, closed: bool) -> Queue:
    with sessions.begin() as session:
        row = rating_queues.get(session, queue_id, locked=True)
        if (row.closed_at is not None) is not closed:
            row.closed_at = session.scalars(func.now().select()).one() if closed else None
            session.flush()
            _audit(session, actor, "rating_queue.close" if closed else "rating_queue.reopen", queue_id)
        return _queue(row)


def _checked(settings: QueueSettings) -> QueueSettings:
    name = " ".join(settings.name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise QueueSettingsWrong(f"a queue needs a name of 1 to {LONGEST_NAME} characters")
    _in_range("the number of raters an item", settings.raters_per_item, 1, 20)
    _in_range("the time for an item in seconds", settings.reservation_s, 30, 86_400)
    _in_range("the priority", settings.priority, -1_000, 1_000)
    _in_range("the difference that is still left alone, in stars,", settings.adjudicate_over, 1, 4)
    _in_range("the number of items kept ready", settings.size, 1, 1_000_000)
    share = settings.gold_share
    if not share.is_finite() or not 0 <= share <= Decimal("0.5"):
        raise QueueSettingsWrong(f"the share of known answers is {share}; choose 0 to 0.5")
    if share and settings.kind is not JudgementKind.TURN:
        raise QueueSettingsWrong("known answers are mixed into queues of single replies only; set their share to 0")
    for moment in (settings.since, settings.until):
        if moment is not None and moment.tzinfo is None:
            raise QueueSettingsWrong(f"{moment} has no time zone; say which one is meant")
    if settings.since is not None and settings.until is not None and settings.since >= settings.until:
        raise QueueSettingsWrong(f"nothing lies from {settings.since} to {settings.until}; let the second come after the first")
    return _with(settings, name=name, gold_share=round(share, SHARE_PLACES))


def _in_range(what: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise QueueSettingsWrong(f"{what} is {value:,}; choose {lowest:,} to {highest:,}")


_FILTERS = ("language", "stage", "policy_version_id", "since", "until")
_OWN = ("name", "kind", "policy", "raters_per_item", "reservation_s", "priority", "gold_share", "adjudicate_over", "size")


def _with(settings: QueueSettings, **changed: Any) -> QueueSettings:
    language = (settings.language or "").strip().lower() or None
    return replace(settings, language=language, **changed)


def _columns(settings: QueueSettings) -> dict[str, Any]:
    filters = {name: _plain(getattr(settings, name)) for name in _FILTERS if getattr(settings, name) is not None}
    return {name: getattr(settings, name) for name in _OWN} | {"filters": filters}


def _in_words(settings: QueueSettings) -> Json:
    return {name: _plain(getattr(settings, name)) for name in (*_OWN, *_FILTERS) if getattr(settings, name) is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return plain(value)
    return value if isinstance(value, int) else str(value)


def _queue(row: RatingQueue) -> Queue:
    filters: Mapping[str, Any] = row.filters
    settings = QueueSettings(
        **{name: getattr(row, name) for name in _OWN},
        language=filters.get("language"),
        stage=Stage(filters["stage"]) if filters.get("stage") else None,
        policy_version_id=UUID(filters["policy_version_id"]) if filters.get("policy_version_id") else None,
        since=datetime.fromisoformat(filters["since"]) if filters.get("since") else None,
        until=datetime.fromisoformat(filters["until"]) if filters.get("until") else None,
    )
    return Queue(id=row.id, settings=settings, created_at=row.created_at, closed_at=row.closed_at)


def _only(words: Json, names: set[str]) -> Json:
    return {name: value for name, value in words.items() if name in names}


def _audit(
    session: Session, actor: UUID | None, action: str, queue_id: UUID, *, before: Json | None = None, after: Json | None = None
) -> None:
    audit_events.record(
        session, actor_id=actor, action=action, subject_type="rating_queue", subject_id=queue_id, before=before, after=after
    )
