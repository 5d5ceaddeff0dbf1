"""What an objective is given to learn from, whichever it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import Dataset

from agent.domain import TurnContext
from agent.serving.starter import MODEL_FOLDER
from db.errors import ParleyError
from training.objectives.rewarding import ScoreMany


class TaskError(ParleyError):
    """A task that an objective cannot learn from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A run's material. Each objective takes the part that it learns from and says what it misses."""

    folder: Path
    """The run's own: metrics, checkpoints, the adapter."""
    score: ScoreMany
    """The whole reward. Supervised objectives are only measured by it."""
    contexts: Sequence[TurnContext] = ()
    """To roll out from."""
    demonstrations: Sequence[Mapping[str, Any]] = ()
    """Rows with ``prompt`` and ``completion`` (``training.data.columns``)."""
    preferences: Sequence[Mapping[str, Any]] = ()
    """Rows with ``prompt``, ``chosen`` and ``rejected``."""
    held_out: Sequence[TurnContext] = ()
    """Contexts of other hotels, to measure and to stop by."""
    base: Path = MODEL_FOLDER
    adapter: Path | None = None
    """Where the run begins; None is the base."""
    critic: Path | None = None
    """A folder with the critic of an earlier run, to begin with."""
    spec: str = ""
    """Name of the reward: a critic is of no use for another."""


def dataset(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Dataset:
    """The rows with these columns alone."""
    return Dataset.from_list([{column: row[column] for column in columns} for row in rows])
