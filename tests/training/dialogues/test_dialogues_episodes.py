from dataclasses import replace
from decimal import Decimal

import pytest

from agent.simulation import Quality
from tests.training.dialogues.dialogue_speakers import ScriptedSpeaker
from training.dialogues import Dialogue, play_many
from training.dialogues.episodes import Worth, episode, episodes, outcome_value

ONLY_GOODWILL = Worth(agreed=0, captured=0, goodwill=1, unmeant=0)
ONLY_ROOMS = Worth(agreed=1, captured=0, goodwill=0, unmeant=0)
ONLY_PRICE = Worth(agreed=0, captured=1, goodwill=0, unmeant=0)


@pytest.fixture(scope="module")
def held() -> list[Dialogue]:
    return play_many(range(1, 19), ScriptedSpeaker(unreadable=0.05), seed=2, held_out=False)


def test_the_last_turn_has_the_whole_outcome_and_earlier_ones_a_discounted_part(held: list[Dialogue]) -> None:
    for told, dialogue in zip(episodes(held, Worth(discount=0.9)), held, strict=True):
        assert [turn.context for turn in told.turns] == [exchange.context for exchange in dialogue.exchanges]
        assert [turn.reply for turn in told.turns] == [exchange.reply for exchange in dialogue.exchanges]
        assert told.turns[-1].outcome == told.value
        for earlier, later in zip(told.turns, told.turns[1:], strict=False):
            assert earlier.outcome == pytest.approx(0.9 * later.outcome)


def test_an_outcome_is_rooms_price_and_goodwill(held: list[Dialogue]) -> None:
    dialogue = next(one for one in held if len(one.rooms) > 1 and all(room.possible and room.agreed is not None for room in one.rooms))
    assert outcome_value(dialogue, ONLY_ROOMS) == 1.0
    shares = [float((room.ceiling - room.agreed) / (room.ceiling - room.reservation)) for room in dialogue.rooms if room.agreed is not None]
    assert outcome_value(dialogue, ONLY_PRICE) == pytest.approx(sum(min(share, 1.0) for share in shares) / len(shares))
    answers = [exchange.answer for exchange in dialogue.exchanges if exchange.answer is not None]
    won = answers[-1].inner.goodwill - answers[0].inner.goodwill
    assert outcome_value(dialogue, ONLY_GOODWILL) == pytest.approx(won)
    whole = outcome_value(dialogue, Worth())
    parts = [outcome_value(dialogue, one) for one in (ONLY_ROOMS, ONLY_PRICE, ONLY_GOODWILL)]
    assert whole == pytest.approx(0.5 * sum(parts))


def test_an_agreement_that_the_hotel_did_not_mean_costs(held: list[Dialogue]) -> None:
    dialogue = next(one for one in held if len(one.rooms) == 1 and one.rooms[0].agreed is not None)
    ticket = dialogue.state.tickets[0]
    assert ticket.agreed is not None
    other = replace(dialogue, state=dialogue.state.with_ticket(replace(ticket, agreed=ticket.agreed * Decimal("0.9"))))
    only = Worth(agreed=0, captured=0, goodwill=0)
    assert (outcome_value(dialogue, only), outcome_value(other, only)) == (0.0, -1.0)


def test_good_work_is_worth_more(held: list[Dialogue]) -> None:
    clumsy = play_many(range(1, 19), ScriptedSpeaker(Quality.CLUMSY), seed=2, held_out=False)
    assert sum(episode(one).value for one in held) > sum(episode(one).value for one in clumsy) + 3


def test_a_discount_is_a_share() -> None:
    with pytest.raises(ValueError, match="a discount is in"):
        Worth(discount=1.5)
