"""Conversations and queues for the tests of the rating page: plausible talks, two drafts for a reply, long names and long texts."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from db.engine import SessionFactory
from db.models import Conversation, ConversationTicket, Draft, Hotel, Rating, RatingItem, RatingQueue, Ticket, Turn, User
from db.vocabulary import Counterpart, DraftOrigin, DraftStatus, JudgementKind, Mode, QueuePolicy, Role, Speaker, Stage
from training.ratings import queues
from training.ratings.desk import RatingDesk
from training.ratings.queues import QueueSettings

LONG_HOTEL = "Gran Hotel Palacio de los Duques de Alburquerque y Marqueses de Santa Cruz Resort, Spa & Convention Centre"
LONG_REPLY = (
    "Thank you for coming back to us so quickly, and for explaining how the season looks from your side; that helps a great deal. "
    "For the Deluxe Double from 1 to 31 March, Agoda shows 210 for the same nights, and travellers who compare end up booking there. "
    "If you could let us have 180 net per night, our page would be level again, and the whole difference would come back in bookings. "
    "Would that be something that you could look at today? If another number suits you better, please tell me which one and why, and I "
    "will see at once what can be done on our side; nothing else in the contract would change, and breakfast stays included as it is."
)
TALK = (
    (Speaker.BD, "Good morning, this is Parley's partner team. Do you look after room prices at your hotel?"),
    (Speaker.HOTEL, "Yes, that is me. What is it about?"),
    (Speaker.BD, "Your Deluxe Double in March is at 200 net with us, and 5 % lower elsewhere. How is March looking for you?"),
    (Speaker.HOTEL, "Quiet so far, to be honest. We could do 190."),
    (Speaker.BD, "Thank you, 190 helps. With 180 net you would be level with Agoda. Would that work?"),
    (Speaker.HOTEL, "Let me see, I will ask the owner."),
    (Speaker.BD, "Of course. Shall I write again on Thursday, or would you rather call?"),
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """What was put into the database."""

    conversations: tuple[uuid.UUID, ...]


def add_talks(
    sessions: SessionFactory, number: int, *, rooms: Sequence[str] = ("Deluxe Double",), hotel: str = "Casa", reply: str = ""
) -> Shelf:
    """Conversations of seven turns, four of them ours, each with another hotel; ``reply`` takes the place of our last turn."""
    with sessions.begin() as session:
        return Shelf(tuple(_talk(session, f"{hotel} {each + 1}", rooms, reply) for each in range(number)))


def _talk(session: Session, name: str, rooms: Sequence[str], reply: str) -> uuid.UUID:
    house = Hotel(name=name, city="Lisbon", country="PT")
    session.add(house)
    session.flush()
    tickets = [_ticket(house, room) for room in rooms]
    conversation = Conversation(
        hotel_id=house.id,
        mode=Mode.COPILOT,
        counterpart=Counterpart.HUMAN,
        turn_count=len(TALK),
        stage=Stage.DECLINED,
        closed_at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    session.add_all([*tickets, conversation])
    session.flush()
    session.add_all(
        ConversationTicket(conversation_id=conversation.id, ticket_id=ticket.id, label=label)
        for label, ticket in enumerate(tickets, start=1)
    )
    for number, (speaker, text) in enumerate(TALK, start=1):
        last = number == len(TALK)
        said = reply if reply and last else text
        draft = None
        if speaker is Speaker.BD:
            draft = _draft(conversation, number, said)
            session.add(draft)
            session.flush()
        session.add(
            Turn(
                conversation_id=conversation.id,
                number=number,
                speaker=speaker,
                text=said,
                stage_before=Stage.PERSUASION,
                move={"kind": "ask", "label": 1, "price": "180"} if draft else None,
                draft_id=draft.id if draft else None,
                idempotency_key=None if draft else f"hotel-{number}",
            )
        )
    return conversation.id


def add_alternatives(sessions: SessionFactory, shelf: Shelf, *, text: str = LONG_REPLY) -> None:
    """A second, rejected draft for the last reply of each conversation, so that there are two to compare."""
    with sessions.begin() as session:
        session.add_all(
            Draft(
                conversation_id=conversation,
                for_turn=len(TALK),
                attempt=2,
                origin=DraftOrigin.POLICY,
                text=text,
                status=DraftStatus.REJECTED,
            )
            for conversation in shelf.conversations
        )


def add_queue(sessions: SessionFactory, kind: JudgementKind, *, name: str = "", raters: int = 1, gold_share: str = "0") -> uuid.UUID:
    """A queue of everything that there is of this kind."""
    settings = QueueSettings(
        name=name or f"Every {kind}",
        kind=kind,
        policy=QueuePolicy.RANDOM,
        raters_per_item=raters,
        gold_share=Decimal(gold_share),
        size=500,
    )
    return queues.define(sessions, settings, actor=None).id


def fresh_queue(sessions: SessionFactory, kind: JudgementKind, *, raters: int = 1, gold_share: str = "0") -> uuid.UUID:
    """The only open queue, with nothing in anybody's hands."""
    desk = RatingDesk(sessions)
    with sessions.begin() as session:
        people = session.scalars(select(User.id)).all()
        open_queues = session.scalars(select(RatingQueue.id).where(RatingQueue.closed_at.is_(None))).all()
    for person in people:
        desk.release(person)
    for queue in open_queues:
        queues.close(sessions, queue, actor=None)
    return add_queue(sessions, kind, name=f"{kind} {uuid.uuid4().hex[:6]}", raters=raters, gold_share=gold_share)


def ratings_in(sessions: SessionFactory, queue_id: uuid.UUID | None = None) -> list[Rating]:
    """Every row of ``rating``, or every one of a queue, the oldest first, with its tags."""
    wanted = select(Rating).options(selectinload(Rating.tags)).order_by(Rating.created_at, Rating.id)
    if queue_id is not None:
        wanted = wanted.join(RatingItem, Rating.item_id == RatingItem.id).where(RatingItem.queue_id == queue_id)
    with sessions.begin() as session:
        return list(session.scalars(wanted))


def current_ratings(sessions: SessionFactory, queue_id: uuid.UUID | None = None) -> list[Rating]:
    """Those that count: neither replaced nor taken back."""
    rows = ratings_in(sessions, queue_id)
    replaced = {row.supersedes_id for row in rows}
    return [row for row in rows if row.id not in replaced and not row.withdrawn]


def id_of(sessions: SessionFactory, role: Role) -> uuid.UUID:
    """The person of a role, as ``web_site.add_people`` makes them."""
    with sessions.begin() as session:
        return session.scalars(select(User.id).where(User.email == f"{role}@parley.test")).one()


def _ticket(house: Hotel, room: str) -> Ticket:
    return Ticket(
        hotel_id=house.id,
        reference=f"PC-{uuid.uuid4().hex[:8]}",
        room_type=room,
        check_in=date(2027, 3, 1),
        check_out=date(2027, 3, 31),
        currency="EUR",
        current_net=Decimal(200),
        commission=Decimal("0.15"),
        competitor_price=Decimal(210),
        competitor_source="Agoda",
        competitor_seen_on=date(2027, 1, 20),
        breakfast=True,
        tax_included=True,
        target=Decimal(176),
        ceiling=Decimal(188),
        opening_ask=Decimal(170),
    )


def _draft(conversation: Conversation, number: int, text: str) -> Draft:
    return Draft(
        conversation_id=conversation.id, for_turn=number, attempt=1, origin=DraftOrigin.POLICY, text=text, status=DraftStatus.APPROVED
    )
