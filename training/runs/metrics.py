"""Reading a run's ``metrics.jsonl`` without torch. It is written by ``training.objectives.metrics``."""

import json
from pathlib import Path
from typing import Any

METRICS = "metrics.jsonl"


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """Every whole line so far: ``step`` and figures by name. A step may have several."""
    path = folder / METRICS
    if not path.is_file():
        return []
    whole = path.read_text(encoding="utf-8").rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines()]


def by_step(records: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """The figures of each step, put together."""
    steps: dict[int, dict[str, Any]] = {}
    for record in records:
        steps.setdefault(record["step"], {}).update({name: value for name, value in record.items() if name != "step"})
    return dict(sorted(steps.items()))
