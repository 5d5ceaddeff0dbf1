"""Steps with work in them that takes a moment instead of minutes: in a process as it really is, or within the test's own.

They note in ``notes.txt`` when they begin and end, so that a test sees what was done twice or by two at once. With ``HOLD_AT`` set to one
of these notes ("evaluate ends"), whoever writes it waits there for the test's kill.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from db.vocabulary import RetrainStep
from training.files import put
from training.jobs import child, step
from training.jobs.lease import Lease
from training.starter.progress import BuildEvent, Report

VERDICT = {"candidate": "retrain", "live": "policy-v1", "criteria": [], "settings": {}}
NOTES = "notes.txt"


def carry_out(folder: Path, name: RetrainStep, tell: Report) -> dict[str, Any]:
    _note(folder, name, "begins")
    seconds = float(os.environ.get("QUICK_S", "0"))
    for done in range(100):
        tell(BuildEvent(phase="pretending", done=done, total=100))
        time.sleep(seconds / 100)
    if name is RetrainStep.EVALUATE:
        met = not (folder / "reject").is_file()
        criterion = {"name": "better", "title": "rated better", "met": met, "says": "so it is", "figures": {"gain": 0.5}}
        put(folder / name / "gate.json", json.dumps(VERDICT | {"criteria": [criterion]}))
    _note(folder, name, "ends")
    return {"preference/train": 1, "preference/validation": 1, "sha256": "00"}


def within(folder: Path, name: RetrainStep, lease: Lease, environment: Mapping[str, str], *, show: Report) -> None:
    """In place of ``child.carry_out``: without a process."""
    del environment

    def tell(event: BuildEvent) -> None:
        lease.go_on()
        show(event)

    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    figures = carry_out(folder, name, tell)
    put(place / child.OUTCOME, json.dumps(figures))
    put(place / child.READY, "")


def _note(folder: Path, name: RetrainStep, what: str) -> None:
    with (folder / NOTES).open("a", encoding="utf-8") as file:
        print(f"{name} {what}", file=file, flush=True)
    while os.environ.get("HOLD_AT") == f"{name} {what}":
        time.sleep(0.05)


if __name__ == "__main__":
    quick = ModuleType("training.jobs.steps")
    quick.carry_out = carry_out  # pyright: ignore[reportAttributeAccessIssue]
    sys.modules["training.jobs.steps"] = quick
    step.main()
