"""What the training of an arm came to, as a file in its folder; read without torch."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

OUTCOME = "outcome.json"


class Learned(BaseModel):
    """What a training came to."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    adapter_sha256: str
    steps: int
    best_step: int | None
    """Of the adapter that is measured."""
    best_total: float | None
    """Its reward on validation hotels, as the arm itself sees it."""
    settings: dict[str, Any]
    cpu_seconds: float
    """Of the process that ended it; one that was killed before is not counted."""


def learned(folder: Path) -> Learned:
    """What a finished training came to."""
    return Learned.model_validate_json((folder / OUTCOME).read_text(encoding="utf-8"))
