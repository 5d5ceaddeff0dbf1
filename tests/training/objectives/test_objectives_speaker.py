from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from agent.domain import Reply, TurnContext, Utterance
from agent.language.openings import used_openings
from agent.serving.starter import ADAPTER_FOLDER, MODEL_FOLDER
from db.vocabulary import Speaker as Side
from tests import tiny_model
from tests.training.dialogues.dialogue_speakers import ScriptedSpeaker
from training.dialogues import meet, play_many
from training.objectives.policy import PolicyError
from training.objectives.speaker import AsServed, Speaker, in_batches


@pytest.fixture(scope="module")
def contexts() -> list[TurnContext]:
    torch.set_num_threads(1)
    held = play_many(range(1, 7), ScriptedSpeaker(), seed=8, held_out=True)
    return [dialogue.exchanges[2].context for dialogue in held]


def test_the_same_seed_and_contexts_give_the_same_answers_whatever_was_asked_before(contexts: list[TurnContext]) -> None:
    one, other, third = Speaker(seed=1), Speaker(seed=1), Speaker(seed=2)
    first = one(contexts)
    other(contexts[:2])
    assert other(contexts) == first
    assert one(contexts) == first
    assert third(contexts) != first


def test_answers_are_replies_with_their_blanks_filled(contexts: list[TurnContext]) -> None:
    speaker = Speaker(adapter=ADAPTER_FOLDER, seed=3)
    replies = speaker(contexts)
    readable = [(context, reply) for context, reply in zip(contexts, replies, strict=True) if reply is not None]
    assert len(readable) >= 4
    assert all(reply.move in context.allowed and "{" not in reply.text for context, reply in readable)


def test_what_was_written_is_counted(contexts: list[TurnContext]) -> None:
    speaker = Speaker(seed=1)
    speaker(contexts[:4])
    first = speaker.lengths
    assert len(first) == 4
    assert all(5 < length <= 160 for length in first)
    speaker(contexts[4:])
    assert speaker.tokens == sum(first) + sum(speaker.lengths)
    assert speaker.seconds > 0
    assert speaker([]) == []


def test_a_context_that_is_asked_several_times_in_a_row_gets_that_many_answers_of_its_own(contexts: list[TurnContext]) -> None:
    speaker = Speaker(adapter=ADAPTER_FOLDER, seed=1)
    replies = speaker([context for context in contexts for _ in range(3)])
    assert len(replies) == len(speaker.lengths) == 3 * len(contexts)
    for place, context in enumerate(contexts):
        own = [reply for reply in replies[3 * place : 3 * place + 3] if reply is not None]
        assert all(reply.move in context.allowed for reply in own)
        assert len(own) < 2 or len({reply.text for reply in own}) > 1
    assert sum(reply is not None for reply in replies) > 2 * len(contexts)


def test_an_answer_that_is_cut_off_is_none_and_counted(contexts: list[TurnContext]) -> None:
    speaker = Speaker(max_tokens=3)
    assert speaker(contexts) == [None] * len(contexts)
    assert speaker.unreadable == len(contexts)
    assert speaker.tokens == 3 * len(contexts)


def test_an_adapter_changes_what_is_said(contexts: list[TurnContext]) -> None:
    assert Speaker(seed=1)(contexts) != Speaker(adapter=ADAPTER_FOLDER, seed=1)(contexts)


def test_a_prompt_that_does_not_fit_the_window_is_refused(contexts: list[TurnContext]) -> None:
    with pytest.raises(PolicyError, match="the model's window is 1024"):
        Speaker(max_tokens=1_000)(contexts)


@pytest.mark.filterwarnings("ignore:Found missing adapter keys")
def test_an_adapter_of_another_model_is_refused(tmp_path: Path) -> None:
    other = tiny_model.build(tmp_path / "other")
    with pytest.raises(PolicyError, match="does not fit"):
        Speaker(other, ADAPTER_FOLDER)


def test_the_starter_model_holds_whole_dialogues() -> None:
    speaker = Speaker(MODEL_FOLDER, ADAPTER_FOLDER, seed=1)
    (dialogue,) = play_many([3], speaker, seed=1, held_out=True)
    assert dialogue.tickets == meet(3, 1, held_out=True).tickets
    assert dialogue.state.stage.is_end
    assert speaker.unreadable == sum(exchange.reply is None for exchange in dialogue.exchanges)


def test_as_served_no_sentence_begins_as_an_earlier_one_and_no_reply_is_drawn_again(contexts: list[TurnContext]) -> None:
    speaker = Speaker(adapter=ADAPTER_FOLDER, seed=1)
    said = speaker(contexts)
    later = [
        replace(context, history=(*context.history, Utterance(Side.BD, reply.text), Utterance(Side.HOTEL, "We said no already.")))
        for context, reply in zip(contexts, said, strict=True)
        if reply is not None
    ]

    def used(replies: list[Reply | None]) -> int:
        return sum(
            reply is None or any(opening in reply.text for opening in used_openings(context))
            for context, reply in zip(later, replies, strict=True)
        )

    plain = speaker(later)
    served = AsServed(Speaker(adapter=ADAPTER_FOLDER, seed=1))
    replies = served(later)
    assert used(plain) > 0
    assert used(replies) == 0
    assert served(later) == replies, "the same seed and contexts give the same replies"
    assert len(served.lengths) == len(later)
    hopeless = AsServed(Speaker(max_tokens=3))
    assert hopeless(contexts) == [None] * len(contexts)
    assert hopeless.tokens > sum(hopeless.lengths), "what was thrown away was written, too"


def test_each_try_has_chances_of_its_own(contexts: list[TurnContext]) -> None:
    speaker = Speaker(seed=1)
    first, second = (speaker.again(number, temperature=0.7)(contexts) for number in (1, 2))
    assert first != second, "where the same contexts are asked again, the same answers would come"


def test_that_many_are_asked_some_at_a_time_and_in_their_order(contexts: list[TurnContext]) -> None:
    asked, told = list[int](), list[tuple[int, int]]()

    def speak(some: Sequence[TurnContext]) -> list[Reply | None]:
        asked.append(len(some))
        return [Reply(move=context.allowed[0], text=str(sum(asked[:-1]) + place)) for place, context in enumerate(some)]

    replies = in_batches(speak, lambda done, total: told.append((done, total)))([contexts[0]] * 150)
    assert [reply and reply.text for reply in replies] == [str(place) for place in range(150)]
    assert asked == [64, 64, 22]
    assert told == [(0, 150), (64, 150), (128, 150)]
