"""Examples in: rows are checked one by one, every bad cell is named, good ones are added once however often the file comes.

Decided here: a row without an id gets one from its content, and nothing of a file is kept where the import is interrupted. What a row must
hold is in ``training.data.rows``.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session

from db.engine import SessionFactory
from db.repositories import audit_events, examples
from training.data.columns import CONTENT, PROVENANCE, TRAINED, Format, Source, columns, derived_id, instant, kind_of_judgement, line
from training.data.reading import SYSTEM, Part, Unreadable, parts_of
from training.data.rows import ROWS
from training.starter.progress import BuildEvent, Report, silent

MOST_ERRORS = 1_000
"""Errors that are kept; the rest are counted."""
_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """One cell, or one row, that cannot be taken."""

    file: str
    row: int
    """The line of JSON Lines, the row of a spreadsheet (the header is 1), the row from 1 elsewhere."""
    column: str
    """Empty where the row as a whole is at fault."""
    value: str
    message: str


@dataclass(slots=True, kw_only=True)
class Imported:
    """What files held."""

    good: int = 0
    added: int = 0
    """Of the good ones, those that are new; in a dry run, that would be."""
    errors: list[RowError] = field(default_factory=list[RowError])
    """The first ``MOST_ERRORS``."""
    bad: int = 0
    """Rows that were left out."""
    dry_run: bool = False

    @property
    def known(self) -> int:
        """Good ones that were there already."""
        return self.good - self.added


@dataclass(frozen=True, slots=True)
class _Good:
    id: UUID
    values: Mapping[str, object]
    """Of the table's columns."""


def import_examples(
    sessions: SessionFactory, path: Path, *, actor: UUID | None = None, dry_run: bool = False, report: Report = silent
) -> Imported:
    """Add what is good in a file, a dataset's folder, or an export; name what is not. Raises FileUnreadable.

    One transaction: an import that is cut short has added nothing.
    """
    told = Imported(dry_run=dry_run)
    with parts_of(path) as parts, sessions.begin() as session:
        seen: dict[UUID, str] = {}
        for part in parts:
            batch: list[_Good] = []
            for good in _checked(part, told, seen, actor, report):
                batch.append(good)
                if len(batch) == _BATCH:
                    _add(session, batch, told)
                    batch = []
            _add(session, batch, told)
        if not dry_run:
            digests = {part.name: _digest(part.path) for part in parts}
            after = {"good": told.good, "added": told.added, "left_out": told.bad, "sha256": digests, "file": path.name}
            audit_events.record(session, actor_id=actor, action="data.import", subject_type="imported_example", after=after)
    return told


_SHEET_SOURCES = {
    Format.PROMPT_COMPLETION: Source.EXCELLENT,
    Format.PREFERENCE: Source.COMPARISON,
    Format.UNPAIRED_PREFERENCE: Source.STARS,
    Format.DIALOGUE: Source.DIALOGUE,
}


def template_csv(kind: Format) -> str:
    """A CSV file with the header and one example row, to be filled in."""
    reply = '{"move":"ask","text":"Could you do {net} net for the {room}?"}'
    example = {
        SYSTEM: "You write to a hotel for an online travel agency.",
        "prompt": 'hotel: "We could do 430."\nmoves:\nask: 420 net / 494.12 selling - request this price with one reason',
        "completion": reply,
        "chosen": reply,
        "rejected": '{"move":"ask","text":"Give us {net} net or we leave."}',
        "label": "true",
        "messages": '[{"role":"assistant","content":"Could you do 420 net?"},{"role":"user","content":"Yes, fine."}]',
        "stars": "4",
        "outcome": "won",
        "decided_by": "Naming the other site's price.",
        "faults": "robotic_repetition:minor",
        "source": _SHEET_SOURCES[kind],
        "language": "en",
        "created_at": "2027-01-31T09:30:00Z",
        "simulated_hotel": "false",
        "simulated_rater": "false",
    }
    names = (*((SYSTEM,) if kind in TRAINED else ()), *columns(kind))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerow(example)
    return out.getvalue()


def _checked(part: Part, told: Imported, seen: dict[UUID, str], actor: UUID | None, report: Report) -> Iterator[_Good]:
    size, read = part.size(), 0
    for number, raw in part.rows():
        read += 1
        if read % _BATCH == 0:
            report(BuildEvent(phase=part.name, done=read, total=max(size, read)))
        found = _checked_row(part, number, raw, actor)
        if isinstance(found, _Good):
            if found.id in seen:
                message = f"is the same example as {seen[found.id]}"
                found = [RowError(file=part.name, row=number, column="id", value=str(found.id), message=message)]
            else:
                seen[found.id] = f"row {number} of {part.name}"
        if isinstance(found, _Good):
            told.good += 1
            yield found
        else:
            told.bad += 1
            told.errors.extend(found[: MOST_ERRORS - len(told.errors)])
    report(BuildEvent(phase=part.name, done=read, total=read))


def _checked_row(part: Part, number: int, raw: dict[str, Any] | Unreadable, actor: UUID | None) -> _Good | list[RowError]:
    if isinstance(raw, Unreadable):
        return [RowError(file=part.name, row=number, column="", value="", message=raw.message)]
    if part.plain and SYSTEM in raw:
        system, prompt = raw.pop(SYSTEM), raw.get("prompt")
        raw["prompt"] = [{"role": "system", "content": system}, {"role": "user", "content": prompt}] if prompt else None
    try:
        row = ROWS[part.format].model_validate(raw)
    except ValidationError as error:
        return _errors(part, number, raw, error)
    content = {column: _plain(getattr(row, column)) for column in CONTENT[part.format]}
    provenance = {column: _plain(getattr(row, column)) for column in PROVENANCE}
    provenance["source"] = row.source or str(Source.DIALOGUE if part.format is Format.DIALOGUE else Source.IMPORTED)
    row_id = row.id or derived_id(part.format, line(content).decode())
    values = {
        "id": row_id,
        "format": str(part.format),
        "kind": kind_of_judgement(provenance["source"]),
        "content": content,
        "provenance": provenance,
        "imported_by": actor,
    }
    return _Good(row_id, values)


def _plain(value: Any) -> Any:
    match value:
        case list():
            return [_plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
        case BaseModel():
            said = value.model_dump()
            return {"role": said["role"], "content": said["content"]}
        case UUID():
            return str(value)
        case datetime():
            return instant(value)
        case _:
            return value


def _errors(part: Part, number: int, raw: dict[str, Any], error: ValidationError) -> list[RowError]:
    found: list[RowError] = []
    for detail in error.errors(include_url=False):
        place = [str(step) for step in detail["loc"]]
        # A text is read as one message; whoever wrote it knows only the cell.
        column = place[0] if place and isinstance(raw.get(place[0]), str) else ".".join(place)
        missing = detail["type"] == "missing" or (len(place) == 1 and detail["input"] is None)
        message = "is missing, but it is required" if missing else detail["msg"].removeprefix("Value error, ")
        message = "is no column of this format" if detail["type"] == "extra_forbidden" and len(place) == 1 else message
        value = "" if missing else str(detail["input"])[:80]
        found.append(RowError(file=part.name, row=number, column=column, value=value, message=message))
    return found


def _add(session: Session, batch: list[_Good], told: Imported) -> None:
    if told.dry_run:
        told.added += len(batch) - len(examples.known_imports(session, [good.id for good in batch]))
    else:
        told.added += examples.add_imported(session, [good.values for good in batch])


def _digest(path: Path) -> str | None:
    if path.is_dir():
        return None
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()
