"""Where reward model and judge are at odds about a reply that was sent: what people are asked first by a queue for the uncertain.

Decided here: what being at odds is. The two have no common unit, so their places are compared: a reply that stands at 90 % of all by the
reward model and at 20 % by the judge has a doubt of 0.7. Every component of the score is kept with it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from scipy.stats import rankdata

from agent.domain import AllowedMove, Reply, TurnContext
from agent.records import from_json
from db.engine import SessionFactory
from db.models import TurnScore
from db.models.turn_score import DOUBTFUL
from db.repositories import reward_specs, turn_scores
from training.data.contexts import past_contexts
from training.rewards.scoring import Score, Scorer

_BATCH = 100
"""Conversations that are held in memory at a time."""
_WRITTEN_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What came of scoring replies."""

    turns: int
    judged: int
    """Those of them that the judge answered for."""
    doubtful: int
    """Those that people should look at."""
    left_out: int
    """Turns whose context cannot be rebuilt."""


def score_logged(
    sessions: SessionFactory,
    scorer: Scorer,
    *,
    reward_model: str,
    last_n: int = 2_000,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Scored:
    """Score those of our turns that have no score by this reward yet, the newest ``last_n`` at most, and write the scores.

    ``reward_model`` is the SHA-256 of the model that ``scorer`` asks; ``progress`` is told how many turns are done, of how many. What was
    scored is written at the end: places need all of them. Raises RewardError as the scorer does, and then nothing is written.
    """
    digest = scorer.spec.digest
    with sessions() as session:
        wanted = turn_scores.list_unscored(session, reward_model, digest, limit=last_n)
    total = sum(map(len, wanted.values()))
    ids: list[UUID] = []
    scores: list[Score] = []
    left_out = 0
    remaining = iter(wanted)
    while batch := list(islice(remaining, _BATCH)):
        turn_ids, items, unknown = _replies(sessions, batch, wanted)
        ids += turn_ids
        scores += scorer.score_many(items)
        left_out += unknown
        progress(len(ids) + left_out, total)
    found = doubts([score.model for score in scores], [score.judge for score in scores])
    rows = [
        TurnScore(
            turn_id=turn_id,
            reward_model=reward_model,
            spec_digest=digest,
            model=score.model,
            judge=score.judge,
            total=score.total,
            parts=score.to_json(),
            doubt=doubt,
        )
        for turn_id, score, doubt in zip(ids, scores, found, strict=True)
    ]
    for start in range(0, len(rows), _WRITTEN_AT_ONCE):
        with sessions.begin() as session:
            turn_scores.add_missing(session, rows[start : start + _WRITTEN_AT_ONCE])
    return Scored(
        turns=len(rows),
        judged=sum(score.judge is not None for score in scores),
        doubtful=sum(doubt is not None and doubt >= DOUBTFUL for doubt in found),
        left_out=left_out,
    )


def doubts(model: Sequence[float], judge: Sequence[float | None]) -> list[float | None]:
    """How far apart the two places of each reply are, 0 to 1, among those that were judged; None for the others.

    Equal values share a place, so a judge that says the same of all puts every reply in the middle.
    """
    judged = [(index, one, other) for index, (one, other) in enumerate(zip(model, judge, strict=True)) if other is not None]
    found: list[float | None] = [None] * len(model)
    if len(judged) < 2:
        return found
    most = len(judged) - 1
    by_model, by_judge = rankdata([one for _, one, _ in judged]), rankdata([other for *_, other in judged])
    for (index, *_), one, other in zip(judged, by_model, by_judge, strict=True):
        found[index] = float(abs(one - other)) / most
    return found


def _replies(
    sessions: SessionFactory, batch: Sequence[UUID], wanted: dict[UUID, set[int]]
) -> tuple[list[UUID], list[tuple[TurnContext, Reply]], int]:
    ids: list[UUID] = []
    items: list[tuple[TurnContext, Reply]] = []
    unknown = 0
    with sessions() as session:
        for logged in reward_specs.load_logged(session, batch):
            contexts = past_contexts(logged.conversation, logged.turns, logged.drafts)
            for number in sorted(wanted[logged.conversation.id]):
                turn, context = logged.turns[number - 1], contexts.get(number)
                if context is None:
                    unknown += 1
                    continue
                ids.append(turn.id)
                items.append((context, Reply(move=from_json(AllowedMove, turn.move), text=turn.text)))
    return ids, items, unknown
