"""Queries on versions of the reward spec, and on the turns that a change of it is tried on."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session, joinedload, selectinload

from db.errors import ParleyError
from db.models import Conversation, ConversationTicket, Draft, Rating, RewardSpec, Ticket, Turn
from db.repositories.ratings import is_current
from db.vocabulary import JudgementKind, JudgementSource, Speaker, SpecStatus


class SpecNotFound(ParleyError):
    """No version of the reward spec has this number."""


def lock(session: Session) -> None:
    """Let nobody else propose, approve or retire until this transaction ends; reading goes on."""
    session.execute(text("LOCK TABLE reward_spec IN SHARE ROW EXCLUSIVE MODE"))


def add(session: Session, spec: RewardSpec) -> RewardSpec:
    """Write a version; a number that is taken is refused (``IntegrityError``)."""
    session.add(spec)
    session.flush()
    return spec


def get(session: Session, version: int) -> RewardSpec:
    """The version as it is now, with ``author`` and ``approver``.

    Raises:
        SpecNotFound: if there is none.
    """
    found = session.scalars(_WITH_PEOPLE.where(RewardSpec.version == version).execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise SpecNotFound(f"there is no version {version} of the reward spec; choose one from the list")
    return found


def find_in_force(session: Session) -> RewardSpec | None:
    """The highest approved version, with ``author`` and ``approver``; None where none is stored yet."""
    return session.scalars(
        _WITH_PEOPLE.where(RewardSpec.status == SpecStatus.APPROVED).order_by(RewardSpec.version.desc()).limit(1)
    ).one_or_none()


def list_all(session: Session) -> Sequence[RewardSpec]:
    """Every version, the newest first, with ``author`` and ``approver``."""
    return session.scalars(_WITH_PEOPLE.order_by(RewardSpec.version.desc())).all()


def newest_version(session: Session) -> int:
    """The highest number that is taken; 0 where none is."""
    return session.scalars(select(func.coalesce(func.max(RewardSpec.version), 0))).one()


def approve(session: Session, version: int, approved_by: uuid.UUID | None) -> bool:
    """Approve a draft (None: the system does); False, and nothing is changed, where it is none (any more)."""
    done = session.scalars(
        update(RewardSpec)
        .where(RewardSpec.version == version, RewardSpec.status == SpecStatus.DRAFT)
        .values(status=SpecStatus.APPROVED, approved_by=approved_by, approved_at=func.now())
        .returning(RewardSpec.id)
        .execution_options(synchronize_session=False)
    )
    return done.one_or_none() is not None


def retire(session: Session, version: int) -> bool:
    """Retire a version; False, and nothing is changed, where it is retired already."""
    done = session.scalars(
        update(RewardSpec)
        .where(RewardSpec.version == version, RewardSpec.status != SpecStatus.RETIRED)
        .values(status=SpecStatus.RETIRED)
        .returning(RewardSpec.id)
        .execution_options(synchronize_session=False)
    )
    return done.one_or_none() is not None


_WITH_PEOPLE = select(RewardSpec).options(joinedload(RewardSpec.author), joinedload(RewardSpec.approver))


# -- what was said, to try a change on --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedConversation:
    """One conversation with all that was said in it and what people think of our turns."""

    conversation: Conversation
    """With its tickets, each with its hotel."""
    turns: list[Turn] = field(default_factory=list[Turn])
    """In order."""
    drafts: list[Draft] = field(default_factory=list[Draft])
    """By turn and attempt."""
    ratings: list[Rating] = field(default_factory=list[Rating])
    """Judgements of single turns by people (not by simulated experts) that count, with their ``tags``."""


def list_newest_replies(session: Session, limit: int) -> dict[uuid.UUID, set[int]]:
    """The numbers of our newest turns that make a move, by conversation, the conversation of the newest one first."""
    newest = (
        select(Turn.conversation_id, Turn.number)
        .where(Turn.speaker == Speaker.BD, Turn.move.is_not(None))
        .order_by(Turn.created_at.desc(), Turn.id.desc())
        .limit(limit)
    )
    found: dict[uuid.UUID, set[int]] = {}
    for conversation_id, number in session.execute(newest):
        found.setdefault(conversation_id, set()).add(number)
    return found


def load_logged(session: Session, conversation_ids: Sequence[uuid.UUID]) -> list[LoggedConversation]:
    """These conversations, in this order; a fixed number of statements whatever their number."""
    wanted = list(conversation_ids)
    loaded = session.scalars(
        select(Conversation)
        .options(selectinload(Conversation.tickets).joinedload(ConversationTicket.ticket).joinedload(Ticket.hotel))
        .where(Conversation.id.in_(wanted))
    )
    found = {conversation.id: LoggedConversation(conversation=conversation) for conversation in loaded}
    for turn in session.scalars(select(Turn).where(Turn.conversation_id.in_(wanted)).order_by(Turn.conversation_id, Turn.number)):
        found[turn.conversation_id].turns.append(turn)
    drafts = select(Draft).where(Draft.conversation_id.in_(wanted)).order_by(Draft.conversation_id, Draft.for_turn, Draft.attempt)
    for draft in session.scalars(drafts):
        found[draft.conversation_id].drafts.append(draft)
    ratings = (
        select(Rating)
        .options(selectinload(Rating.tags))
        .where(
            Rating.conversation_id.in_(wanted),
            Rating.kind == JudgementKind.TURN,
            Rating.source != JudgementSource.SIMULATED,
            is_current(),
        )
    )
    for rating in session.scalars(ratings):
        found[rating.conversation_id].ratings.append(rating)
    return [found[conversation_id] for conversation_id in wanted]
