"""Where reward model and judge are at odds, and that people are shown those replies."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from rating_scenes import Scenes

from agent.domain import Reply, TurnContext
from db.vocabulary import JudgementKind, QueuePolicy
from training.judging import Marks
from training.ratings.doubts import Scored, doubts, score_logged
from training.rewards import RewardError, Scorer, shipped_spec

ASK = {"kind": "ask", "label": 1, "price": "420", "topic": None}
WORDS = ("One", "Two", "Three", "Four", "Five")


def said(scenes: Scenes) -> list[UUID]:
    """Five replies of five conversations, oldest first."""
    found: list[UUID] = []
    for words in WORDS:
        conversation = scenes.conversation()
        scenes.hotel_turn(conversation, 1)
        found.append(scenes.reply(conversation, 2, words, move=ASK, allowed=[ASK]))
    return found


def scorer(model: dict[str, float], judge: dict[str, int | None]) -> Scorer:
    """Says what it is told to: a number for the model, and the same mark on every item for the judge."""
    spec = shipped_spec()

    def marks(items: Sequence[tuple[TurnContext, Reply]]) -> list[Marks | None]:
        told = [judge[reply.text] for _, reply in items]
        return [None if mark is None else {item.name: mark for item in spec.rubric.items} for mark in told]

    return Scorer(lambda items: [model[reply.text] for _, reply in items], marks, spec)


# The model likes the first best and the last least; the judge the other way round, and it has nothing to say of the third.
MODEL: dict[str, float] = dict(zip(WORDS, (2.0, 1.0, 0.0, -1.0, -2.0), strict=True))
JUDGE: dict[str, int | None] = dict(zip(WORDS, (-2, 1, None, 0, 2), strict=True))


def test_doubt_is_how_far_apart_the_two_places_are() -> None:
    assert doubts([3.0, 2.0, 1.0], [10.0, 20.0, 30.0]) == [1.0, 0.0, 1.0]
    assert doubts([0.1, 5.0, 0.2, 9.0], [1.0, 7.0, None, 8.0]) == [0.0, 0.0, None, 0.0]
    assert doubts([1.0, 2.0, 3.0], [5.0, 5.0, 5.0]) == [0.5, 0.0, 0.5], "equal judgements share the middle"
    assert doubts([1.0, 2.0], [None, 3.0]) == [None, None], "one alone has no place among others"
    assert doubts([], []) == []


def test_replies_at_odds_are_chosen_for_the_uncertain(scenes: Scenes) -> None:
    first, *_, last = said(scenes)
    told: list[tuple[int, int]] = []
    found = score_logged(scenes.sessions, scorer(MODEL, JUDGE), reward_model="a" * 64, progress=lambda *now: told.append(now))
    assert found == Scored(turns=5, judged=4, doubtful=2, left_out=0)
    assert told == [(5, 5)]
    for kind, column in ((JudgementKind.TURN, "turn_id"), (JudgementKind.DIALOGUE, "conversation_id")):
        scenes.execute("UPDATE conversation SET closed_at = created_at")
        queue = scenes.queue(kind=kind, policy=QueuePolicy.UNCERTAIN)
        chosen = scenes.ask(f"SELECT {column} FROM rating_item WHERE queue_id = :queue", queue=queue.id)
        expected = scenes.ask(
            f"SELECT {'id' if kind is JudgementKind.TURN else 'conversation_id'} FROM turn WHERE id IN ('{first}', '{last}')"
        )
        assert set(chosen) == set(expected)


def test_every_component_is_kept_and_a_reply_is_scored_once_by_a_reward(scenes: Scenes) -> None:
    said(scenes)
    score_logged(scenes.sessions, scorer(MODEL, JUDGE), reward_model="a" * 64)
    assert score_logged(scenes.sessions, scorer(MODEL, JUDGE), reward_model="a" * 64).turns == 0
    assert score_logged(scenes.sessions, scorer(MODEL, JUDGE), reward_model="b" * 64, last_n=2).turns == 2
    rows = scenes.ask(
        "SELECT t.text, s.model, s.judge, s.total, s.parts, s.doubt FROM turn_score s JOIN turn t ON t.id = s.turn_id "
        "WHERE s.reward_model = :model ORDER BY t.created_at",
        model="a" * 64,
    )
    assert [(row[0], row[1]) for row in rows] == list(MODEL.items())
    by_words = {row[0]: row for row in rows}
    assert by_words["Three"][2] is None
    assert by_words["Three"][5] is None
    assert by_words["Three"][4]["judge_missing"] is True
    assert by_words["One"][4]["marks"]["style"] == -2
    assert by_words["One"][3] == by_words["One"][4]["total"]


def test_a_reward_that_is_no_number_writes_nothing(scenes: Scenes) -> None:
    said(scenes)
    with pytest.raises(RewardError, match="nan"):
        score_logged(scenes.sessions, scorer(MODEL | {"Two": float("nan")}, JUDGE), reward_model="a" * 64)
    assert scenes.ask("SELECT count(*) FROM turn_score") == [0]
