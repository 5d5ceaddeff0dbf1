"""Log lines as a process writes them: in a process of their own, because the way of writing is the process's."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

PROGRAM = """
import logging, structlog
from structlog.contextvars import bound_contextvars
from agent.telemetry import configure_logs
configure_logs()
limit = 9875
with bound_contextvars(conversation="c-1", turn=4):
    structlog.get_logger("parley").warning("guard.fallback", rules=["promise"])
    logging.getLogger("a.library").warning("it said %s", "this")
    try:
        1 / (limit - limit)
    except ZeroDivisionError:
        structlog.get_logger("parley").exception("broke off")
"""


def lines(log_format: str | None) -> list[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PARLEY_LOG_FORMAT"}
    if log_format is not None:
        environment["PARLEY_LOG_FORMAT"] = log_format
    ended = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, env=environment)
    assert "9875" not in ended.stderr
    return ended.stderr.splitlines()


def test_that_json_is_one_object_a_line_with_its_ids_also_for_libraries() -> None:
    told: list[dict[str, Any]] = [json.loads(line) for line in lines("json")]
    assert [line["event"] for line in told] == ["guard.fallback", "it said this", "broke off"]
    assert all((line["conversation"], line["turn"]) == ("c-1", 4) for line in told)
    assert told[0]["rules"] == ["promise"]
    assert told[1]["logger"] == "a.library"
    assert "ZeroDivisionError" in told[2]["exception"]


@pytest.mark.parametrize("log_format", [None, "text"])
def test_that_text_has_the_same_ids_and_no_colours(log_format: str | None) -> None:
    first = lines(log_format)[0]
    assert "guard.fallback" in first
    assert "conversation=c-1" in first
    assert "\x1b" not in first
