"""Negotiations that tests of previews look back on: our words are the test's own, the hotel is simulated."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import date
from itertools import cycle
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.language.client import Completion, ModelClient
from agent.service import Negotiations, connect
from agent.service.demo import seed_demo
from agent.settings import AgentSettings
from db.models import Rating, RatingTag, Turn
from db.repositories import tickets, users
from db.vocabulary import Counterpart, IssueTag, JudgementKind, JudgementSource, Mode, Role, Severity, Speaker

REFERENCES = ("DEMO-101", "DEMO-103", "DEMO-104", "DEMO-106")
"""Demo tickets of hotels of their own."""


POLITE = "Dear partner, how are your bookings this month?"
PUSHING = "Dear partner, this is our last offer, is it not?"
PROMISING = "We guarantee full occupancy, dear partner!"


class SilentClient(ModelClient):
    """A model that reads nothing and always writes the same draft; what is said in the end is the test's."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9/v1")

    def complete_json(self, **asked: Any) -> Completion:
        del asked
        return Completion(text="", is_cut=False)

    def stream_json(self, *, schema: dict[str, Any], **asked: Any) -> Iterator[str]:
        del asked
        move = schema.get("anyOf", [schema])[0]["properties"]["move"]["enum"][0]
        yield f'{{"move":"{move}","text":"Hello?"}}'


class Talks:
    """Makes negotiations and judgements of them."""

    def __init__(self, service: Negotiations) -> None:
        self.service = service
        self._references = cycle(REFERENCES)

    def say(self, *texts: str, seed: int = 3) -> list[Turn]:
        """A negotiation with a simulated hotel in which our turns are these texts; fewer where it ends before."""
        with self.service.transaction() as session:
            ticket = tickets.find_by_reference(session, next(self._references))
        assert ticket is not None
        conversation_id = self.service.open(
            ticket_ids=[ticket.id],
            mode=Mode.COPILOT,
            counterpart=Counterpart.SIMULATED,
            actor=None,
            key=f"test:{uuid4()}",
            seed=seed,
            language="en",
        )
        for _ in self.service.resume(conversation_id):
            pass
        for text in texts:
            pending = self.service.view(conversation_id).pending
            if pending is None:
                break
            for _ in self.service.edit(pending.id, text, key=str(uuid4()), actor=None, despite_guard=True):
                pass
            for _ in self.service.hear_simulated(conversation_id):
                pass
        with self.service.transaction() as session:
            ours = select(Turn).where(Turn.conversation_id == conversation_id, Turn.speaker == Speaker.BD).order_by(Turn.number)
            return list(session.scalars(ours))

    def rate(self, turn: Turn, stars: int, *, fault: IssueTag | None = None, source: JudgementSource = JudgementSource.DESK) -> None:
        """A judgement of a person, or of a simulated expert."""
        with self.service.transaction() as session:
            rating = Rating(
                kind=JudgementKind.TURN,
                rater_id=person(session, "Ann O'Tate"),
                conversation_id=turn.conversation_id,
                turn_id=turn.id,
                stars=stars,
                idempotency_key=uuid4().hex,
                source=source,
            )
            session.add(rating)
            session.flush()
            if fault is not None:
                session.add(RatingTag(rating_id=rating.id, tag=fault, severity=Severity.MAJOR))


@contextmanager
def negotiating(database_url: str) -> Generator[Talks]:
    """Negotiations on the demo tickets of a migrated database."""
    settings = AgentSettings(_env_file=None)  # pyright: ignore[reportCallIssue]
    with connect(database_url, settings=settings, client=SilentClient()) as service:
        with service.transaction() as session:
            seed_demo(session, today=date(2027, 1, 1))
        yield Talks(service)


def three_talks(talks: Talks) -> list[list[Turn]]:
    """Three negotiations, of which two have a turn that pushes and the last one a promise."""
    return [talks.say(POLITE, PUSHING, seed=3), talks.say(PUSHING, POLITE, seed=4), talks.say(POLITE, PROMISING, seed=5)]


def person(session: Session, name: str) -> UUID:
    """Somebody new."""
    return users.create(session, email=f"{uuid4().hex}@example.com", name=name, roles=[Role.OPS])[0].id
