"""Examples out: everything that was judged here or imported, in files that TRL trains from as they are.

Decided here: one moment of the database is exported; rows stand in the order of their ids; personal data is masked unless an administrator
asks for it; the folder appears under its name when it is whole and when the audit trail says so, and never before.
"""

import json
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from agent.records import from_json, to_json
from db.engine import SessionFactory
from db.errors import ParleyError
from db.models import ImportedExample
from db.repositories import audit_events, examples, users
from db.vocabulary import Role
from training.data.columns import TALK, WORDS, Format, Row, line, ordered
from training.data.examples import Examiner, Example, LeftOut, RatedReply, contrast
from training.data.filing import Filing, file_name, manifest, remove, write
from training.data.masking import without_addresses
from training.data.spool import Spool
from training.starter.progress import BuildEvent, Report, silent

MANIFEST = "manifest.json"
_ASIDE = ".rated"
APART = 2
"""Stars between two replies to the same prompt that make one of them better."""
_BATCH = 100
"""Conversations loaded at once."""


class ExportRefused(ParleyError):
    """The export cannot be made there, or not by this person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What is to be exported, and how."""

    formats: tuple[Format, ...] = tuple(Format)
    filing: Filing = Filing.JSONL
    people_only: bool = False
    """Leave out what simulated experts judged."""
    with_personal_data: bool = False
    """Of hotels' people: needs an administrator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export holds."""

    folder: Path
    rows: dict[Format, int]
    sha256: dict[Format, str]
    """Of the rows' JSON Lines, whatever the files are."""
    left_out: Counter[LeftOut] = field(default_factory=Counter[LeftOut])


def export_examples(
    sessions: SessionFactory,
    folder: Path,
    chosen: Chosen | None = None,
    *,
    actor: UUID | None = None,
    replace: bool = False,
    report: Report = silent,
) -> Exported:
    """Write every example into ``folder``, which must be new or, with ``replace``, an earlier export.

    Raises ExportRefused where something else is in the way, or where personal data is asked for by somebody who is no administrator
    (``actor`` None is whoever operates the machine).
    """
    chosen = chosen or Chosen()
    folder = folder.absolute()
    _refuse_where_in_the_way(folder, replace=replace)
    if chosen.with_personal_data and actor is not None:
        _refuse_unless_admin(sessions, actor)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name}.part-{token_hex(4)}")
    part.mkdir()
    try:
        exported = _write_all(sessions, part, chosen, report)
        (part / MANIFEST).write_bytes(manifest(_described(exported, chosen)))
        with sessions.begin() as session:
            after = _described(exported, chosen) | {"people_only": chosen.people_only}
            audit_events.record(session, actor_id=actor, action="data.export", subject_type="export", after=after)
        if folder.exists():
            old = folder.with_name(f".{folder.name}.old-{token_hex(4)}")
            folder.rename(old)
            remove(old)
        part.rename(folder)
    except BaseException:
        # An interrupt too: what is not whole must not stay.
        remove(part)
        raise
    return Exported(folder=folder, rows=exported.rows, sha256=exported.sha256, left_out=exported.left_out)


def packed(folder: Path, target: Path) -> None:
    """The folder as one zip file, the same bytes for the same files."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(str(path.relative_to(folder)), date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as sink:
                while block := source.read(1 << 20):
                    sink.write(block)


def _refuse_where_in_the_way(folder: Path, *, replace: bool) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / MANIFEST).is_file():
        raise ExportRefused(f"{folder} is there already and is no export. Choose a folder that is new or empty.")
    if not replace:
        raise ExportRefused(f"{folder} holds an earlier export. Choose another folder, or replace it (--replace).")


def _refuse_unless_admin(sessions: SessionFactory, actor: UUID) -> None:
    with sessions() as session:
        person = users.find_by_id(session, actor)
    if person is None or Role.ADMIN not in person.roles:
        raise ExportRefused("Only an administrator may export personal data of hotels' people. Export it masked, or ask one.")


def _described(exported: Exported, chosen: Chosen) -> dict[str, Any]:
    return {
        "files": {
            str(kind): {"file": file_name(kind, chosen.filing), "rows": exported.rows[kind], "sha256": exported.sha256[kind]}
            for kind in chosen.formats
        },
        "personal_data": "shown" if chosen.with_personal_data else "masked",
    }


def _write_all(sessions: SessionFactory, part: Path, chosen: Chosen, report: Report) -> Exported:
    left_out: Counter[LeftOut] = Counter()
    with ExitStack() as stack:
        spools = {kind: stack.enter_context(Spool(part / f".{kind}.rows")) for kind in chosen.formats}
        with sessions() as session:
            examples.read_one_moment(session)
            contrasts = Contrasts(stack.enter_context(Spool(part / _ASIDE)))
            for example in _native(session, contrasts, chosen, left_out, report):
                if example.format in spools:
                    spools[example.format].put(example.id, _final(example.row, chosen))
            for kind, spool in spools.items():
                for row_id, row in _imported(session, kind, people_only=chosen.people_only):
                    spool.put(row_id, _final(row, chosen))
        digests: dict[Format, str] = {}
        for kind, spool in spools.items():
            digests[kind] = write(_shown(spool, f"writing {kind}", report), part, kind, chosen.filing)
        rows = {kind: len(spool) for kind, spool in spools.items()}
    for aside in (_ASIDE, *(f".{kind}.rows" for kind in chosen.formats)):
        (part / aside).unlink()
    return Exported(folder=part, rows=rows, sha256=digests, left_out=left_out)


class Contrasts:
    """Replies to the same prompt, wherever it came up: the best is put against the worst, then the next best, while stars are apart."""

    def __init__(self, aside: Spool) -> None:
        self._aside = aside
        self._by_prompt: defaultdict[bytes, list[tuple[float, UUID]]] = defaultdict(list)

    def add(self, rated: Sequence[RatedReply]) -> None:
        """Take note of some."""
        for reply in rated:
            prompt = sha256(json.dumps(reply.prompt).encode()).digest()
            self._by_prompt[prompt].append((-reply.stars, reply.turn_id))
            self._aside.put(reply.turn_id, json.dumps(to_json(reply)).encode())

    def examples(self) -> Iterator[Example]:
        """Each reply is used once at most, so that a greeting said a thousand times does not make a million pairs."""
        for replies in self._by_prompt.values():
            ranked = sorted(replies)
            for better, worse in zip(ranked[: len(ranked) // 2], reversed(ranked), strict=False):
                if worse[0] - better[0] < APART:
                    break
                one, other = (from_json(RatedReply, json.loads(self._aside.get(turn_id))) for _, turn_id in (better, worse))
                if one.completion != other.completion:
                    yield contrast(one, other)


def _native(session: Session, contrasts: Contrasts, chosen: Chosen, left_out: Counter[LeftOut], report: Report) -> Iterator[Example]:
    """What was judged here."""
    wanted = examples.list_judged_conversations(session)
    for start in range(0, len(wanted), _BATCH):
        batch = examples.load_judged(session, wanted[start : start + _BATCH])
        for judged in batch:
            examiner = Examiner(judged, masked=not chosen.with_personal_data, people_only=chosen.people_only)
            yield from examiner.examples()
            yield from examiner.dialogues()
            left_out.update(examiner.left_out)
            contrasts.add(examiner.rated)
        session.expunge_all()
        report(BuildEvent(phase="reading", done=min(start + _BATCH, len(wanted)), total=len(wanted)))
    yield from contrasts.examples()


def _imported(session: Session, kind: Format, *, people_only: bool) -> Iterator[tuple[UUID, Row]]:
    for stored in examples.iterate_imported(session, kind):
        if not (people_only and stored.provenance.get("simulated_rater")):
            yield stored.id, imported_row(stored, kind)


def imported_row(stored: ImportedExample, kind: Format) -> Row:
    """An imported example as a row."""
    # The database keeps the keys of an object in an order of its own.
    content = {column: _said(value) if column in TALK else value for column, value in stored.content.items()}
    return ordered(kind, {"id": str(stored.id), **content, **stored.provenance})


def _said(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{"role": said["role"], "content": said["content"]} for said in messages]


def _final(row: Row, chosen: Chosen) -> bytes:
    return line(row if chosen.with_personal_data else without_personal_data(row))


def without_personal_data(row: Row) -> Row:
    """The row without addresses, also where it came from a file."""
    talk = {
        column: [message | {"content": without_addresses(message["content"])} for message in row[column]]
        for column in TALK.intersection(row)
    }
    return row | talk | {column: without_addresses(row[column]) for column in WORDS.intersection(row)}


def _shown(spool: Spool, phase: str, report: Report) -> Iterator[bytes]:
    for done, written in enumerate(spool.lines(), start=1):
        yield written
        if done % 500 == 0 or done == len(spool):
            report(BuildEvent(phase=phase, done=done, total=len(spool)))
