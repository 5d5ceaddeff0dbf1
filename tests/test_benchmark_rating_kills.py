"""The benchmark of kills among raters, small: a real web process, a few raters, one kill of each kind."""

import json
from pathlib import Path

from rich.console import Console

from benchmarks.rating_kills import trial
from benchmarks.scripted_rater import entries


def test_nothing_acknowledged_is_lost_or_doubled_when_the_web_process_and_raters_are_killed(database_url: str, tmp_path: Path) -> None:
    figures = trial(database_url, tmp_path, raters=4, browsers=0, kills=4, seed=2, turns=400, hurried=True, console=Console(quiet=True))
    assert figures["faults"] == []
    assert figures["kills"]["web"] == 1
    assert figures["kills"]["rater"] >= 1
    assert 0 < figures["saves_acknowledged"] <= figures["judgements_in_the_database"] <= figures["saves_sent"]


def test_a_line_that_a_kill_cut_off_says_nothing(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    journal.write_text(json.dumps({"event": "sending", "key": "a"}) + '\n{"event": "ackno')
    assert [entry["key"] for entry in entries(journal)] == ["a"]
    assert list(entries(tmp_path / "none")) == []
