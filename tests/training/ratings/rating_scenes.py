"""Conversations, people and queues that the tests of ratings start from; each call commits."""

import itertools
import uuid
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from db.engine import SessionFactory
from db.models import Conversation, Draft, GuardVerdict, Hotel, Ticket, Turn
from db.repositories import conversations, hotels, tickets, users
from db.vocabulary import Counterpart, DraftOrigin, DraftStatus, JudgementKind, Mode, QueuePolicy, Role, Severity, Speaker, Stage
from training.ratings import queues
from training.ratings.queues import Queue, QueueSettings
from training.ratings.views import Judgement

EVERY_TURN = QueueSettings(name="Every turn", kind=JudgementKind.TURN, policy=QueuePolicy.NEWEST)
FOUR = Judgement(stars=4)
SECRET = Decimal("424.77")
"""Our ceiling: no task may show it."""


class Scenes:
    """Writes what a test needs."""

    def __init__(self, sessions: SessionFactory) -> None:
        self.sessions = sessions
        self._number = itertools.count(1)

    def rater(self, name: str = "Ada", *, roles: tuple[Role, ...] = (Role.ANNOTATOR,)) -> UUID:
        with self.sessions.begin() as session:
            return users.create(session, email=f"rater{next(self._number)}@example.com", name=name, roles=roles)[0].id

    def raters(self, number: int) -> list[UUID]:
        return [self.rater(f"Rater {position}") for position in range(number)]

    def queue(self, **changed: Any) -> Queue:
        settings = replace(EVERY_TURN, **{"name": f"Queue {next(self._number)}"} | changed)
        return queues.define(self.sessions, settings, actor=None)

    def conversation(self, **changed: Any) -> UUID:
        """Open, with one ticket and nothing said."""
        with self.sessions.begin() as session:
            number = next(self._number)
            hotel = hotels.create(session, Hotel(name=f"Hotel {number}", city="Lisbon", country="PT"))[0]
            ticket = Ticket(
                hotel_id=hotel.id,
                reference=f"PC-{number:05}",
                room_type="Deluxe King",
                check_in=date(2026, 3, 1),
                check_out=date(2026, 3, 31),
                currency="EUR",
                current_net=Decimal("440"),
                commission=Decimal("0.15"),
                competitor_price=Decimal("500"),
                competitor_source="a rival site",
                target=Decimal("410"),
                ceiling=SECRET,
                opening_ask=Decimal("395"),
            )
            held = tickets.create(session, ticket)[0]
            fields: dict[str, Any] = {
                "hotel_id": hotel.id,
                "mode": Mode.COPILOT,
                "counterpart": Counterpart.HUMAN,
                "idempotency_key": uuid.uuid4().hex,
            }
            return conversations.open_once(session, Conversation(**fields | changed), [held.id])[0].id

    def hotel_turn(self, conversation: UUID, number: int, words: str = "We could do 430.") -> UUID:
        with self.sessions.begin() as session:
            turn = Turn(
                conversation_id=conversation,
                number=number,
                speaker=Speaker.HOTEL,
                text=words,
                stage_before=Stage.PROPOSAL,
                idempotency_key=f"hotel-{number}",
            )
            session.add(turn)
            return turn.id

    def reply(self, conversation: UUID, number: int, words: str = "Could you do 420 net?", **changed: Any) -> UUID:
        """Our turn, without a draft unless one is named."""
        fields: dict[str, Any] = {"stage_before": Stage.PROPOSAL, "move": {"kind": "ask", "label": 1, "price": "420", "topic": None}}
        with self.sessions.begin() as session:
            turn = Turn(conversation_id=conversation, number=number, speaker=Speaker.BD, text=words, **fields | changed)
            session.add(turn)
            session.flush()
            return turn.id

    def replies(self, number: int, **changed: Any) -> list[UUID]:
        """As many conversations of one hotel message and one reply of ours; ids of the replies, oldest first."""
        found: list[UUID] = []
        for position in range(number):
            conversation = self.conversation(**changed)
            self.hotel_turn(conversation, 1)
            found.append(self.reply(conversation, 2, f"Reply {position}"))
        return found

    def draft(self, conversation: UUID, for_turn: int, attempt: int = 1, words: str | None = None, **changed: Any) -> UUID:
        fields: dict[str, Any] = {"origin": DraftOrigin.POLICY, "status": DraftStatus.SUPERSEDED}
        with self.sessions.begin() as session:
            draft = Draft(
                conversation_id=conversation, for_turn=for_turn, attempt=attempt, text=words or f"Attempt {attempt}", **fields | changed
            )
            session.add(draft)
            return draft.id

    def objection(self, draft: UUID, rule: str = "promises") -> None:
        with self.sessions.begin() as session:
            session.add(GuardVerdict(draft_id=draft, rule=rule, severity=Severity.MAJOR, message="promises too much"))

    def pair(self, first: str = "Could you do 420?", second: str = "Would 420 work for you?") -> tuple[UUID, UUID]:
        """Two drafts for one reply, the second of them sent."""
        conversation = self.conversation()
        self.hotel_turn(conversation, 1)
        earlier = self.draft(conversation, 2, 1, first)
        later = self.draft(conversation, 2, 2, second, status=DraftStatus.APPROVED)
        self.reply(conversation, 2, second, draft_id=later)
        return earlier, later

    def run_out(self) -> None:
        """The time of every lease is over."""
        self.execute("UPDATE rating_assignment SET expires_at = now() - interval '1 minute' WHERE state = 'reserved'")

    def execute(self, statement: str, **values: Any) -> None:
        with self.sessions.begin() as session:
            session.execute(text(statement), values)

    def ask(self, statement: str, **values: Any) -> list[Any]:
        with self.sessions() as session:
            return [tuple(row) if len(row) > 1 else row[0] for row in session.execute(text(statement), values)]


def key() -> str:
    return uuid.uuid4().hex
