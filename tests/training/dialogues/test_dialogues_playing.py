from collections.abc import Sequence
from datetime import date
from uuid import uuid4

import pytest

from agent.domain import AllowedMove, Mandate, Reply, TurnContext
from agent.guardrails import check
from agent.records import to_json
from agent.simulation import HELD_OUT_PERSONAS, Quality
from agent.sop import Terms
from benchmarks.negotiations import held_out_jobs
from db.models import Turn
from db.vocabulary import HotelMoveKind, MoveKind, Speaker, Stage, TicketStatus
from tests.training.dialogues.dialogue_speakers import ScriptedSpeaker, speechless, stubborn
from training.dialogues import Dialogue, Speak, meet, play_many
from training.dialogues.playing import BadSpeaker
from training.dialogues.retelling import retell
from training.experts import witnessed

PRICED = ("room_type", "check_in", "check_out", "currency", "current_net", "commission", "rooms", "breakfast", "tax_included")
SEEN = ("competitor_price", "competitor_source", "competitor_seen_on", "evidence")


@pytest.fixture(scope="module")
def held() -> list[Dialogue]:
    return play_many(range(1, 17), ScriptedSpeaker(unreadable=0.1), seed=3, held_out=True)


def test_how_many_are_held_at_once_changes_nothing(held: list[Dialogue]) -> None:
    for at_once in (1, 5):
        assert play_many(range(1, 17), ScriptedSpeaker(unreadable=0.1), seed=3, held_out=True, at_once=at_once) == held
    chosen = play_many([7, 2], ScriptedSpeaker(unreadable=0.1), seed=3, held_out=True)
    assert chosen == [held[6], held[1]]


def test_all_that_wait_are_asked_in_one_call() -> None:
    speaker = ScriptedSpeaker()
    held = play_many(range(1, 13), speaker, seed=3, held_out=True, at_once=5)
    assert sum(speaker.asked) == sum(len(dialogue.exchanges) for dialogue in held)
    # A dialogue that ends makes room for the next one.
    assert speaker.asked[:10] == [5] * 10


def test_the_same_number_meets_the_same_hotel_whatever_is_said(held: list[Dialogue]) -> None:
    others = play_many(range(1, 17), ScriptedSpeaker(Quality.CLUMSY), seed=3, held_out=True)
    assert [(other.profile, other.tickets) for other in others] == [(dialogue.profile, dialogue.tickets) for dialogue in held]
    assert others != held
    assert meet(1, 4, held_out=True).tickets != held[0].tickets


def test_held_out_hotels_are_those_of_the_benchmark_through_the_service() -> None:
    for job in held_out_jobs("base", n=9, seed=11):
        meeting = meet(job.number, 11, held_out=True)
        assert meeting.profile.persona == job.persona
        assert meeting.chances == 11 * 1_000_003 + job.number
        for form, (fact, mandate) in zip(job.forms, meeting.tickets, strict=True):
            for name in (*PRICED, *SEEN):
                assert getattr(form, name) == getattr(fact, name)
            assert form.hotel == fact.hotel_name
            assert (form.opening_ask, form.target, form.ceiling) == (mandate.opening_ask, mandate.target, mandate.ceiling)


def test_trained_hotels_have_no_held_out_persona_and_other_days() -> None:
    meetings = [meet(number, 3, held_out=False) for number in range(200)]
    assert not {meeting.profile.persona for meeting in meetings} & HELD_OUT_PERSONAS
    assert len({meeting.profile.persona for meeting in meetings}) == 7
    assert len({fact.check_in for meeting in meetings for fact in meeting.facts}) > 100
    assert min(fact.check_in for meeting in meetings for fact in meeting.facts) >= date(2025, 1, 1)


def test_a_dialogue_retells_as_if_the_service_had_held_it(held: list[Dialogue]) -> None:
    """SOP, hotel, readings and truths are those that the service's rows would give: ``retell`` checks each turn."""
    for dialogue in held:
        mandates: dict[int, Mandate] = {fact.label: mandate for fact, mandate in dialogue.tickets}
        facts = tuple(fact for fact, _ in dialogue.tickets)
        terms = {fact.label: Terms(facts=fact, mandate=mandates[fact.label]) for fact in facts}
        chances = meet(dialogue.number, dialogue.seed, held_out=True).chances
        truths = retell(facts, terms, dialogue.profile, _rows(dialogue), seed=chances)
        assert tuple(truths) == witnessed(dialogue.conversation)


def _rows(dialogue: Dialogue) -> list[Turn]:
    own = uuid4()
    rows: list[Turn] = []

    def add(speaker: Speaker, text: str) -> Turn:
        rows.append(Turn(conversation_id=own, number=len(rows) + 1, speaker=speaker, text=text, stage_before=Stage.OPENING))
        return rows[-1]

    for exchange, after in zip(dialogue.exchanges, [*dialogue.exchanges[1:], None], strict=True):
        add(Speaker.BD, exchange.said).move = to_json(exchange.sent.move)
        if exchange.answer is not None:
            assert after is not None
            add(Speaker.HOTEL, exchange.answer.text).hotel_move = to_json(after.heard)
    return rows


def test_an_answer_that_is_no_reply_is_replaced_by_the_safe_template(held: list[Dialogue]) -> None:
    exchanges = [exchange for dialogue in held for exchange in dialogue.exchanges]
    missing = [exchange for exchange in exchanges if exchange.reply is None]
    assert 0.05 < len(missing) / len(exchanges) < 0.15
    for exchange in missing:
        assert exchange.sent.move == exchange.context.allowed[0]
        assert check(exchange.context, exchange.sent) == ()
    assert all(exchange.sent is exchange.reply for exchange in exchanges if exchange.reply is not None)


@pytest.mark.parametrize("speak", [speechless, stubborn])
def test_every_dialogue_comes_to_its_end(speak: Speak) -> None:
    for dialogue in play_many(range(1, 19), speak, seed=5, held_out=True):
        assert dialogue.state.stage.is_end
        assert dialogue.exchanges[-1].answer is None
        assert all(exchange.answer is not None for exchange in dialogue.exchanges[:-1])
        # A confirmation that has begun and the last word may come after it.
        assert len(dialogue.exchanges) <= dialogue.state.most_turns + 1
        assert all(ticket.status is not TicketStatus.OPEN for ticket in dialogue.state.tickets)


def test_a_silence_is_a_turn_that_is_followed_up_and_never_a_yes() -> None:
    held = play_many(range(1, 31), ScriptedSpeaker(), seed=6, held_out=True)
    silent = [
        (exchange, after)
        for dialogue in held
        for exchange, after in zip(dialogue.exchanges, dialogue.exchanges[1:], strict=False)
        if exchange.answer is not None and not exchange.answer.text
    ]
    assert len(silent) > 3
    for _, after in silent:
        assert after.heard is not None
        assert after.heard.kind is HotelMoveKind.SILENCE
        assert not {move.kind for move in after.context.allowed} & {MoveKind.ACCEPT, MoveKind.PROBE}
    assert any(move.kind is MoveKind.FOLLOW_UP for _, after in silent for move in after.context.allowed)


def test_good_work_wins_more_rooms_than_bad_work() -> None:
    def agreed(quality: Quality) -> int:
        held = play_many(range(1, 19), ScriptedSpeaker(quality), seed=7, held_out=True)
        return sum(room.agreed is not None for dialogue in held for room in dialogue.rooms if room.possible)

    assert agreed(Quality.EXCELLENT) > agreed(Quality.CLUMSY) + 3


def test_a_policy_must_answer_each_context_once_with_a_move_that_is_open() -> None:
    def silent_on_one(contexts: Sequence[TurnContext]) -> list[Reply | None]:
        return [None] * (len(contexts) - 1)

    def closing(contexts: Sequence[TurnContext]) -> list[Reply | None]:
        return [Reply(move=AllowedMove(kind=MoveKind.CLOSE), text="Goodbye.") for _ in contexts]

    with pytest.raises(BadSpeaker, match="gave 3 replies to 4 contexts"):
        play_many(range(4), silent_on_one, seed=1, held_out=True)
    with pytest.raises(BadSpeaker, match="'close' where only greet is open"):
        play_many(range(4), closing, seed=1, held_out=True)
    with pytest.raises(ValueError, match="at least one dialogue"):
        play_many(range(4), speechless, seed=1, held_out=True, at_once=0)
