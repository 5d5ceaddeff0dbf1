from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from uuid import uuid4

import pytest

from agent.domain import AllowedMove, Mandate, Reply, TurnContext
from agent.guardrails import check
from agent.language.consent import is_silence
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
from training.experts.hints import CHINESE

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
    jobs = held_out_jobs("base", n=9, seed=11, chinese=0.5)
    assert {job.language for job in jobs} == {"en", "zh"}
    for job in jobs:
        meeting = meet(job.number, 11, held_out=True, chinese=0.5)
        assert meeting.language == job.language
        assert meeting.profile.persona == job.persona
        assert meeting.chances == 11 * 1_000_003 + job.number
        for form, (fact, mandate) in zip(job.forms, meeting.tickets, strict=True):
            for name in (*PRICED, *SEEN):
                assert getattr(form, name) == getattr(fact, name)
            assert form.hotel == fact.hotel_name
            assert (form.opening_ask, form.target, form.ceiling) == (mandate.opening_ask, mandate.target, mandate.ceiling)


def test_a_share_of_the_hotels_is_chinese_and_the_others_are_the_same_whatever_it_is(held: list[Dialogue]) -> None:
    mixed = [meet(number, 3, held_out=True, chinese=0.5) for number in range(1, 17)]
    english = [meeting for meeting in mixed if meeting.language == "en"]
    chinese = [meeting for meeting in mixed if meeting.language == "zh"]
    assert len(chinese) > 3
    assert english == [meet(meeting.number, 3, held_out=True) for meeting in english]
    for meeting in chinese:
        assert meeting.profile.language == "zh"
        assert meeting.profile.persona in HELD_OUT_PERSONAS
        for fact in meeting.facts:
            assert all(CHINESE.search(name) for name in (fact.hotel_name, fact.room_type, *fact.evidence))
    few = {
        meeting.number for meeting in (meet(number, 3, held_out=True, chinese=0.2) for number in range(1, 17)) if meeting.language == "zh"
    }
    assert few < {meeting.number for meeting in chinese}


def test_a_chinese_hotel_is_heard_and_answered_in_chinese() -> None:
    held = play_many(range(1, 17), ScriptedSpeaker(), seed=3, held_out=True, chinese=1.0)
    pairs = [pair for dialogue in held for pair in pairwise(dialogue.exchanges)]
    assert all(exchange.context.language == "zh" for dialogue in held for exchange in dialogue.exchanges)
    words = [exchange.answer.text for dialogue in held for exchange in dialogue.exchanges if exchange.answer is not None]
    assert all(CHINESE.search(text) for text in words if not is_silence(text))
    meant = [(before.answer.truth, after.heard) for before, after in pairs if before.answer is not None and after.heard is not None]
    assert sum(truth.kind is heard.kind for truth, heard in meant) > 0.9 * len(meant)
    offers = [(truth.offers, heard.offers) for truth, heard in meant if truth.kind is heard.kind is HotelMoveKind.OFFER]
    assert len(offers) > 30
    assert all([one.amount for one in truth] == [one.amount for one in heard] for truth, heard in offers)
    assert not any(room.unmeant for dialogue in held for room in dialogue.rooms)


def test_trained_hotels_have_no_held_out_persona_and_other_days() -> None:
    meetings = [meet(number, 3, held_out=False) for number in range(200)]
    assert not {meeting.profile.persona for meeting in meetings} & HELD_OUT_PERSONAS
    assert len({meeting.profile.persona for meeting in meetings}) == 7
    assert len({fact.check_in for meeting in meetings for fact in meeting.facts}) > 100
    assert min(fact.check_in for meeting in meetings for fact in meeting.facts) >= date(2025, 1, 1)


@pytest.mark.parametrize("chinese", [0.0, 1.0])
def test_a_dialogue_retells_as_if_the_service_had_held_it(held: list[Dialogue], chinese: float) -> None:
    """SOP, hotel, readings and truths are those that the service's rows would give: ``retell`` checks each turn."""
    some = play_many(range(1, 7), ScriptedSpeaker(), seed=3, held_out=True, chinese=chinese) if chinese else held
    for dialogue in some:
        mandates: dict[int, Mandate] = {fact.label: mandate for fact, mandate in dialogue.tickets}
        facts = tuple(fact for fact, _ in dialogue.tickets)
        terms = {fact.label: Terms(facts=fact, mandate=mandates[fact.label]) for fact in facts}
        chances = meet(dialogue.number, dialogue.seed, held_out=True).chances
        truths = retell(facts, terms, dialogue.profile, _rows(dialogue), seed=chances, language=dialogue.profile.language)
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
