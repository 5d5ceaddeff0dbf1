"""What a queue may choose next: one query for each policy and kind, each answered from an index, and nothing that the queue holds already.

A row comes with its position: lower is handed out first. The newest have the lowest; a random sample is in the order of numbers that were
drawn once (``turn.sample_point``, or the digest of a draft's id), so that what comes in later has the same chance as what was there before.

One source may name the same turn several times (two breaches of one reply); ``list_candidates`` keeps the first.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Double, Select, and_, cast, exists, func, literal_column, or_, select, text
from sqlalchemy.orm import Session, aliased

from db.models import Conversation, Deployment, Draft, GoldAnswer, GuardVerdict, Rating, RatingItem, Turn, TurnScore
from db.models.turn_score import DOUBTFUL
from db.vocabulary import DeploymentRole, DraftOrigin, DraftStatus, JudgementKind, QueuePolicy, Speaker, Stage

# Words of partial indexes, in the statement itself as in rating_items.
_OURS = text("turn.speaker = 'bd'")
_FALLBACK = text("draft.fallback_reason IS NOT NULL")
_EDITED = text("draft.status = 'edited'")
_REJECTED = text("draft.status = 'rejected'")
_ALTERNATIVE = text("draft.attempt > 1")
_LOW = text("rating.stars <= 2 AND NOT rating.withdrawn")
_SAMPLE = text("md5(draft.id::text)")
_AT_ODDS = text(f"turn_score.doubt >= {DOUBTFUL}")

Found = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Something that may be judged: a turn, two drafts, or neither for the whole conversation."""

    conversation_id: uuid.UUID
    turn_id: uuid.UUID | None = None
    first_draft_id: uuid.UUID | None = None
    second_draft_id: uuid.UUID | None = None
    position: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateFilter:
    """Which candidates are meant; what is left out does not narrow."""

    language: str | None = None
    stage: Stage | None = None
    """Of a turn or a comparison: in which the reply was written. Of a dialogue: in which it ended."""
    policy_version_id: uuid.UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Of a turn or a draft: when it was written. Of a dialogue: when it was closed. Up to, and without, ``until``."""


def list_candidates(
    session: Session, queue_id: uuid.UUID, kind: JudgementKind, policy: QueuePolicy, wanted: CandidateFilter, *, limit: int
) -> Sequence[Candidate]:
    """What the queue may take in next by its policy, at most ``limit``."""
    narrowed = wanted
    if policy is QueuePolicy.CANARY:
        canary = _canary(session)
        if canary is None or wanted.policy_version_id not in (None, canary):
            return ()
        narrowed = CandidateFilter(
            language=wanted.language, stage=wanted.stage, policy_version_id=canary, since=wanted.since, until=wanted.until
        )
    choose: Callable[[QueuePolicy, uuid.UUID, CandidateFilter], Sequence[Found]] = {
        JudgementKind.TURN: _turns,
        JudgementKind.COMPARISON: _comparisons,
        JudgementKind.DIALOGUE: _dialogues,
    }[kind]
    found: dict[Candidate, None] = {}
    for statement in choose(policy, queue_id, narrowed):
        for conversation_id, turn_id, first, second, position in session.execute(statement.limit(_number(limit))):
            candidate = Candidate(
                conversation_id=conversation_id, turn_id=turn_id, first_draft_id=first, second_draft_id=second, position=position
            )
            found.setdefault(candidate)
    return sorted(found, key=lambda candidate: candidate.position)[:limit]


def _turns(policy: QueuePolicy, queue_id: uuid.UUID, wanted: CandidateFilter) -> Sequence[Found]:
    def asked(position: ColumnElement[Any]) -> Found:
        return _shaped(select(Turn.conversation_id, Turn.id, _nothing("first"), _nothing("second"), position), wanted).where(
            _OURS,
            *_within(Turn.created_at, wanted),
            *([Turn.stage_before == wanted.stage] if wanted.stage is not None else []),
            *([Turn.policy_version_id == wanted.policy_version_id] if wanted.policy_version_id is not None else []),
            ~exists().where(RatingItem.queue_id == queue_id, RatingItem.turn_id == Turn.id),
            ~exists().where(GoldAnswer.turn_id == Turn.id, GoldAnswer.retired_at.is_(None)),
        )

    said = and_(Turn.conversation_id == Draft.conversation_id, Turn.number == Draft.for_turn)
    newest_draft = asked(_age(Draft.created_at)).join_from(Draft, Turn, said).order_by(Draft.created_at.desc())
    match policy:
        case QueuePolicy.RANDOM:
            return (asked(cast(Turn.sample_point, Double)).select_from(Turn).order_by(Turn.sample_point),)
        case QueuePolicy.UNCERTAIN:
            objected = asked(_age(GuardVerdict.created_at)).join_from(GuardVerdict, Draft, Draft.id == GuardVerdict.draft_id)
            return (
                objected.join(Turn, said).order_by(GuardVerdict.created_at.desc(), GuardVerdict.draft_id.desc()),
                newest_draft.where(_FALLBACK),
                asked(_age(TurnScore.created_at))
                .join_from(TurnScore, Turn, Turn.id == TurnScore.turn_id)
                .where(_AT_ODDS)
                .order_by(TurnScore.created_at.desc(), TurnScore.id.desc()),
            )
        case QueuePolicy.BAD_CASE:
            rated = asked(_age(Rating.created_at)).join_from(Rating, Turn, Turn.id == Rating.turn_id).where(_LOW, ~_superseded())
            return (
                rated.order_by(Rating.created_at.desc(), Rating.id.desc()),
                newest_draft.where(_REJECTED),
                newest_draft.where(_EDITED),
            )
        case _:
            return (asked(_age(Turn.created_at)).select_from(Turn).order_by(Turn.created_at.desc(), Turn.id.desc()),)


def _comparisons(policy: QueuePolicy, queue_id: uuid.UUID, wanted: CandidateFilter) -> Sequence[Found]:
    """Pairs of a draft and an earlier attempt at the same turn that reads differently, at least one of them by the policy."""
    earlier = aliased(Draft, name="earlier")
    by_policy = (DraftOrigin.POLICY, DraftOrigin.REWRITE)
    pair = and_(earlier.conversation_id == Draft.conversation_id, earlier.for_turn == Draft.for_turn, earlier.attempt < Draft.attempt)
    staged = aliased(Turn, name="staged")
    in_stage = exists().where(
        staged.conversation_id == Draft.conversation_id, staged.number == Draft.for_turn, staged.stage_before == wanted.stage
    )

    def asked(position: ColumnElement[Any]) -> Found:
        return _shaped(select(Draft.conversation_id, _nothing("turn"), earlier.id.label("first"), Draft.id, position), wanted, Draft).where(
            _ALTERNATIVE,
            earlier.text != Draft.text,
            text("draft.status <> 'pending'"),
            or_(earlier.origin.in_(by_policy), Draft.origin.in_(by_policy)),
            *_within(Draft.created_at, wanted),
            *([in_stage] if wanted.stage is not None else []),
            *([Draft.policy_version_id == wanted.policy_version_id] if wanted.policy_version_id is not None else []),
            ~exists().where(
                RatingItem.queue_id == queue_id, RatingItem.first_draft_id == earlier.id, RatingItem.second_draft_id == Draft.id
            ),
        )

    newest = asked(_age(Draft.created_at)).join_from(Draft, earlier, pair).order_by(Draft.created_at.desc())
    low = and_(Turn.id == Rating.turn_id, Turn.conversation_id == Draft.conversation_id, Turn.number == Draft.for_turn)
    match policy:
        case QueuePolicy.RANDOM:
            number: ColumnElement[Any] = cast(text("('x' || substr(md5(draft.id::text), 1, 8))::bit(32)::bigint"), Double) / 2**32
            return (asked(number).join_from(Draft, earlier, pair).order_by(_SAMPLE),)
        case QueuePolicy.UNCERTAIN:
            return (newest.where(_is_any(select(GuardVerdict.id).where(GuardVerdict.draft_id.in_((Draft.id, earlier.id))))),)
        case QueuePolicy.BAD_CASE:
            poor = (DraftStatus.REJECTED, DraftStatus.EDITED)
            rated = _is_any(select(Rating.id).join_from(Rating, Turn, low).where(_LOW, ~_superseded()))
            return (newest.where(or_(Draft.status.in_(poor), earlier.status.in_(poor), rated)),)
        case _:
            return (newest,)


def _dialogues(policy: QueuePolicy, queue_id: uuid.UUID, wanted: CandidateFilter) -> Sequence[Found]:
    """Conversations that have come to their end."""

    def asked(position: ColumnElement[Any]) -> Found:
        statement = select(Conversation.id, _nothing("turn"), _nothing("first"), _nothing("second"), position).where(
            Conversation.closed_at.is_not(None),
            *_within(Conversation.closed_at, wanted),
            *([Conversation.language == wanted.language] if wanted.language is not None else []),
            *([Conversation.stage == wanted.stage] if wanted.stage is not None else []),
            *([Conversation.policy_version_id == wanted.policy_version_id] if wanted.policy_version_id is not None else []),
            ~exists().where(
                RatingItem.queue_id == queue_id,
                RatingItem.conversation_id == Conversation.id,
                RatingItem.turn_id.is_(None),
                RatingItem.first_draft_id.is_(None),
            ),
        )
        return statement

    drafted = Conversation.id == Draft.conversation_id
    newest_draft = asked(_age(Draft.created_at)).join_from(Draft, Conversation, drafted).order_by(Draft.created_at.desc())
    match policy:
        case QueuePolicy.RANDOM:
            # Each conversation is drawn by our first turn in it.
            ours = aliased(Turn, name="ours")
            first = select(func.min(ours.number)).where(ours.conversation_id == Turn.conversation_id, ours.speaker == Speaker.BD)
            drawn = asked(cast(Turn.sample_point, Double)).join_from(Turn, Conversation, Conversation.id == Turn.conversation_id)
            return (drawn.where(_OURS, Turn.number == first.scalar_subquery()).order_by(Turn.sample_point),)
        case QueuePolicy.UNCERTAIN:
            objected = asked(_age(GuardVerdict.created_at)).join_from(GuardVerdict, Draft, Draft.id == GuardVerdict.draft_id)
            return (
                objected.join(Conversation, drafted).order_by(GuardVerdict.created_at.desc(), GuardVerdict.draft_id.desc()),
                newest_draft.where(_FALLBACK),
                asked(_age(TurnScore.created_at))
                .join_from(TurnScore, Turn, Turn.id == TurnScore.turn_id)
                .join(Conversation, Conversation.id == Turn.conversation_id)
                .where(_AT_ODDS)
                .order_by(TurnScore.created_at.desc(), TurnScore.id.desc()),
            )
        case QueuePolicy.BAD_CASE:
            rated = asked(_age(Rating.created_at)).join_from(Rating, Conversation, Conversation.id == Rating.conversation_id)
            return (
                rated.where(_LOW, ~_superseded()).order_by(Rating.created_at.desc(), Rating.id.desc()),
                newest_draft.where(_REJECTED),
                newest_draft.where(_EDITED),
            )
        case _:
            return (asked(_age(Conversation.closed_at)).select_from(Conversation).order_by(Conversation.closed_at.desc()),)


def _nothing(name: str) -> ColumnElement[Any]:
    return literal_column("NULL::uuid").label(name)


def _shaped(statement: Found, wanted: CandidateFilter, of: type[Turn | Draft] = Turn) -> Found:
    """With the conversation's language where one is asked for."""
    if wanted.language is None:
        return statement
    return statement.where(exists().where(Conversation.id == of.conversation_id, Conversation.language == wanted.language))


def _is_any(found: Select[uuid.UUID]) -> ColumnElement[bool]:
    """As EXISTS, for a condition beside others: with its limit it is looked up row by row, and never read whole to be hashed."""
    return found.limit(1).scalar_subquery().is_not(None)


def _within(moment: Any, wanted: CandidateFilter) -> list[ColumnElement[bool]]:
    since = [moment >= wanted.since] if wanted.since is not None else []
    return since + ([moment < wanted.until] if wanted.until is not None else [])


def _age(moment: Any) -> ColumnElement[float]:
    return cast(-func.extract("epoch", moment), Double)


def _superseded() -> ColumnElement[bool]:
    newer = aliased(Rating, name="newer")
    return exists().where(newer.supersedes_id == Rating.id)


def _number(limit: int) -> ColumnElement[int]:
    return literal_column(str(int(limit)))


def _canary(session: Session) -> uuid.UUID | None:
    return session.scalars(
        select(Deployment.policy_version_id).where(Deployment.role == DeploymentRole.CANARY, Deployment.active_to.is_(None))
    ).one_or_none()
