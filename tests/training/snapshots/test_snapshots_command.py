"""Snapshots from a terminal, and simulated ones read back from their folder."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from agent.simulation import Quality
from db.engine import SessionFactory
from training.data.columns import Source
from training.snapshots import (
    NoTruth,
    SimulatedSettings,
    SnapshotChanged,
    SnapshotError,
    SnapshotSettings,
    Split,
    open_snapshot,
    read_context_row,
    simulated_rows,
    take_simulated,
)
from training.snapshots import __main__ as program
from training.snapshots.terminal import asked_for, snapshot_command

SETTINGS = SimulatedSettings(contexts=12, seed=5, qualities=(Quality.EXCELLENT, Quality.CLUMSY), validation_share=0.4)


def run(*arguments: str | Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["snapshots", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_that_a_simulated_snapshot_gives_back_the_rows_and_its_experts_rate_new_replies(tmp_path: Path) -> None:
    manifest = take_simulated(tmp_path / "a", SETTINGS)
    snapshot, rows = open_snapshot(tmp_path / "a"), simulated_rows(settings=SETTINGS)
    assert snapshot.manifest == manifest
    assert manifest.origin == "simulated"
    assert manifest.settings["qualities"] == ["excellent", "clumsy"]
    for split in Split:
        kept = {row.id: row for row in rows.contexts if row.split is split}
        read = snapshot.context_rows(split)
        assert {row.id: row for row in read} == kept
        assert [row["id"] for row in snapshot.preferences(split).to_list()] == [
            row["id"] for row in rows.preferences if row["split"] == split
        ]
        assert snapshot.demonstrations(split).to_list() == sorted(
            (row for row in rows.demonstrations if row["split"] == split), key=lambda row: row["id"]
        )
        assert all(row["label"] in (True, False) for row in snapshot.stars(split).to_list())


def test_that_a_changed_simulator_is_seen(tmp_path: Path) -> None:
    (row,) = simulated_rows(settings=SimulatedSettings(contexts=1, seed=5, qualities=())).contexts
    stored = row.row()
    with pytest.raises(SnapshotChanged, match="draws other tickets from seed 6"):
        read_context_row(stored | {"simulation": '{"seed": 6}'}, Split.TRAIN)
    logged = read_context_row(stored | {"simulation": None}, Split.TRAIN)
    with pytest.raises(NoTruth, match="logged conversation"):
        logged.truths([])


def test_that_the_program_simulates_and_says_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "a", "--simulated", "--seed", "3", "--n", "8", monkeypatch=monkeypatch) == 0
    told = capsys.readouterr().out
    assert "(simulated)" in told
    assert open_snapshot(tmp_path / "a").manifest.sha256 in told
    assert run(tmp_path / "a", "--simulated", "--n", "8", monkeypatch=monkeypatch) == 1
    assert "is there already" in " ".join(capsys.readouterr().out.split())
    assert run(tmp_path / "b", "--simulated", "--n", "0", monkeypatch=monkeypatch) == 1
    assert "at least 1" in capsys.readouterr().out
    monkeypatch.delenv("PARLEY_DATABASE_URL", raising=False)
    assert run(tmp_path / "b", monkeypatch=monkeypatch) == 2
    assert "PARLEY_DATABASE_URL" in capsys.readouterr().err


def test_that_the_program_reads_the_database_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], judged_url: str
) -> None:
    monkeypatch.setenv("PARLEY_DATABASE_URL", judged_url)
    assert run(tmp_path / "a", monkeypatch=monkeypatch) == 0
    assert "comparison" in capsys.readouterr().out
    assert run(tmp_path / "b", "--as-of", "2020-01-01T00:00:00+00:00", monkeypatch=monkeypatch) == 1
    assert "Nothing is left to train on" in capsys.readouterr().out


def asked(**more: object) -> SimulatedSettings | SnapshotSettings:
    plain = {"simulated": False, "contexts": 2_000, "seed": 0, "chinese": 0.0, "as_of": "", "since": "", "languages": [], "sources": [],
             "flagged": [], "validation_share": 0.2}  # fmt: skip
    return asked_for(**{**plain, **more})  # pyright: ignore[reportArgumentType]


def test_that_options_become_settings() -> None:
    drawn = asked(simulated=True, contexts=9, seed=3, chinese=0.25)
    assert drawn == SimulatedSettings(contexts=9, seed=3, chinese=0.25, validation_share=0.2)
    assert asked() == SnapshotSettings(validation_share=0.2)
    moment = datetime(2027, 1, 31, tzinfo=UTC)
    wanted = SnapshotSettings(as_of=moment, languages=("en",), sources=(Source.EDIT,), people_only=True, validation_share=0.2)
    assert asked(as_of="2027-01-31T00:00:00+00:00", languages=["en"], sources=["edit"], people_only=True) == wanted


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"simulated": True, "people_only": True}, "leave out --simulated"),
        ({"simulated": True, "contexts": 0}, "contexts.* at least 1"),
        ({"chinese": 0.25}, "add --simulated"),
        ({"contexts": 9}, "add --simulated"),
        ({"as_of": "yesterday"}, "'yesterday' is no date and time"),
        ({"since": "2027-01-31"}, "needs a time zone"),
        ({"sources": ["edits"]}, r"did you mean edit\?"),
        ({"min_trust": 2.0}, "in \\[0, 1\\]"),
    ],
)
def test_that_options_which_mean_nothing_are_refused(more: dict[str, object], why: str) -> None:
    with pytest.raises(SnapshotError, match=why):
        asked(**more)


def test_that_the_terminal_says_what_was_kept_out(tmp_path: Path, judged: SessionFactory) -> None:
    console = Console(record=True, width=200)
    settings = SnapshotSettings(min_trust=0.9, validation_share=0)
    assert snapshot_command(tmp_path / "a", console=console, sessions=judged, settings=settings) == 0
    told = console.export_text()
    count = open_snapshot(tmp_path / "a").manifest.quarantined["of somebody whose answers are not to be relied on"]["judgements"]
    assert count > 0
    assert f"Quarantined: {count} judgements, 0 conversations: of somebody whose answers are not to be relied on." in told
