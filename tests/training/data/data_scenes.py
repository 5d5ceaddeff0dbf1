"""Negotiations that tests about examples start from, and the script of the model in them."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.language.client import Completion, ModelClient
from agent.language.prompts import Message
from agent.service import Negotiations
from db.models import Contact, Conversation, Draft, Rating, RatingTag, Turn
from db.repositories import tickets, users
from db.vocabulary import (
    Counterpart,
    DraftOrigin,
    DraftStatus,
    IssueTag,
    JudgementKind,
    JudgementSource,
    Mode,
    Preferred,
    Role,
    Severity,
    Speaker,
)

_WORDS = ("Hello from our side", "Thank you for the answer", "One more thought", "We value your rooms", "That helps us to go on")
_TICKETS = ("DEMO-101", "DEMO-103", "DEMO-104", "DEMO-106")
"""Of hotels of their own."""
_TERMS = ("room", "net", "selling", "dates")


class ScriptedClient(ModelClient):
    """A model that never reads (the rules do) and writes the first allowed move with the blanks that it needs; it keeps every prompt."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9/v1")
        self.prompts: list[list[Message]] = []
        self._number = count()

    def complete_json(self, **asked: Any) -> Completion:
        del asked
        return Completion(text="", is_cut=False)

    def stream_json(self, *, messages: Sequence[Message], schema: dict[str, Any], **asked: Any) -> Iterator[str]:
        del asked
        self.prompts.append(list(messages))
        shape = schema.get("anyOf", [schema])[0]
        move = shape["properties"]["move"]["enum"][0]
        needed = {"ask": ("net",), "accept": _TERMS, "confirm": _TERMS}.get(move, ())
        words = _WORDS[next(self._number) % len(_WORDS)]
        said = " ".join([f"{words}, could we settle", *(f"{{{name}}}" for name in needed), "?"]) if needed else f"{words}?"
        yield f'{{"move":"{move}","text":"{said}"}}'


def opened(negotiations: Negotiations, *references: str, mode: Mode = Mode.COPILOT, seed: int = 3, language: str = "en") -> UUID:
    """A conversation with a simulated hotel on demo tickets, its opening drafted."""
    with negotiations.transaction() as session:
        found = [tickets.find_by_reference(session, reference) for reference in references or ("DEMO-101",)]
    conversation_id = negotiations.open(
        ticket_ids=[ticket.id for ticket in found if ticket is not None],
        mode=mode,
        counterpart=Counterpart.SIMULATED,
        actor=None,
        key=f"test:{uuid4()}",
        seed=seed,
        language=language,
    )
    for _ in negotiations.resume(conversation_id):
        pass
    return conversation_id


def pending(negotiations: Negotiations, conversation_id: UUID) -> UUID:
    """The draft that waits."""
    draft = negotiations.view(conversation_id).pending
    assert draft is not None
    return draft.id


def talk(negotiations: Negotiations, *, seed: int, references: Sequence[str] = ("DEMO-101",), turns: int = 4) -> UUID:
    """A conversation in which a person lets every draft out, changing the second one."""
    conversation_id = opened(negotiations, *references, seed=seed)
    for step in range(turns):
        view = negotiations.view(conversation_id)
        if view.pending is None:
            break
        if step == 1:
            words = f"{view.pending.text} Thank you, dear partner."
            said = negotiations.edit(view.pending.id, words, key=str(uuid4()), actor=None, despite_guard=True)
        else:
            said = negotiations.approve(view.pending.id, key=str(uuid4()), actor=None)
        for _ in said:
            pass
        if negotiations.view(conversation_id).is_end:
            break
        for _ in negotiations.hear_simulated(conversation_id):
            pass
    return conversation_id


class Judge:
    """Writes judgements of one person."""

    def __init__(self, session: Session, name: str = "Ann O'Tate", *, source: JudgementSource = JudgementSource.DESK) -> None:
        self.session = session
        self.user = users.create(session, email=f"{uuid4().hex}@example.com", name=name, roles=[Role.ANNOTATOR])[0]
        self.source = source

    def turns(self, conversation_id: UUID) -> list[Turn]:
        """Our turns, in order."""
        ours = select(Turn).where(Turn.conversation_id == conversation_id, Turn.speaker == Speaker.BD).order_by(Turn.number)
        return list(self.session.scalars(ours))

    def rate(self, turn: Turn, stars: int, **said: Any) -> Rating:
        """Stars for a turn."""
        return self._add(
            Rating(
                kind=JudgementKind.TURN,
                rater_id=self.user.id,
                conversation_id=turn.conversation_id,
                turn_id=turn.id,
                idempotency_key=uuid4().hex,
                stars=stars,
                source=self.source,
                **said,
            )
        )

    def judge_dialogue(
        self, conversation_id: UUID, stars: int, *, faults: Mapping[IssueTag, Severity] | None = None, **said: Any
    ) -> Rating:
        """Stars for a conversation as a whole."""
        rating = self._add(
            Rating(
                kind=JudgementKind.DIALOGUE,
                rater_id=self.user.id,
                conversation_id=conversation_id,
                idempotency_key=uuid4().hex,
                stars=stars,
                source=self.source,
                **said,
            )
        )
        for tag, severity in (faults or {}).items():
            self.session.add(RatingTag(rating_id=rating.id, tag=tag, severity=severity))
        self.session.flush()
        return rating

    def compare(self, first: Draft, second: Draft, preferred: Preferred, **said: Any) -> Rating:
        """Which of two drafts is better."""
        return self._add(
            Rating(
                kind=JudgementKind.COMPARISON,
                rater_id=self.user.id,
                conversation_id=first.conversation_id,
                first_draft_id=first.id,
                second_draft_id=second.id,
                idempotency_key=uuid4().hex,
                preferred=preferred,
                strength=None if preferred is Preferred.TIE else 3,
                source=self.source,
                **said,
            )
        )

    def withdraw(self, rating: Rating) -> Rating:
        """Take a judgement of a turn back."""
        return self._add(
            Rating(
                kind=rating.kind,
                rater_id=self.user.id,
                conversation_id=rating.conversation_id,
                turn_id=rating.turn_id,
                idempotency_key=uuid4().hex,
                supersedes_id=rating.id,
                withdrawn=True,
            )
        )

    def _add(self, rating: Rating) -> Rating:
        self.session.add(rating)
        self.session.flush()
        return rating


def another_draft(session: Session, turn: Turn, text: str) -> Draft:
    """A draft that was thrown away in favour of the one that became this turn."""
    used = session.get_one(Draft, turn.draft_id)
    draft = Draft(
        conversation_id=turn.conversation_id,
        for_turn=turn.number,
        attempt=used.attempt + 7,
        origin=DraftOrigin.POLICY,
        status=DraftStatus.REJECTED,
        text=text,
        move=used.move,
        allowed=used.allowed,
        brief=used.brief,
    )
    session.add(draft)
    session.flush()
    return draft


def add_contact(session: Session, conversation_id: UUID, *, name: str, email: str | None = None, phone: str | None = None) -> None:
    """A person at the conversation's hotel."""
    session.add(Contact(hotel_id=session.get_one(Conversation, conversation_id).hotel_id, name=name, email=email, phone=phone))
    session.flush()


def judged_talks(negotiations: Negotiations, *, talks: int = 3) -> tuple[UUID, ...]:
    """Conversations with judgements of every sort, by two people and a simulated expert."""
    made = tuple(talk(negotiations, seed=seed, references=[_TICKETS[seed]]) for seed in range(talks))
    with negotiations.transaction() as session:
        ann, bob = Judge(session), Judge(session, "Bob Ating")
        machine = Judge(session, "Simulated", source=JudgementSource.SIMULATED)
        for number, conversation_id in enumerate(made):
            ours = ann.turns(conversation_id)
            ann.rate(ours[0], 5 - 3 * (number % 2), excellent=number % 2 == 0)
            bob.rate(ours[-1], 2, rewrite="Could we meet at {net}? Your guests love the breakfast.".replace("{net}", "that price"))
            machine.rate(ours[1], 4)
            other = another_draft(session, ours[2], "Dear team, we look forward to your answer.")
            bob.compare(other, session.get_one(Draft, ours[2].draft_id), Preferred.FIRST)
            bob.judge_dialogue(conversation_id, 2 + number, outcome="open", decided_by="Nobody named a price.")
            machine.judge_dialogue(conversation_id, 3, faults={IssueTag.PUSHING_ON: Severity.MINOR})
    return made
