"""What the policy says while it learns: its replies to a few held-out contexts at each measurement, a line each, for people to read.

It is only written here; ``training.runs.said`` reads it. A resumed run may write steps again: the last line of a step counts.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from agent.domain import Reply, TurnContext

SAID = "said.jsonl"
FEW = 6
"""Contexts whose replies are kept."""


def write_said(folder: Path, step: int, contexts: Sequence[TurnContext], replies: Sequence[Sequence[Reply | None]]) -> None:
    """The first reply to each context into the run's folder, in one write. Everything in it is public (``TurnContext``)."""
    rows = [
        {
            "stage": str(context.stage),
            "heard": context.history[-1].text if context.history else None,
            "reply": None if copies[0] is None else {"move": copies[0].move.key, "text": copies[0].text},
        }
        for context, copies in zip(contexts[:FEW], replies[:FEW], strict=True)
    ]
    with (folder / SAID).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"step": step, "said": rows}, ensure_ascii=False) + "\n")
