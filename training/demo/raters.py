"""Simulated experts at the annotators' work: they rate what an instance has said to simulated hotels, into its database.

Decided here: that they rate every reply of ours as people do, with stars, an excellent mark and faults, that one of them writes what he
would have said where he did not like it, and that they compare it with another draft where there is one. Their words are the phrasebook's
excellent ones that training may see. Every row says that it is simulated, and is written once however often this is asked for.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from uuid import UUID

from sqlalchemy.orm import Session

from agent.domain import AllowedMove
from agent.records import from_json
from agent.simulation import NothingToSay, Quality, ScriptedBD
from db.engine import SessionFactory
from db.models import Draft, Rating, RatingTag, Turn, User
from db.repositories import examples, ratings, users
from db.repositories.examples import JudgedConversation
from db.vocabulary import IssueTag, JudgementKind, JudgementSource, Preferred, Role, Speaker
from training.data.examples import GOOD_STARS
from training.dialogues import Room
from training.dialogues.retelling import retold
from training.experts import Expert, Truth, judge, witness
from training.experts import Rating as Opinion

_BATCH = 20
_BD = ScriptedBD()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """One conversation, as it was judged and as it came out."""

    stars: tuple[float, ...]
    """Mean of the experts, 1 to 5, of each of our replies in order."""
    rooms: tuple[Room, ...]


def rate_conversations(
    sessions: SessionFactory,
    conversation_ids: Sequence[UUID],
    experts: Sequence[Expert],
    *,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> dict[UUID, Rated]:
    """Have each expert rate each reply; what they say, by conversation.

    Raises CannotRetell where a conversation was not held with a simulated hotel, or not by this release.
    """
    found: dict[UUID, Rated] = {}
    for start in range(0, len(conversation_ids), _BATCH):
        with sessions.begin() as session:
            people = [_person(session, expert) for expert in experts]
            for judged in examples.load_judged(session, conversation_ids[start : start + _BATCH]):
                known = {(rating.rater_id, rating.turn_id) for rating in judged.ratings}
                ours = [turn for turn in judged.turns if turn.speaker is Speaker.BD]
                again = retold(judged.conversation, judged.turns)
                means: list[float] = []
                for turn, truth in zip(ours, again.truths, strict=True):
                    verdict = judge(truth)
                    opinions = [expert.rate_judged(truth, verdict) for expert in experts]
                    means.append(fmean(opinion.stars for opinion in opinions))
                    writes = random.Random(str(turn.id)).randrange(len(experts))
                    for number, (person, opinion) in enumerate(zip(people, opinions, strict=True)):
                        if (person.id, turn.id) not in known:
                            _write(session, person, turn, truth, opinion, rewrites=number == writes)
                found[judged.conversation.id] = Rated(stars=tuple(means), rooms=again.rooms)
        progress(min(start + _BATCH, len(conversation_ids)), len(conversation_ids))
    return found


def compare_alternatives(sessions: SessionFactory, conversation_ids: Sequence[UUID], experts: Sequence[Expert]) -> int:
    """Have each expert compare each reply with the other draft for its turn, where there is one; returns how many comparisons there are.

    Raises CannotRetell as ``rate_conversations``.
    """
    compared = 0
    for start in range(0, len(conversation_ids), _BATCH):
        with sessions.begin() as session:
            people = [_person(session, expert) for expert in experts]
            for judged in examples.load_judged(session, conversation_ids[start : start + _BATCH]):
                known = {(rating.rater_id, rating.second_draft_id) for rating in judged.ratings}
                for said, other, truth, instead in _alternatives(judged):
                    verdicts = judge(truth), judge(instead)
                    for person, expert in zip(people, experts, strict=True):
                        compared += 1
                        if (person.id, other.id) not in known:
                            opinions = expert.rate_judged(truth, verdicts[0]), expert.rate_judged(instead, verdicts[1])
                            ratings.add(session, _comparison(person, said, other, *opinions))
    return compared


def _alternatives(judged: JudgedConversation) -> Iterator[tuple[Draft, Draft, Truth, Truth]]:
    """Each reply with another draft for its turn: both drafts, and the truth about both."""
    ours = [turn for turn in judged.turns if turn.speaker is Speaker.BD]
    again = retold(judged.conversation, judged.turns)
    seed = judged.conversation.seed
    assert seed is not None, "it was retold"
    for turn, truth in zip(ours, again.truths, strict=True):
        drafts = {draft.id: draft for draft in judged.drafts if draft.for_turn == turn.number and draft.text}
        said = drafts.pop(turn.draft_id, None) if turn.draft_id is not None else None
        for other in drafts.values():
            # Of an edited draft the words that were said are in no draft.
            if said is not None and said.text == turn.text != other.text and other.move is not None:
                instead = witness(
                    truth.context,
                    from_json(AllowedMove, other.move),
                    other.text,
                    profile=truth.profile,
                    mandates=truth.mandates,
                    seed=seed,
                    heard=truth.heard,
                )
                yield said, other, truth, instead


def _comparison(person: User, said: Draft, other: Draft, of_said: Opinion, of_other: Opinion) -> Rating:
    liking = [(opinion.stars, opinion.excellent) for opinion in (of_said, of_other)]
    preferred = Preferred.TIE if liking[0] == liking[1] else Preferred.FIRST if liking[0] > liking[1] else Preferred.SECOND
    return Rating(
        kind=JudgementKind.COMPARISON,
        rater_id=person.id,
        conversation_id=said.conversation_id,
        first_draft_id=said.id,
        second_draft_id=other.id,
        idempotency_key=f"simulated:{other.id}",
        source=JudgementSource.SIMULATED,
        preferred=preferred,
        strength=None if preferred is Preferred.TIE else min(1 + abs(of_said.stars - of_other.stars), 4),
    )


def _person(session: Session, expert: Expert) -> User:
    """An account that nobody can sign in to."""
    name = expert.name.capitalize()
    return users.create(
        session, email=f"{expert.name.replace(' ', '-')}@simulated.invalid", name=f"{name} (simulated)", roles=[Role.ANNOTATOR]
    )[0]


def _write(session: Session, person: User, turn: Turn, truth: Truth, opinion: Opinion, *, rewrites: bool) -> None:
    rating = Rating(
        kind=JudgementKind.TURN,
        rater_id=person.id,
        conversation_id=turn.conversation_id,
        turn_id=turn.id,
        idempotency_key=f"simulated:{turn.id}",
        source=JudgementSource.SIMULATED,
        stars=opinion.stars,
        excellent=opinion.excellent,
        rewrite=_said_better(truth, opinion) if rewrites and opinion.stars < GOOD_STARS else None,
    )
    ratings.add(session, rating)
    for fault in opinion.faults:
        session.add(RatingTag(rating_id=rating.id, tag=IssueTag(fault.kind), severity=fault.severity))


def _said_better(truth: Truth, opinion: Opinion) -> str | None:
    """What this expert would have said in its place, if there is anything to say."""
    rng = random.Random(f"{opinion.expert}:{truth.context.history}:{truth.text}")
    try:
        return _BD.say(truth.context, truth.move, rng=rng, quality=Quality.EXCELLENT)
    except NothingToSay:
        return None
