"""What the judge has said is remembered: by everything that it depends on, over restarts, among threads and processes; failures are not."""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from judge_servers import GOOD, MARKS, at_first, judging, replies, says, settings

from agent.language.prompts import Message
from training.judging import render_judge, shipped_rubric
from training.rewards.judge import Judge
from training.rewards.judge_cache import JudgeCache, JudgeCacheError, judgement_key

RUBRIC = shipped_rubric()
PROMPT = render_judge(*replies()[0], RUBRIC)


def test_that_a_second_judge_remembers_what_the_first_one_asked(tmp_path: Path) -> None:
    with judging(says(GOOD)) as server:
        with Judge(settings(server.url, cache=tmp_path / "cache.db")) as judge:
            first = judge.judge_many(replies())
        with Judge(settings(server.url, cache=tmp_path / "cache.db")) as judge:
            assert judge.judge_many(replies()) == first

    assert len(server.requests) == len(replies())
    assert judge.counts == {"remembered": len(replies()), "judged": len(replies())}


def test_that_a_missing_judgement_is_asked_again(tmp_path: Path) -> None:
    with judging(at_first(says("nonsense"), 1, says(GOOD))) as server, Judge(settings(server.url, cache=tmp_path / "cache.db")) as judge:
        assert judge.judge_many(replies()[:1]) == [None]
        assert judge.judge_many(replies()[:1]) == [MARKS]


def test_that_the_key_covers_model_rubric_and_prompt() -> None:
    other_words = [*PROMPT[:-1], Message(role="user", content=PROMPT[-1]["content"] + " ")]
    reworded = RUBRIC.model_copy(update={"items": (RUBRIC.items[0].model_copy(update={"asks": "Is it kind?"}), *RUBRIC.items[1:])})
    keys = {
        judgement_key("a", RUBRIC, PROMPT),
        judgement_key("b", RUBRIC, PROMPT),
        judgement_key("a", RUBRIC.model_copy(update={"version": 2}), PROMPT),
        judgement_key("a", reworded, PROMPT),
        judgement_key("a", RUBRIC, other_words),
    }
    assert len(keys) == 5
    assert judgement_key("a", RUBRIC, list(PROMPT)) in keys


def test_that_the_first_of_two_judgements_stays(tmp_path: Path) -> None:
    with JudgeCache(tmp_path / "cache.db") as cache:
        cache.put({"k": {"style": 1}})
        cache.put({"k": {"style": 2}, "l": {"style": 2}})
        assert cache.get(["k", "l", "m"]) == {"k": {"style": 1}, "l": {"style": 2}}


def test_that_many_keys_are_found(tmp_path: Path) -> None:
    with JudgeCache(tmp_path / "cache.db") as cache:
        marks = {str(number): {"style": number % 3} for number in range(2500)}
        cache.put(marks)
        assert cache.get(list(marks)) == marks


def test_that_threads_may_share_a_cache(tmp_path: Path) -> None:
    with JudgeCache(tmp_path / "cache.db") as cache, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: cache.put({str(number): {"style": 1}}), range(200)))
        assert len(cache.get([str(number) for number in range(200)])) == 200


def write_some(path: Path, start: int) -> None:
    with JudgeCache(path) as cache:
        for number in range(start, start + 100):
            cache.put({str(number): {"style": 1}})


def test_that_processes_may_share_a_file(tmp_path: Path) -> None:
    spawning = multiprocessing.get_context("spawn")
    writers = [spawning.Process(target=write_some, args=(tmp_path / "cache.db", 100 * index)) for index in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert [writer.exitcode for writer in writers] == [0, 0]
    with JudgeCache(tmp_path / "cache.db") as cache:
        assert len(cache.get([str(number) for number in range(200)])) == 200


def test_that_a_file_which_is_no_cache_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to be taken for one" * 40)
    with pytest.raises(JudgeCacheError, match=r"notes\.txt"):
        JudgeCache(path)


def test_that_a_broken_entry_is_named_not_guessed(tmp_path: Path) -> None:
    with JudgeCache(tmp_path / "cache.db") as cache:
        cache.put({"k": {"style": 1}})
        cache._database.execute("UPDATE judgement SET marks = '{'")  # pyright: ignore[reportPrivateUsage]
        with pytest.raises(JudgeCacheError, match=r"cache\.db"):
            cache.get(["k"])
