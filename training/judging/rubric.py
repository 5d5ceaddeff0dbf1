"""The rubric: what is asked about a reply, in which range, and how the marks become one number.

Decided here: the file's form and the arithmetic. A judgement that cannot be read is missing (None), never zero.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from db.errors import ParleyError

Marks = dict[str, int]
"""A mark for every item of a rubric, by name."""


class RubricError(ParleyError):
    """A rubric that cannot be used; names the file and what is wrong."""


class Item(BaseModel):
    """One question about a reply."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z_]+$")
    weight: float = Field(gt=0)
    asks: str
    lowest: int = Field(default=-2, ge=-2, le=0)
    highest: int = Field(default=2, ge=0, le=2)


class Rubric(BaseModel):
    """All questions, in the order in which they are asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int
    items: tuple[Item, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_differ(self) -> "Rubric":
        if len({item.name for item in self.items}) < len(self.items):
            raise ValueError("two items have the same name")
        return self

    def score(self, marks: Mapping[str, int]) -> float:
        """E_judge: the weighted sum of the marks, before it is joined with the rules' part and clipped."""
        return sum(item.weight * marks[item.name] for item in self.items)

    def parse(self, answer: str) -> Marks | None:
        """The marks in a model's answer; None where they are not all there, in range and alone."""
        try:
            said = json.loads(answer)
        except ValueError:
            return None
        if not isinstance(said, dict) or set(said) != {item.name for item in self.items}:  # pyright: ignore[reportUnknownArgumentType]
            return None
        marks: Marks = {}
        for item in self.items:
            mark: object = said[item.name]
            if not isinstance(mark, int) or isinstance(mark, bool) or not item.lowest <= mark <= item.highest:
                return None
            marks[item.name] = mark
        return marks

    def encode(self, marks: Mapping[str, int]) -> str:
        """Marks as the model should emit them: ``{"empathy":1,"sop":2,…}``."""
        return json.dumps({item.name: marks[item.name] for item in self.items}, separators=(",", ":"))


def load_rubric(path: Path) -> Rubric:
    """Read a rubric. Raises RubricError naming the file."""
    try:
        return Rubric.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise RubricError(f"{path} is not a rubric: {error}") from error


@cache
def shipped_rubric() -> Rubric:
    """The rubric that ships with Parley."""
    return load_rubric(Path(__file__).parent / "rubric.yaml")
