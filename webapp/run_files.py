"""What a run has left in its folder, where this process can read it: samples and the report. A run of another machine has nothing here."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.runs.report import REPORT
from training.runs.said import read_said

SAMPLES = "samples.json"
_LARGEST = 4_000_000
"""Bytes of a file of samples that a page reads."""


def read_samples(folder: str) -> Sequence[dict[str, Any]]:
    """Before and after on the same contexts, as far as they were written."""
    path = Path(folder) / SAMPLES
    try:
        if path.stat().st_size > _LARGEST:
            return ()
        found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    return found


def read_said_pairs(folder: str) -> tuple[int, int, Sequence[dict[str, Any]]] | None:
    """What it said at the first and at the newest measurement so far, as samples, with both steps; None before there are two."""
    try:
        said = read_said(Path(folder))
    except OSError:
        return None
    if len(said) < 2:
        return None
    first, newest = min(said), max(said)
    pairs = [
        {"history": [{"text": old["heard"]}] if old["heard"] is not None else [], "before": old["reply"], "after": new["reply"]}
        for old, new in zip(said[first], said[newest], strict=False)
    ]
    return first, newest, pairs


def report_path(folder: str) -> Path | None:
    """The run's report, where it is on this machine."""
    path = Path(folder) / REPORT
    return path if path.is_file() else None
