"""Queries on conversations."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Select, Text, cast, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import BIT, distinct_on
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from db.errors import ParleyError
from db.models import Conversation, ConversationTicket, Draft, Hotel, Ticket
from db.repositories.insertion import add_unless_present
from db.repositories.words import every_word_in
from db.vocabulary import Counterpart, DraftStatus, Mode, Stage


class ConversationNotFound(ParleyError):
    """No conversation has this id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationFilter:
    """Which conversations are meant; what is left out does not narrow."""

    user_id: uuid.UUID | None = None
    """Opened or taken over by."""
    stages: tuple[Stage, ...] = ()
    closed: bool | None = None
    hotel_id: uuid.UUID | None = None
    ticket_id: uuid.UUID | None = None
    mode: Mode | None = None
    counterpart: Counterpart | None = None
    text: str = ""
    """Words that must each stand in the hotel's name or city."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """For a statement that joins ``Hotel``."""
        found = [every_word_in(self.text, Hotel.search_text)]
        if self.user_id is not None:
            found.append(or_(Conversation.opened_by == self.user_id, Conversation.taken_over_by == self.user_id))
        if self.stages:
            found.append(Conversation.stage.in_(self.stages))
        if self.closed is not None:
            found.append(Conversation.closed_at.is_not(None) if self.closed else Conversation.closed_at.is_(None))
        if self.hotel_id is not None:
            found.append(Conversation.hotel_id == self.hotel_id)
        if self.ticket_id is not None:
            holds = select(ConversationTicket.id).where(
                ConversationTicket.conversation_id == Conversation.id, ConversationTicket.ticket_id == self.ticket_id
            )
            found.append(holds.exists())
        if self.mode is not None:
            found.append(Conversation.mode == self.mode)
        if self.counterpart is not None:
            found.append(Conversation.counterpart == self.counterpart)
        return found


Statement = TypeVar("Statement", bound=Select[*tuple[Any, ...]])

EVERY_CONVERSATION = ConversationFilter()


def open_once(session: Session, conversation: Conversation, ticket_ids: Sequence[uuid.UUID]) -> tuple[Conversation, bool]:
    """Add a conversation with its tickets, labelled 1, 2, … in their order; says whether it was added.

    A conversation that holds the same ``idempotency_key`` is found instead, and nothing is written.
    """
    key = Conversation.idempotency_key
    opened, is_new = add_unless_present(session, conversation, unique=[key.expression], same=[key == conversation.idempotency_key])
    if is_new:
        session.add_all(
            ConversationTicket(conversation_id=opened.id, ticket_id=ticket_id, label=label)
            for label, ticket_id in enumerate(ticket_ids, start=1)
        )
        session.flush()
    return opened, is_new


def find_by_idempotency_key(session: Session, key: str) -> Conversation | None:
    """The conversation that this key has opened."""
    return session.scalars(select(Conversation).where(Conversation.idempotency_key == key)).one_or_none()


def get_with_tickets(session: Session, conversation_id: uuid.UUID, *, locked: bool = False) -> Conversation:
    """The conversation with its ``hotel``, ``policy_version`` and ``tickets`` (each with its ``ticket``), as it is now.

    ``locked`` as in ``lock_conversation``.

    Raises:
        ConversationNotFound: if there is none.
    """
    statement = select(Conversation).options(
        joinedload(Conversation.hotel, innerjoin=True),
        joinedload(Conversation.policy_version),
        selectinload(Conversation.tickets).options(*_WHOLE),
    )
    return _one(session, statement.with_for_update(of=Conversation) if locked else statement, conversation_id)


def lock_conversation(session: Session, conversation_id: uuid.UUID) -> Conversation:
    """The conversation with its ``policy_version``, as it is now; nobody else can lock it until this transaction ends.

    Raises:
        ConversationNotFound: if there is none.
        DatabaseBusy: if somebody else holds it for longer than the lock timeout.
    """
    statement = select(Conversation).options(joinedload(Conversation.policy_version)).with_for_update(of=Conversation)
    return _one(session, statement, conversation_id)


def list_held_tickets(session: Session, conversation_id: uuid.UUID) -> Sequence[ConversationTicket]:
    """The conversation's tickets in the order of their labels, each with its ``ticket`` and that one's ``hotel``."""
    return session.scalars(
        select(ConversationTicket)
        .options(*_WHOLE)
        .where(ConversationTicket.conversation_id == conversation_id)
        .order_by(ConversationTicket.label)
    ).all()


def search(
    session: Session, wanted: ConversationFilter = EVERY_CONVERSATION, *, limit: int = 50, offset: int = 0
) -> Sequence[Conversation]:
    """One page of conversations with their ``hotel`` and ``tickets``, last touched first."""
    return session.scalars(
        _narrowed(select(Conversation), wanted)
        .options(
            contains_eager(Conversation.hotel), selectinload(Conversation.tickets).joinedload(ConversationTicket.ticket, innerjoin=True)
        )
        .order_by(Conversation.updated_at.desc(), Conversation.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()


def count(session: Session, wanted: ConversationFilter = EVERY_CONVERSATION) -> int:
    """How many conversations there are on all pages."""
    return session.scalars(_narrowed(select(func.count(Conversation.id)), wanted)).one()


def count_by_stage(session: Session, wanted: ConversationFilter = EVERY_CONVERSATION) -> dict[Stage, int]:
    """How many conversations there are in each stage, 0 included."""
    counted = session.execute(_narrowed(select(Conversation.stage, func.count(Conversation.id)), wanted).group_by(Conversation.stage))
    return dict.fromkeys(Stage, 0) | dict(counted.all())


def latest_by_ticket(session: Session, ticket_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Conversation]:
    """For each of the tickets that was ever negotiated, its newest conversation."""
    rows = session.execute(
        select(ConversationTicket.ticket_id, Conversation)
        .join(Conversation, Conversation.id == ConversationTicket.conversation_id)
        .where(ConversationTicket.ticket_id.in_(ticket_ids))
        .ext(distinct_on(ConversationTicket.ticket_id))
        .order_by(ConversationTicket.ticket_id, Conversation.id.desc())
    )
    return dict(rows.all())


def list_open_with_any_ticket(session: Session, ticket_ids: Sequence[uuid.UUID]) -> Sequence[Conversation]:
    """Conversations not yet closed that hold one of the tickets. Under ``tickets.lock_tickets`` the answer stays true."""
    return session.scalars(
        select(Conversation)
        .join(ConversationTicket, ConversationTicket.conversation_id == Conversation.id)
        .where(ConversationTicket.ticket_id.in_(ticket_ids), Conversation.closed_at.is_(None))
        .distinct()
        .order_by(Conversation.id)
    ).all()


def lock_due_follow_ups(session: Session, *, now: datetime, limit: int = 10) -> Sequence[Conversation]:
    """Open conversations whose follow-up time has come, longest overdue first, locked; those that somebody else works on are skipped."""
    return session.scalars(
        select(Conversation)
        .where(Conversation.closed_at.is_(None), Conversation.next_follow_up_at <= now)
        .order_by(Conversation.next_follow_up_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()


def count_open_by_policy_version(session: Session, policy_version_id: uuid.UUID) -> int:
    """Conversations that still need the version: it is drained at 0."""
    return session.scalars(
        select(func.count(Conversation.id)).where(Conversation.policy_version_id == policy_version_id, Conversation.closed_at.is_(None))
    ).one()


def move_to_version(
    session: Session, from_id: uuid.UUID, to_id: uuid.UUID, *, opened_before: datetime | None = None, limit: int = 500
) -> Sequence[uuid.UUID]:
    """Let another version speak from here on in open conversations of this one; returns which, oldest first.

    Left out are those that a request works on at this moment (it holds the conversation's advisory lock, ``agent.service.exclusive``) and
    those whose draft waits for a person: what was written is logged under the version that wrote it.
    """
    waits = exists().where(Draft.conversation_id == Conversation.id, Draft.status == DraftStatus.PENDING)
    wanted = select(Conversation.id).where(Conversation.policy_version_id == from_id, Conversation.closed_at.is_(None), ~waits)
    if opened_before is not None:
        wanted = wanted.where(Conversation.created_at < opened_before)
    # Materialised, so that no lock is taken on a conversation that is not meant.
    free = wanted.order_by(Conversation.id).limit(limit).cte().prefix_with("MATERIALIZED", dialect="postgresql")
    free = select(free.c.id).where(func.pg_try_advisory_xact_lock(_lock_key(free.c.id)))
    moved = session.scalars(
        update(Conversation)
        .where(Conversation.id.in_(free))
        # It is not the conversation that went on.
        .values(policy_version_id=to_id, updated_at=Conversation.updated_at)
        .returning(Conversation.id)
        .execution_options(synchronize_session=False)
    )
    return sorted(moved)


def _lock_key(column: ColumnElement[uuid.UUID]) -> ColumnElement[int]:
    """``id.int % 2**63``, by the server."""
    digits = func.right(func.replace(cast(column, Text), "-", ""), 16)
    return cast(cast(func.concat("x", digits), BIT(64)), BigInteger).op("&")(2**63 - 1)


_WHOLE = (joinedload(ConversationTicket.ticket, innerjoin=True).joinedload(Ticket.hotel, innerjoin=True),)


def _one(session: Session, statement: Select[Conversation], conversation_id: uuid.UUID) -> Conversation:
    # What the session holds may be older than the lock, so it is read anew.
    narrowed = statement.where(Conversation.id == conversation_id).execution_options(populate_existing=True)
    found = session.scalars(narrowed).one_or_none()
    if found is None:
        raise ConversationNotFound(f"there is no conversation {conversation_id}; it may belong to another instance: open one from the list")
    return found


def _narrowed(statement: Statement, wanted: ConversationFilter) -> Statement:
    return statement.join(Hotel, Hotel.id == Conversation.hotel_id).where(*wanted.conditions())
