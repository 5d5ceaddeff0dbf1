"""What two versions said to the same bad cases when the gate measured them, for people to read side by side.

Decided here: the first answer to each case is kept, as it came, with whether it is a fix. Measuring and deciding are ``evaluation``'s; this
file is read without torch.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from training.badcases import BadCase, cases
from training.files import put

if TYPE_CHECKING:
    from training.bench.measures import CaseFigures, PolicyFigures

ANSWERS = "answers.json"


class Answer(BaseModel):
    """One version's answer to one case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str | None
    """None for an answer that is no reply."""
    fixed: bool


class CaseAnswers(BaseModel):
    """Both answers to one case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    case: str
    fault: str
    heard: str
    """The hotel's last words; empty for a silence and at the opening."""
    candidate: Answer
    live: Answer


_ROWS = TypeAdapter(list[CaseAnswers])


def write_answers(folder: Path, candidate: "PolicyFigures", live: "PolicyFigures", *, own: Sequence[BadCase] = ()) -> None:
    """Into the gate's folder; ``own`` are cases of the instance's own."""
    ours, theirs = _first(candidate), _first(live)
    rows = [
        CaseAnswers(
            case=case.id,
            fault=str(case.fault),
            heard=case.context.history[-1].text if case.context.history else "",
            candidate=_answer(ours[case.id]),
            live=_answer(theirs[case.id]),
        )
        for case in (*cases(), *own)
        if case.id in ours and case.id in theirs
    ]
    put(folder / ANSWERS, json.dumps(_ROWS.dump_python(rows, mode="json"), ensure_ascii=False, indent=1) + "\n")


def read_answers(folder: Path) -> list[CaseAnswers]:
    """What was kept; empty where nothing was, or its files are on another machine."""
    try:
        return _ROWS.validate_json((folder / ANSWERS).read_bytes())
    except (OSError, ValidationError):
        return []


def _first(figures: "PolicyFigures") -> dict[str, "CaseFigures"]:
    return {case.case: case for case in reversed(figures.cases)}


def _answer(figures: "CaseFigures") -> Answer:
    return Answer(text=figures.reply, fixed=figures.fixed)
