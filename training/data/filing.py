"""How rows become files: JSON Lines, Parquet, and a folder that ``datasets.load_from_disk`` opens. The same rows give the same bytes."""

import json
import shutil
from collections.abc import Iterable, Iterator
from enum import StrEnum
from hashlib import file_digest, sha256
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from training.data.columns import TALK, Format, columns

_BATCH = 2_000
"""Rows of one row group."""
_SHARD = 500 * 2**20
"""Bytes of one file of a dataset, about."""


class Filing(StrEnum):
    """What kind of file."""

    JSONL = "jsonl"
    PARQUET = "parquet"
    DATASET = "dataset"
    """A folder of Hugging Face's ``datasets``."""


def file_name(kind: Format, filing: Filing) -> str:
    """What the file, or the folder, of one format is called."""
    return str(kind) if filing is Filing.DATASET else f"{kind}.{filing}"


def write(lines: Iterable[bytes], folder: Path, kind: Format, filing: Filing) -> str:
    """Write the rows (as ``columns.line`` gives them) into ``folder``; returns the SHA-256 of their JSON Lines, whatever the file."""
    digest = sha256()

    def hashed() -> Iterator[bytes]:
        for line in lines:
            digest.update(line)
            yield line

    path = folder / file_name(kind, filing)
    match filing:
        case Filing.JSONL:
            with path.open("wb") as stream:
                stream.writelines(hashed())
        case Filing.PARQUET:
            with pq.ParquetWriter(path, schema(kind), compression="zstd") as writer:
                for batch in _batches(hashed(), kind):
                    writer.write_batch(batch)
        case Filing.DATASET:
            _write_dataset(_batches(hashed(), kind), path, kind)
    return digest.hexdigest()


def schema(kind: Format) -> Any:
    """The Arrow types of a format's columns."""
    talk = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    special = dict.fromkeys(("rating_ids", "faults"), pa.list_(pa.string())) | {"stars": pa.int64()}
    special |= dict.fromkeys(("label", "excellent", "simulated_hotel", "simulated_rater"), pa.bool_()) | dict.fromkeys(TALK, talk)
    return pa.schema([(column, special.get(column, pa.string())) for column in columns(kind)])


def _batches(lines: Iterator[bytes], kind: Format) -> Iterator[Any]:
    # Once also without rows: ``datasets`` cannot read a file that holds not even an empty batch.
    batch = [json.loads(line) for line in islice(lines, _BATCH)]
    while True:
        yield pa.RecordBatch.from_pylist(batch, schema=schema(kind))
        batch = [json.loads(line) for line in islice(lines, _BATCH)]
        if not batch:
            return


def _write_dataset(batches: Iterable[Any], path: Path, kind: Format) -> None:
    # Imported here: it takes a second, and only this kind of file needs it.
    import datasets
    from datasets.table import MemoryMappedTable

    arrow = path.with_name(path.name + ".arrow")
    with pa.OSFile(str(arrow), "wb") as sink, pa.ipc.new_stream(sink, schema(kind)) as writer:
        for batch in batches:
            writer.write_batch(batch)
    with arrow.open("rb") as stream:
        content = file_digest(stream, "sha256").hexdigest()[:16]
    shown = not datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        # Without a fingerprint of ours it would be drawn at random, and stand in the folder.
        rows = datasets.Dataset(MemoryMappedTable.from_file(str(arrow)), fingerprint=content)
        # Left to itself it writes no file for no rows, and cannot read that again.
        rows.save_to_disk(path, num_shards=arrow.stat().st_size // _SHARD + 1)
    finally:
        if shown:
            datasets.enable_progress_bars()
    arrow.unlink()


def remove(folder: Path) -> None:
    """Delete an export that was not finished."""
    shutil.rmtree(folder, ignore_errors=True)


def manifest(described: dict[str, Any]) -> bytes:
    """What an export says about itself."""
    return json.dumps(described, indent=2, sort_keys=True).encode() + b"\n"
