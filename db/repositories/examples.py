"""Queries on what examples are made of (judgements, edits and the turns they are about), and on examples that were imported."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, text, true, union
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased, joinedload, selectinload

from db.models import (
    BadCase,
    Contact,
    Conversation,
    ConversationTicket,
    Draft,
    GuardVerdict,
    ImportedExample,
    Rating,
    RatingItem,
    Ticket,
    Turn,
)
from db.vocabulary import DraftStatus, ItemState, JudgementKind


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedConversation:
    """One conversation with everything that people said about its turns."""

    conversation: Conversation
    """With ``policy_version`` and tickets, each with its hotel."""
    turns: list[Turn] = field(default_factory=list[Turn])
    drafts: list[Draft] = field(default_factory=list[Draft])
    """By turn and attempt."""
    ratings: list[Rating] = field(default_factory=list[Rating])
    """Those of turns and comparisons that count, oldest first."""
    dialogues: list[Rating] = field(default_factory=list[Rating])
    """Those of the conversation as a whole that count, with their ``tags``, oldest first."""
    contacts: list[Contact] = field(default_factory=list[Contact])
    """The hotel's people."""
    refused_edits: set[uuid.UUID] = field(default_factory=set[uuid.UUID])
    """Drafts whose edit the guard objected to."""
    disputed_items: set[uuid.UUID] = field(default_factory=set[uuid.UUID])
    case_turns: set[int] = field(default_factory=set[int])
    """Numbers of the turns that are bad cases."""


def read_one_moment(session: Session) -> datetime:
    """Let every further statement of this transaction see the same moment, which it returns; the transaction must be new."""
    session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    return session.scalars(select(func.now())).one()


def list_judged_conversations(session: Session) -> Sequence[uuid.UUID]:
    """Every conversation with a judgement, or with an edited draft; by id."""
    rated = select(Rating.conversation_id)
    edited = select(Draft.conversation_id).where(Draft.status == DraftStatus.EDITED)
    found = union(rated, edited).subquery()
    return session.scalars(select(found.c.conversation_id).order_by(found.c.conversation_id)).all()


def list_conversations(session: Session, *, as_of: datetime) -> Sequence[uuid.UUID]:
    """Every conversation that had been opened before that instant, judged or not; by id."""
    return session.scalars(select(Conversation.id).where(Conversation.created_at < as_of).order_by(Conversation.id)).all()


def load_judged(session: Session, conversation_ids: Sequence[uuid.UUID], *, as_of: datetime | None = None) -> list[JudgedConversation]:
    """These conversations, by id; a fixed number of statements whatever their number.

    With ``as_of``, what had been said and judged before that instant. What has no history is as it is now: contacts, which edits came later
    (``decided_at`` tells), disputes; one that was decided later is told as a dispute.
    """
    wanted = list(conversation_ids)

    def before(column: InstrumentedAttribute[datetime]) -> ColumnElement[bool]:
        return true() if as_of is None else column < as_of

    loaded = session.scalars(
        select(Conversation)
        .options(
            joinedload(Conversation.policy_version),
            selectinload(Conversation.tickets).joinedload(ConversationTicket.ticket).joinedload(Ticket.hotel),
        )
        .where(Conversation.id.in_(wanted))
        .order_by(Conversation.id)
    ).all()
    found = {conversation.id: JudgedConversation(conversation=conversation) for conversation in loaded}
    turns = select(Turn).where(Turn.conversation_id.in_(wanted), before(Turn.created_at)).order_by(Turn.conversation_id, Turn.number)
    for turn in session.scalars(turns):
        found[turn.conversation_id].turns.append(turn)
    drafts = select(Draft).where(Draft.conversation_id.in_(wanted), before(Draft.created_at))
    for draft in session.scalars(drafts.order_by(Draft.conversation_id, Draft.for_turn, Draft.attempt)):
        found[draft.conversation_id].drafts.append(draft)
    later = aliased(Rating)
    replaced = select(later.id).where(later.supersedes_id == Rating.id, before(later.created_at)).exists()
    ratings = (
        select(Rating)
        .where(Rating.conversation_id.in_(wanted), ~Rating.withdrawn, ~replaced, before(Rating.created_at))
        .order_by(Rating.created_at, Rating.id)
    )
    of_dialogues = Rating.kind == JudgementKind.DIALOGUE
    for rating in session.scalars(ratings.where(~of_dialogues)):
        found[rating.conversation_id].ratings.append(rating)
    for rating in session.scalars(ratings.where(of_dialogues).options(selectinload(Rating.tags))):
        found[rating.conversation_id].dialogues.append(rating)
    refused = (
        select(Draft.conversation_id, Draft.id)
        .join(GuardVerdict, GuardVerdict.draft_id == Draft.id)
        .where(Draft.conversation_id.in_(wanted), Draft.status == DraftStatus.EDITED, GuardVerdict.of_edit)
    )
    for conversation_id, draft_id in session.execute(refused):
        found[conversation_id].refused_edits.add(draft_id)
    disputes = RatingItem.state == ItemState.DISPUTED
    if as_of is not None:
        decided = select(later.id).where(later.item_id == RatingItem.id, later.adjudicates, later.created_at >= as_of)
        disputes = or_(disputes, decided.exists())
    disputed = select(RatingItem.conversation_id, RatingItem.id).where(RatingItem.conversation_id.in_(wanted), disputes)
    for conversation_id, item_id in session.execute(disputed):
        found[conversation_id].disputed_items.add(item_id)
    cases = select(Turn.conversation_id, Turn.number).join(BadCase, BadCase.turn_id == Turn.id)
    for conversation_id, number in session.execute(cases.where(Turn.conversation_id.in_(wanted), before(BadCase.created_at))):
        found[conversation_id].case_turns.add(number)
    hotels = {conversation.hotel_id for conversation in loaded}
    contacts: dict[uuid.UUID, list[Contact]] = {}
    for contact in session.scalars(select(Contact).where(Contact.hotel_id.in_(hotels)).order_by(Contact.id)):
        contacts.setdefault(contact.hotel_id, []).append(contact)
    for judged in found.values():
        judged.contacts.extend(contacts.get(judged.conversation.hotel_id, ()))
    return list(found.values())


def iterate_imported(session: Session, kind: str, *, batch: int = 500) -> Iterator[ImportedExample]:
    """The imported examples of one format, by id, a batch a statement."""
    after: uuid.UUID | None = None
    while True:
        wanted = select(ImportedExample).where(ImportedExample.format == kind).order_by(ImportedExample.id).limit(batch)
        rows = session.scalars(wanted if after is None else wanted.where(ImportedExample.id > after)).all()
        yield from rows
        session.expunge_all()
        if len(rows) < batch:
            return
        after = rows[-1].id


def known_imports(session: Session, ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Those of the ids that were imported before."""
    return set(session.scalars(select(ImportedExample.id).where(ImportedExample.id.in_(ids))))


def add_imported(session: Session, rows: Sequence[Mapping[str, object]]) -> int:
    """Add examples, each a mapping of the table's columns; one whose id is there already is left as it is. Returns how many were new."""
    if not rows:
        return 0
    statement = insert(ImportedExample).on_conflict_do_nothing(index_elements=[ImportedExample.id.expression]).returning(ImportedExample.id)
    return len(session.scalars(statement, [dict(row) for row in rows]).all())
