"""The scripted BD: varied, honest, never twice the same; and whole conversations with it come to every kind of end."""

import random
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
import scenes
from scenes import said_twice

from agent.domain import AllowedMove, TurnContext
from agent.guardrails import check
from agent.simulation import HotelUtterance, NothingToSay, Quality, ScriptedBD, converse
from db.vocabulary import MoveKind, Stage

TODAY = date(2026, 11, 23)
FACTS = replace(scenes.FACTS, competitor_price=None, competitor_source=None)
CONVERSATIONS = {
    quality: [converse(seed, today=TODAY, quality=quality) for seed in range(60)]
    for quality in (Quality.EXCELLENT, Quality.FINE, Quality.CLUMSY)
}


def situation(kind: MoveKind) -> tuple[TurnContext, AllowedMove]:
    return scenes.situation(kind, FACTS, today=TODAY)


@pytest.mark.parametrize("kind", list(MoveKind))
def test_that_each_move_has_more_than_two_hundred_wordings(kind: MoveKind):
    context, move = situation(kind)
    words = {
        ScriptedBD().say(context, move, rng=random.Random(seed), quality=quality)
        for seed in range(900)
        for quality in (Quality.EXCELLENT, Quality.FINE)
    }
    assert len(words) > 200


def test_that_the_same_random_state_gives_the_same_words():
    context, move = situation(MoveKind.ASK)
    assert ScriptedBD().say(context, move, rng=random.Random(5)) == ScriptedBD().say(context, move, rng=random.Random(5))


def test_that_nobody_elses_price_is_named_where_none_is_known():
    context, move = situation(MoveKind.ASK)
    for seed in range(300):
        text = ScriptedBD().say(context, move, rng=random.Random(seed))
        assert "Agoda" not in text
        assert "None" not in text
        assert "{" not in text


def test_that_a_wrong_line_is_given_only_on_request_and_exists_for_what_can_go_wrong():
    context, move = situation(MoveKind.ASK)
    assert ScriptedBD().say(context, move, rng=random.Random(1), quality="wrong")
    context, move = situation(MoveKind.ESCALATE)
    with pytest.raises(NothingToSay, match="escalate"):
        ScriptedBD().say(context, move, rng=random.Random(1), quality="wrong")


@pytest.mark.parametrize("quality", list(CONVERSATIONS))
def test_that_no_sentence_is_said_twice_in_a_conversation(quality: Quality):
    for conversation in CONVERSATIONS[quality]:
        assert not said_twice(conversation, is_long=lambda sentence: len(sentence.split()) >= 5)


@pytest.mark.parametrize(("quality", "most"), [(Quality.EXCELLENT, 0.0), (Quality.FINE, 0.01), (Quality.CLUMSY, 0.01)])
def test_that_what_is_said_passes_the_guard(quality: Quality, most: float):
    exchanges = [exchange for conversation in CONVERSATIONS[quality] for exchange in conversation.exchanges]
    faults = [(exchange.reply, found) for exchange in exchanges if (found := check(exchange.context, exchange.reply))]
    assert len(faults) <= most * len(exchanges), faults[:3]


def test_that_conversations_come_to_every_kind_of_end():
    ends = Counter(conversation.state.stage for conversation in CONVERSATIONS[Quality.EXCELLENT] + CONVERSATIONS[Quality.CLUMSY])
    assert {Stage.AGREED, Stage.DECLINED, Stage.HANDED_OVER} <= set(ends)
    assert 0.4 < ends[Stage.AGREED] / ends.total() < 0.95
    # A hotel that takes a reminder for a farewell would fall silent, and the talk would expire.
    assert ends[Stage.EXPIRED] / ends.total() < 0.08


def test_that_conversations_have_a_human_length():
    lengths = [len(c.exchanges) for c in CONVERSATIONS[Quality.EXCELLENT] if len(c.tickets) == 1]
    assert 6 <= sum(lengths) / len(lengths) <= 14


def test_that_a_good_bd_does_better_than_a_clumsy_one():
    def agreed(quality: Quality) -> float:
        tickets = [ticket for conversation in CONVERSATIONS[quality] for ticket in conversation.state.tickets]
        return sum(ticket.agreed is not None for ticket in tickets) / len(tickets)

    def goodwill(quality: Quality) -> float:
        last = [answers(c.exchanges)[-1].inner.goodwill for c in CONVERSATIONS[quality]]
        return sum(last) / len(last)

    def answers(exchanges: object) -> list[HotelUtterance]:
        return [e.answer for e in exchanges if e.answer is not None]  # pyright: ignore

    assert agreed(Quality.EXCELLENT) > agreed(Quality.CLUMSY) + 0.05
    assert goodwill(Quality.EXCELLENT) > goodwill(Quality.CLUMSY) + 0.05


def test_that_nothing_is_agreed_outside_the_zone():
    for conversations in CONVERSATIONS.values():
        for conversation in conversations:
            for (fact, mandate), ticket in zip(conversation.tickets, conversation.state.tickets, strict=True):
                if ticket.agreed is not None:
                    assert ticket.agreed <= mandate.ceiling
                    # A selling price is said in whole units, so the net price may lie a little under what was meant.
                    assert ticket.agreed >= conversation.profile.stance(fact.label).reservation * Decimal("0.99")
