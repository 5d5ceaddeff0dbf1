import json
import re
from collections import Counter
from statistics import mean

import pytest

from agent.guardrails import check
from agent.language.blanks import blanks, fill
from agent.simulation import Quality
from training.judging import shipped_rubric
from training.starter.corpus import counts, mixed, play_many
from training.starter.judging import JudgeExercise
from training.starter.samples import EMPHASIS, Job, encode
from training.starter.selfplay import QUALITIES, Exercise, ReadExercise, WriteExercise, play
from training.starter.tokenizer import train_tokenizer


@pytest.fixture(scope="module")
def exercises() -> list[Exercise]:
    return play_many(1, 30, held_out=False, threads=1, report=lambda done: None, chinese=0.4)


def test_nothing_is_imitated_but_what_the_guard_lets_through(exercises: list[Exercise]) -> None:
    writes = [exercise for exercise in exercises if isinstance(exercise, WriteExercise)]
    assert len(writes) > 200
    for exercise in writes:
        assert check(exercise.context, exercise.reply) == ()
        assert exercise.reply.move in exercise.context.allowed


def test_a_reply_is_in_the_language_of_its_negotiation(exercises: list[Exercise]) -> None:
    writes = [exercise for exercise in exercises if isinstance(exercise, WriteExercise)]
    languages = Counter(exercise.context.language for exercise in writes)
    assert set(languages) == {"en", "zh"}
    for exercise in writes:
        words = re.sub(r"\{\w+\}", "", exercise.template)
        assert bool(re.search("[\u4e00-\u9fff]", words)) == (exercise.context.language == "zh"), exercise.template


def test_english_negotiations_do_not_change_with_the_share_in_chinese() -> None:
    few, many = (
        [e for e in play_many(1, 12, held_out=False, threads=1, report=lambda done: None, chinese=share) if e.context.language == "en"]
        for share in (0.2, 0.6)
    )
    assert many
    assert all(exercise in few for exercise in many)


def test_a_rewrite_names_the_faults_that_its_answer_does_not_have(exercises: list[Exercise]) -> None:
    rewrites = [exercise for exercise in exercises if isinstance(exercise, WriteExercise) and exercise.violations]
    assert rewrites
    for exercise in rewrites:
        assert "without these faults" in exercise.prompt()[-1]["content"]


def test_every_completion_is_the_json_that_the_server_would_constrain_to(exercises: list[Exercise]) -> None:
    for exercise in exercises:
        match exercise:
            case ReadExercise():
                keys = ["kind", "mood", "basis"]
            case WriteExercise():
                keys = ["move", "text"]
            case JudgeExercise():
                keys = [item.name for item in shipped_rubric().items]
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


def test_the_model_never_learns_to_write_a_figure_or_a_name(exercises: list[Exercise]) -> None:
    for exercise in exercises:
        if isinstance(exercise, WriteExercise):
            assert not re.search(r"\d", exercise.template)
            assert exercise.reply.text == fill(exercise.template, blanks(exercise.context, exercise.reply.move))
            names = {name for fact in exercise.context.facts for name in (fact.hotel_name, fact.room_type)}
            assert not any(name in exercise.template for name in names)


def test_a_short_answer_counts_more(exercises: list[Exercise]) -> None:
    tokenizer = train_tokenizer([exercise.completion() for exercise in exercises[:200]], vocabulary=400, window=1024)
    for kind, weight in ((ReadExercise, EMPHASIS), (WriteExercise, 1)):
        coded = encode(next(e for e in exercises if isinstance(e, kind)).sample(), tokenizer)
        assert set(coded.weights[coded.prompt_length :]) == {weight}


def test_judged_replies_are_of_every_quality_and_their_marks_fit_the_rubric(exercises: list[Exercise]) -> None:
    judged = [exercise for exercise in exercises if isinstance(exercise, JudgeExercise)]
    assert {exercise.quality for exercise in judged} == set(Quality)
    for exercise in judged:
        assert shipped_rubric().parse(exercise.completion()) == exercise.marks
    by_quality = {
        quality: mean(shipped_rubric().score(exercise.marks) for exercise in judged if exercise.quality is quality) for quality in Quality
    }
    assert by_quality[Quality.EXCELLENT] > by_quality[Quality.FINE] > by_quality[Quality.CLUMSY] > by_quality[Quality.WRONG]


def test_the_adapter_learns_from_the_best_only() -> None:
    average, best = (
        [e for e in play_many(11, 6, held_out=False, threads=1, report=lambda done: None, qualities=q) if isinstance(e, WriteExercise)]
        for q in (QUALITIES, ("excellent",))
    )
    assert mean(len(e.reply.text) for e in best) > mean(len(e.reply.text) for e in average)


def test_a_negotiation_is_with_one_hotel() -> None:
    facts = [exercise.context.fact() for exercise in play(5, held_out=True)]
    assert len({fact.hotel_name for fact in facts}) == 1
