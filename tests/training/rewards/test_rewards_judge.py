"""The judge against a real server that misbehaves: what fails is missing and counted, and what is away is said before it costs time."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from judge_servers import GOOD, MARKS, Misbehaviour, at_first, drops, fails, judging, replies, says, send, settings

from training.judging import judgement_schema, shipped_rubric
from training.rewards.judge import Judge, JudgeSettings, JudgeUnreachable, JudgeUnreadable, Missing

AWAY = "http://127.0.0.1:9/v1"


def slow(seconds: float) -> Misbehaviour:
    def behave(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        time.sleep(seconds)
        says(GOOD)(handler, body)

    return behave


def html(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    del body
    send(handler, 200, "<html>Sign in</html>", "text/html")


def no_choices(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    send(handler, 200, {"id": "x", "created": 0, "model": body["model"], "object": "chat.completion", "choices": []})


def test_that_replies_are_marked_in_their_order() -> None:
    names = [item.name for item in shipped_rubric().items]

    def by_prompt(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        marks = dict.fromkeys(names, 0) | {"style": len(body["messages"][-1]["content"]) % 3}
        says(json.dumps(marks))(handler, body)

    with judging(by_prompt) as server, Judge(settings(server.url)) as judge:
        together = judge.judge_many(replies())
        one_by_one = [judge.judge_many([item])[0] for item in replies()]

    assert together == one_by_one
    assert len({str(marks) for marks in together}) == 3
    assert len(server.requests) == 2 * len(replies())


def test_that_schema_key_and_certainty_are_sent() -> None:
    with judging(says(GOOD)) as server, Judge(settings(server.url, api_key="canary-key")) as judge:
        assert judge.judge_many(replies()[:1]) == [MARKS]

    assert server.requests[0]["response_format"]["json_schema"]["schema"] == judgement_schema(shipped_rubric())
    assert server.requests[0]["temperature"] == 0
    assert server.keys == ["Bearer canary-key"]
    assert "canary-key" not in repr(judge.settings)


def test_that_no_more_than_set_are_asked_at_once() -> None:
    with judging(slow(0.05)) as server, Judge(settings(server.url, at_once=4)) as judge:
        judge.judge_many(replies())

    assert 1 < server.most_open <= 4


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (fails(500), Missing.UNREACHABLE),
        (fails(429), Missing.UNREACHABLE),
        (drops, Missing.UNREACHABLE),
        (slow(0.6), Missing.TIMEOUT),
        (fails(400), Missing.REFUSED),
        (fails(401), Missing.REFUSED),
        (html, Missing.REFUSED),
        (no_choices, Missing.REFUSED),
        (says("great reply!"), Missing.NONSENSE),
        (says(""), Missing.NONSENSE),
        (says('{"empathy":2}'), Missing.NONSENSE),
        (says(GOOD.replace("1", "7")), Missing.NONSENSE),
        (says(GOOD[:-9], finish="length"), Missing.CUT),
    ],
)
def test_that_what_fails_is_missing_and_counted_with_its_reason(behave: Misbehaviour, reason: Missing) -> None:
    with judging(behave) as server, Judge(settings(server.url, timeout_s=0.2)) as judge:
        assert judge.judge_many(replies()[:3]) == [None, None, None]

    assert judge.counts == {"asked": 3, str(reason): 3, "judged": 0, "remembered": 0}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_that_a_fault_which_passes_is_tried_again(status: int) -> None:
    with judging(at_first(fails(status), 2, says(GOOD))) as server, Judge(settings(server.url, retries=2)) as judge:
        assert judge.judge_many(replies()[:1]) == [MARKS]

    assert len(server.requests) == 3


def test_that_a_dropped_connection_is_tried_again() -> None:
    with judging(at_first(drops, 1, says(GOOD))) as server, Judge(settings(server.url, retries=1)) as judge:
        assert judge.judge_many(replies()[:1]) == [MARKS]


def test_that_some_failures_leave_the_other_judgements_alone() -> None:
    with judging(at_first(fails(500), 5, says(GOOD))) as server, Judge(settings(server.url)) as judge:
        judged = judge.judge_many(replies())

    assert judged.count(None) == 5
    assert judged.count(MARKS) == len(replies()) - 5


def test_that_a_judge_which_goes_away_is_not_waited_for_reply_by_reply() -> None:
    with judging(slow(5.0)) as server, Judge(settings(server.url, timeout_s=0.2, at_once=4)) as judge:
        assert set(judge.judge_many(replies())) == {None}
        assert judge.counts[str(Missing.SKIPPED)] >= len(replies()) - 8
        assert judge.counts[str(Missing.TIMEOUT)] <= 8


def test_that_a_call_after_an_outage_asks_again() -> None:
    with judging(at_first(fails(503), 1, says(GOOD))) as server, Judge(settings(server.url, at_once=1)) as judge:
        assert judge.judge_many(replies()[:2]) == [None, None]
        assert judge.judge_many(replies()[:2]) == [MARKS, MARKS]


def test_that_the_same_reply_is_asked_about_once() -> None:
    with judging(says(GOOD)) as server, Judge(settings(server.url)) as judge:
        assert judge.judge_many([replies()[0]] * 5) == [MARKS] * 5

    assert len(server.requests) == 1


def test_that_nothing_is_asked_about_nothing() -> None:
    with Judge(settings(AWAY)) as judge:
        assert judge.judge_many([]) == []


def test_that_a_judge_which_is_away_is_said_by_the_probe() -> None:
    with Judge(settings(AWAY)) as judge, pytest.raises(JudgeUnreachable, match=r"127\.0\.0\.1:9.*PARLEY_JUDGE_BASE_URL"):
        judge.probe()


@pytest.mark.parametrize("behave", [fails(500), fails(401), fails(404), html, slow(0.6)])
def test_that_the_probe_refuses_a_judge_that_does_not_judge(behave: Misbehaviour) -> None:
    with judging(behave) as server, Judge(settings(server.url, timeout_s=0.2)) as judge, pytest.raises(JudgeUnreachable):
        judge.probe()


def test_that_the_probe_refuses_a_judge_that_answers_nonsense() -> None:
    with (
        judging(says("fine")) as server,
        Judge(settings(server.url)) as judge,
        pytest.raises(JudgeUnreadable, match="not the rubric's marks"),
    ):
        judge.probe()


def test_that_the_probe_passes_a_judge_that_judges_and_asks_every_time(tmp_path: Path) -> None:
    with judging(says(GOOD)) as server, Judge(settings(server.url, cache=tmp_path / "cache.db")) as judge:
        judge.probe()
        judge.probe()

    assert len(server.requests) == 2


def test_that_threads_may_share_a_judge(tmp_path: Path) -> None:
    with judging(says(GOOD)) as server, Judge(settings(server.url, cache=tmp_path / "cache.db")) as judge:
        judged: list[list[Any]] = []
        work: Callable[[], None] = lambda: judged.append(judge.judge_many(replies()))  # noqa: E731
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert judged == [[MARKS] * len(replies())] * 4
    assert judge.counts["judged"] == 4 * len(replies())


def test_that_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_JUDGE_BASE_URL", "https://judge.example/v1")
    monkeypatch.setenv("PARLEY_JUDGE_AT_ONCE", "3")
    monkeypatch.setenv("PARLEY_JUDGE_API_KEY", "canary-key")
    read = JudgeSettings()
    assert (read.base_url, read.at_once, read.api_key.get_secret_value()) == ("https://judge.example/v1", 3, "canary-key")
