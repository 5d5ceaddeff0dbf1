"""Reading what a policy said while it learned (``said.jsonl``) without torch. It is written by ``training.objectives.said``."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

SAID = "said.jsonl"


def read_said(folder: Path) -> dict[int, list[dict[str, Any]]]:
    """By step, in order: the same contexts each time, with ``stage``, ``heard`` and ``reply`` (None for an answer that is none)."""
    path = folder / SAID
    if not path.is_file():
        return {}
    found: dict[int, list[dict[str, Any]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        # A run that was killed in the middle of a line goes on after it.
        with suppress(ValueError, KeyError, TypeError):
            told = json.loads(line)
            found[told["step"]] = told["said"]
    return dict(sorted(found.items()))
