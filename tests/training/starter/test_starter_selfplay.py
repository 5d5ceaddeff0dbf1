import json

import pytest

from agent.guardrails import check
from training.starter.corpus import counts, mixed, play_many
from training.starter.samples import EMPHASIS, Job, encode
from training.starter.selfplay import Exercise, ReadExercise, WriteExercise, play
from training.starter.tokenizer import train_tokenizer


@pytest.fixture(scope="module")
def exercises() -> list[Exercise]:
    return play_many(1, 30, held_out=False, threads=1, report=lambda done: None)


def test_nothing_is_imitated_but_what_the_guard_lets_through(exercises: list[Exercise]) -> None:
    writes = [exercise for exercise in exercises if isinstance(exercise, WriteExercise)]
    assert len(writes) > 200
    for exercise in writes:
        assert check(exercise.context, exercise.reply) == ()
        assert exercise.reply.move in exercise.context.allowed


def test_a_rewrite_names_the_faults_that_its_answer_does_not_have(exercises: list[Exercise]) -> None:
    rewrites = [exercise for exercise in exercises if isinstance(exercise, WriteExercise) and exercise.violations]
    assert rewrites
    for exercise in rewrites:
        assert "without these faults" in exercise.prompt()[-1]["content"]


def test_every_completion_is_the_json_that_the_server_would_constrain_to(exercises: list[Exercise]) -> None:
    for exercise in exercises:
        keys = ["kind", "mood", "basis"] if isinstance(exercise, ReadExercise) else ["move", "text"]
        assert list(json.loads(exercise.completion())) == keys


def test_a_negotiation_follows_from_its_seed() -> None:
    assert list(play(7)) == list(play(7))
    assert list(play(7)) != list(play(8))
    assert list(play(7)) != list(play(7, held_out=True))


def test_the_corpus_does_not_depend_on_the_number_of_processes() -> None:
    one, two = (play_many(3, 110, held_out=False, threads=threads, report=lambda done: None) for threads in (1, 2))
    assert mixed(one, seed=1) == mixed(two, seed=1)


def test_every_job_is_in_the_mixture_and_fits_the_window(exercises: list[Exercise]) -> None:
    samples = mixed(exercises, seed=1)
    assert set(counts(samples)) == {str(job) for job in Job}
    tokenizer = train_tokenizer(
        [text for sample in samples for text in (*(message["content"] for message in sample.messages), sample.completion)],
        vocabulary=4096,
        window=1024,
    )
    assert max(len(encode(sample, tokenizer).ids) for sample in samples) <= 1024


def test_what_must_be_copied_counts_more(exercises: list[Exercise]) -> None:
    exercise = next(e for e in exercises if isinstance(e, WriteExercise) and e.context.fact().room_type in e.reply.text)
    sample = exercise.sample()
    tokenizer = train_tokenizer([sample.completion] * 9, vocabulary=400, window=1024)
    coded = encode(sample, tokenizer)
    heavy = tokenizer.decode([int(token) for token, weight in zip(coded.ids, coded.weights, strict=True) if weight == EMPHASIS])
    assert exercise.context.fact().room_type.replace(" ", "") in str(heavy).replace(" ", "")
    assert 0 < (coded.weights == EMPHASIS).sum() < len(coded.ids) - coded.prompt_length


def test_a_negotiation_is_with_one_hotel() -> None:
    facts = [exercise.context.fact() for exercise in play(5, held_out=True)]
    assert len({fact.hotel_name for fact in facts}) == 1
