"""How rows become the files of a snapshot.

Decided here: a row's split follows from its hotel; of rows that say the same the one with the smallest id stays, so that no order of
arrival matters; rows stand in the order of their ids; the folder appears under its name when it is whole. The same rows give the same
bytes.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import file_digest, sha256
from itertools import islice
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any, Self
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from agent.language.prompts import prompts_version
from training.data.columns import CONTENT, TRAINED, Format, Row, line
from training.data.filing import remove, schema
from training.data.spool import Spool
from training.snapshots.contexts import CONTEXTS, context_schema
from training.snapshots.errors import EmptySnapshot, OneRater, SnapshotInTheWay
from training.snapshots.manifest import MANIFEST, Manifest
from training.snapshots.splits import Split, split_of
from training.starter.progress import BuildEvent, Report, silent

TABLES = (*map(str, TRAINED), CONTEXTS)
_BATCH = 2_000
"""Rows of one row group."""


class SnapshotWriter:
    """Takes rows in any order, then writes them. A context manager: what is not finished leaves nothing behind."""

    def __init__(self, folder: Path, *, validation_share: float) -> None:
        """Raises SnapshotInTheWay where the folder is there already: a snapshot is never changed or replaced."""
        self.folder = folder.absolute()
        if self.folder.exists():
            raise SnapshotInTheWay(f"{self.folder} is there already. A snapshot is never replaced: choose a folder that is new.")
        self._share = validation_share
        self._kept: dict[bytes, UUID] = {}
        """By what a row says: the smallest id."""
        self._dropped: set[tuple[str, UUID]] = set()
        self._duplicates = Counter(dict.fromkeys(TABLES, 0))
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self._part = self.folder.with_name(f".{self.folder.name}.part-{token_hex(4)}")
        self._part.mkdir()
        self._open.callback(remove, self._part)
        self.aside = Path(self._open.enter_context(TemporaryDirectory(dir=self.folder.parent, prefix=f".{self.folder.name}.rows-")))
        """A folder for what is set aside while rows come in."""
        self._spools = {
            (table, split): self._open.enter_context(Spool(self.aside / f"{table}.{split}")) for table in TABLES for split in Split
        }
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def split_of(self, row: Mapping[str, Any]) -> Split:
        """By the hotel; where nobody says which it is, by the conversation or the prompt, so that what belongs together stays together."""
        return split_of(row["hotel"] or row["conversation_id"] or json.dumps(row["prompt"], sort_keys=True), self._share)

    def put(self, table: str, row: Row) -> None:
        """Take one row."""
        said = row["prompt"] if table == CONTEXTS else [row[column] for column in CONTENT[Format(table)]]
        digest = sha256(json.dumps([table, said], sort_keys=True).encode()).digest()
        row_id, known = UUID(row["id"]), self._kept.get(digest)
        if known is not None:
            self._duplicates[table] += 1
            if known <= row_id:
                return
            self._dropped.add((table, known))
        self._kept[digest] = row_id
        split = self.split_of(row)
        self._spools[table, split].put(row_id, line(row | {"split": str(split)}))

    def finish(
        self,
        *,
        origin: str,
        as_of: str | None,
        settings: dict[str, Any],
        left_out: Mapping[str, int],
        quarantined: Mapping[str, Mapping[str, int]],
        allow_one_rater: bool,
        report: Report = silent,
    ) -> Manifest:
        """Write everything, still under another name. Raises EmptySnapshot, and OneRater unless that is allowed."""
        tally = _Tally()
        files: dict[str, dict[str, Any]] = {}
        for split in Split:
            (self._part / split).mkdir()
            for table in TABLES:
                report(BuildEvent(phase="writing", done=len(files), total=len(TABLES) * len(Split), detail=f"{split}/{table}"))
                path = self._part / split / f"{table}.parquet"
                rows = _write(tally.counted(self._rows(table, split), table, split), path, table)
                with path.open("rb") as stream:
                    files[f"{split}/{table}.parquet"] = {"rows": rows, "sha256": file_digest(stream, "sha256").hexdigest()}
        report(BuildEvent(phase="writing", done=len(files), total=len(files)))
        manifest = Manifest(
            origin=origin,
            as_of=as_of,
            settings=settings,
            prompts_version=prompts_version(),
            files=files,
            row_ids_sha256=tally.ids.hexdigest(),
            counts={table: {split: dict(tally.sources[table, split]) for split in Split} for table in TABLES},
            hotels={split: len(tally.hotels[split]) for split in Split},
            duplicates=dict(self._duplicates),
            left_out=dict(left_out),
            quarantined={reason: dict(counts) for reason, counts in quarantined.items()},
        )
        _refuse_unless_worth_it(manifest, tally.raters, allow_one_rater=allow_one_rater)
        (self._part / MANIFEST).write_bytes(manifest.encoded())
        return manifest

    def publish(self) -> None:
        """Let the folder appear under its name."""
        self._part.rename(self.folder)

    def _rows(self, table: str, split: Split) -> Iterator[Row]:
        for written in self._spools[table, split].lines():
            row: Row = json.loads(written)
            if (table, UUID(row["id"])) not in self._dropped:
                yield row


@dataclass(slots=True)
class _Tally:
    """What is counted while rows are written."""

    ids: Any = field(default_factory=sha256)
    sources: defaultdict[tuple[str, Split], Counter[str]] = field(default_factory=lambda: defaultdict(Counter[str]))
    hotels: defaultdict[Split, set[str]] = field(default_factory=lambda: defaultdict(set[str]))
    raters: set[str | None] = field(default_factory=set[str | None])
    """Who the preferences are of; None where several agreed, or nobody in particular."""

    def counted(self, rows: Iterable[Row], table: str, split: Split) -> Iterator[Row]:
        for row in rows:
            self.ids.update(f"{table}/{row['id']}\n".encode())
            self.sources[table, split][_source(table, row)] += 1
            if row["hotel"] is not None:
                self.hotels[split].add(row["hotel"])
            if table == Format.PREFERENCE:
                self.raters.add(row["rater"])
            yield row


def _source(table: str, row: Row) -> str:
    return ("simulated" if row["simulated_hotel"] else "logged") if table == CONTEXTS else str(row["source"])


def _refuse_unless_worth_it(manifest: Manifest, raters: set[str | None], *, allow_one_rater: bool) -> None:
    if not any(manifest.rows(table, Split.TRAIN) for table in TABLES):
        kept_out = {**manifest.left_out, **{reason: counts["judgements"] for reason, counts in manifest.quarantined.items()}}
        why = "; ".join(f"{count:,} judgements: {reason}" for reason, count in kept_out.items() if count)
        raise EmptySnapshot(
            f"Nothing is left to train on. {f'Kept out: {why}. ' if why else ''}Widen the filters, or collect judgements first."
        )
    if len(raters) == 1 and None not in raters and not allow_one_rater:
        count = manifest.rows(Format.PREFERENCE)
        raise OneRater(
            f"All {count:,} preferences are of one person ({raters.pop()}): what is learned would be that person's taste. "
            "Let others judge too, or allow one rater."
        )


def _write(rows: Iterator[Row], path: Path, table: str) -> int:
    """Write a file; returns how many rows it has."""
    columns = context_schema() if table == CONTEXTS else schema(Format(table))
    columns = columns.append(pa.field("split", pa.string()))
    written = 0
    with pq.ParquetWriter(path, columns, compression="zstd") as writer:
        while batch := list(islice(rows, _BATCH)):
            writer.write_batch(pa.RecordBatch.from_pylist(batch, schema=columns))
            written += len(batch)
    return written
