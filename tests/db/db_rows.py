"""Rows that tests about the database start from: plausible, and different from each other only where a test says so."""

import itertools
import uuid
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from db.models import Conversation, Draft, GuardVerdict, Hotel, PolicyVersion, Ticket, Turn, User
from db.repositories import conversations, drafts, hotels, policy_versions, tickets, turns, users
from db.vocabulary import Counterpart, DraftOrigin, DraftStatus, Mode, Role, Severity, Speaker, Stage


class Rows:
    """Writes rows into one session; every call makes a new one."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._number = itertools.count(1)

    def user(self, *, email: str | None = None, name: str = "Ada", roles: tuple[Role, ...] = (Role.BD,)) -> User:
        return users.create(self.session, email=email or f"user{next(self._number)}@example.com", name=name, roles=roles)[0]

    def hotel(self, *, name: str | None = None, city: str = "Lisbon", country: str = "PT") -> Hotel:
        return hotels.create(self.session, Hotel(name=name or f"Hotel {next(self._number)}", city=city, country=country))[0]

    def ticket(self, hotel: Hotel | None = None, **changed: Any) -> Ticket:
        fields: dict[str, Any] = {
            "hotel_id": (hotel or self.hotel()).id,
            "reference": f"PC-{next(self._number):05}",
            "room_type": "Deluxe King",
            "check_in": date(2026, 3, 1),
            "check_out": date(2026, 3, 31),
            "currency": "EUR",
            "current_net": Decimal("440"),
            "commission": Decimal("0.15"),
            "target": Decimal("410"),
            "ceiling": Decimal("425"),
            "opening_ask": Decimal("395"),
        }
        return tickets.create(self.session, Ticket(**fields | changed))[0]

    def conversation(self, *held: Ticket, key: str | None = None, **changed: Any) -> Conversation:
        on = held or (self.ticket(),)
        fields: dict[str, Any] = {
            "hotel_id": on[0].hotel_id,
            "mode": Mode.COPILOT,
            "counterpart": Counterpart.HUMAN,
            "idempotency_key": key or uuid.uuid4().hex,
        }
        return conversations.open_once(self.session, Conversation(**fields | changed), [ticket.id for ticket in on])[0]

    def hotel_turn(self, conversation: Conversation, number: int, text: str = "We could do 430.", **changed: Any) -> Turn:
        fields: dict[str, Any] = {"stage_before": Stage.PROPOSAL, "idempotency_key": f"hotel-{number}"}
        turn = Turn(
            conversation_id=conversation.id,
            number=number,
            speaker=Speaker.HOTEL,
            text=text,
            **fields | changed,
        )
        return turns.add_once(self.session, turn)[0]

    def draft(self, conversation: Conversation, for_turn: int, attempt: int = 1, **changed: Any) -> Draft:
        fields: dict[str, Any] = {"origin": DraftOrigin.POLICY, "text": "Could you do 420 net?", "status": DraftStatus.PENDING}
        draft = Draft(conversation_id=conversation.id, for_turn=for_turn, attempt=attempt, **fields | changed)
        return drafts.add_once(self.session, draft)[0]

    def bd_turn(self, conversation: Conversation, number: int, *, author: User | None = None, **changed: Any) -> Turn:
        """Our turn with an approved draft, and two breaches."""
        draft = self.draft(conversation, number, status=DraftStatus.APPROVED)
        drafts.add_verdicts(
            self.session,
            [
                GuardVerdict(draft_id=draft.id, rule="length", severity=Severity.MINOR, message="a long one"),
                GuardVerdict(draft_id=draft.id, rule="repetition", severity=Severity.MINOR, message="said before"),
            ],
        )
        fields: dict[str, Any] = {"stage_before": Stage.PROPOSAL, "stage_after": Stage.PERSUASION}
        turn = Turn(
            conversation_id=conversation.id,
            number=number,
            speaker=Speaker.BD,
            text=draft.text,
            draft_id=draft.id,
            author_user_id=author.id if author else None,
            **fields | changed,
        )
        return turns.add_once(self.session, turn)[0]

    def policy_version(self, name: str | None = None) -> PolicyVersion:
        version = PolicyVersion(name=name or f"policy-v{next(self._number)}", base_model="parley-starter")
        return policy_versions.create(self.session, version)[0]
