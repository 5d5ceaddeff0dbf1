"""What a run says about itself: one JSON object a line in ``metrics.jsonl``, and the same to whoever listens.

A resumed run first drops the lines that it is about to write again, so that the file tells one story.
"""

import json
import math
import resource
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from training.files import put

FILE = "metrics.jsonl"
Listener = Callable[[Mapping[str, Any]], None]
_UNTOLD = ("total_flos", "epoch", "train_runtime", "train_samples_per_second", "train_steps_per_second", "train_loss", "num_tokens")
"""Figures of the library that mean nothing here."""


class MetricsLog:
    """The file of one run."""

    def __init__(self, folder: Path, listener: Listener | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / FILE
        self._listener = listener

    def write(self, step: int, figures: Mapping[str, Any]) -> None:
        """Append a line; a number that is none becomes null."""
        record = {"step": step, **{name: _plain(value) for name, value in figures.items()}}
        with self.path.open("a", encoding="utf-8") as out:
            out.write(json.dumps(record) + "\n")
        if self._listener is not None:
            self._listener(record)

    def read(self) -> list[dict[str, Any]]:
        """Every whole line so far."""
        if not self.path.is_file():
            return []
        lines = self.path.read_text(encoding="utf-8").split("\n")
        # What stands after the last line end was cut off in the middle.
        return [json.loads(line) for line in lines[:-1]]

    def forget_after(self, step: int) -> None:
        """Drop what was written after a step."""
        kept = [record for record in self.read() if record["step"] <= step]
        put(self.path, "".join(json.dumps(record) + "\n" for record in kept))


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


class Reporter(TrainerCallback):
    """Writes what the trainer logs; ``updates`` optimiser steps are one step of the run."""

    def __init__(self, log: MetricsLog, *, updates: int = 1) -> None:
        self._log, self._updates = log, updates

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        """Called by the trainer."""
        told = {name: value for name, value in (logs or {}).items() if name not in _UNTOLD}
        if told and state.is_world_process_zero:
            self._log.write(state.global_step // self._updates, {**told, "memory/peak_mb": peak_megabytes()})


def peak_megabytes() -> float:
    """The most memory that this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
