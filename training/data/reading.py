"""How rows are read from files: one at a time, with the number by which a person finds them. What they are worth is for ``importing``.

JSON Lines, Parquet, plain CSV, a folder of Hugging Face's ``datasets``, and an export as a folder or packed as a zip file.
"""

import csv
import json
import tempfile
import zipfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from db.errors import ParleyError
from training.data.columns import CONTENT, TRAINED, Format, columns, format_of

SYSTEM = "system"
"""A further column of CSV files: what stands before the prompt."""
MOST_UNPACKED = 8 * 2**30
"""Bytes that a zip file may unpack to."""
_LONGEST_CELL = 4 * 2**20
_BATCH = 500


class FileUnreadable(ParleyError):
    """A file that holds no examples at all: not the kind it says, or without the columns that are needed."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that is no row."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file of one format."""

    name: str
    """As a person knows it."""
    path: Path
    format: Format
    plain: bool
    """Cells are text: a spreadsheet's."""

    def rows(self) -> Iterator[tuple[int, dict[str, Any] | Unreadable]]:
        """Each row with its number: of the line in JSON Lines, as a spreadsheet counts in CSV, from 1 elsewhere."""
        if self.path.is_dir() or self.path.suffix == ".parquet":
            return enumerate(_arrow_rows(self.path), start=1)
        return _csv_rows(self.path) if self.plain else _json_rows(self.path)

    def size(self) -> int:
        """About how many rows there are: lines, where only reading all would tell."""
        if self.path.is_dir():
            return len(_dataset(self.path))
        if self.path.suffix == ".parquet":
            return pq.read_metadata(self.path).num_rows
        with self.path.open("rb") as stream:
            return sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))


@contextmanager
def parts_of(path: Path) -> Generator[list[Part]]:
    """The files that ``path`` means, for the length of the block. Raises FileUnreadable."""
    if not path.exists():
        raise FileUnreadable(f"There is no file {path}.")
    if path.suffix.lower() != ".zip" or path.is_dir():
        yield _parts(path)
        return
    with tempfile.TemporaryDirectory(prefix="parley-import-") as folder:
        _unpack(path, Path(folder))
        yield _parts(Path(folder))


def _unpack(path: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_UNPACKED:
                most = f"{MOST_UNPACKED // 2**30} GiB"
                raise FileUnreadable(f"{path.name} unpacks to more than {most}. Unpack it, and import its files one by one.")
            archive.extractall(folder)
    except (zipfile.BadZipFile, EOFError) as error:
        raise FileUnreadable(f"{path.name} is no zip file, or a damaged one: {error}.") from error


def _parts(path: Path) -> list[Part]:
    if path.is_dir() and not (path / "dataset_info.json").is_file():
        if (path / "dataset_dict.json").is_file():
            raise FileUnreadable(f"{path} holds several splits. Name one of its folders.")
        known = [child for kind in Format for child in sorted(path.glob(f"{kind}*")) if child.suffix in _READ or child.is_dir()]
        if not known:
            names = ", ".join(Format)
            raise FileUnreadable(f"{path} is no dataset and no export: it has no file called {names}, ending in .jsonl, .parquet or .csv.")
        return [_part(child) for child in known]
    return [_part(path)]


def _part(path: Path) -> Part:
    if not path.is_dir() and path.suffix not in _READ:
        raise FileUnreadable(f"{path.name}: name a file that ends in .jsonl, .parquet, .csv or .zip, or a folder of a dataset.")
    names = _column_names(path)
    plain = path.suffix == ".csv"
    kind = format_of(names) if names else next((kind for kind in Format if path.name.split(".")[0] == kind), None)
    if kind is None:
        wanted = "; ".join(", ".join(CONTENT[kind]) for kind in Format)
        raise FileUnreadable(f"{path.name} has the columns {', '.join(names) or '(none)'}. Needed are: {wanted}.")
    known = (*columns(kind), *((SYSTEM,) if plain and kind in TRAINED else ()))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise FileUnreadable(f"{path.name} has unknown columns: {', '.join(unknown)}. Known are: {', '.join(known)}.")
    return Part(name=path.name, path=path, format=kind, plain=plain)


_READ = (".jsonl", ".json", ".parquet", ".csv")


def _column_names(path: Path) -> Sequence[str]:
    if path.is_dir() or path.suffix == ".parquet":
        return _arrow_names(path)
    if path.suffix == ".csv":
        with _opened_csv(path) as reader:
            return [name.strip().lower() for name in reader.fieldnames or ()]
    first = next((row for _, row in _json_rows(path)), None)
    if isinstance(first, Unreadable):
        raise FileUnreadable(f"{path.name} is not JSON Lines: its first line {first.message}.")
    return list(first or ())


# -- JSON Lines -------------------------------------------------------------------------------------------------------------------------


def _json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any] | Unreadable]]:
    with path.open("rb") as stream:
        for number, raw in enumerate(stream, start=1):
            if raw.strip():
                yield number, _json_row(raw.removeprefix(b"\xef\xbb\xbf"))


def _json_row(raw: bytes) -> dict[str, Any] | Unreadable:
    try:
        value: Any = json.loads(raw)
    except UnicodeDecodeError as error:
        return Unreadable(f"is not UTF-8 text (byte {error.start + 1})")
    except (ValueError, RecursionError) as error:
        return Unreadable(f"is not JSON: {error}")
    return cast(dict[str, Any], value) if isinstance(value, dict) else Unreadable("is not a JSON object")


# -- CSV --------------------------------------------------------------------------------------------------------------------------------


@contextmanager
def _opened_csv(path: Path) -> Generator["csv.DictReader[str]"]:
    csv.field_size_limit(_LONGEST_CELL)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        try:
            header = stream.readline()
            stream.seek(0)
            yield csv.DictReader(stream, delimiter=max(",;\t", key=header.count), restkey="", strict=True)
        except UnicodeDecodeError as error:
            wrong = f"is not UTF-8 text (byte {error.start + 1}). Save it as 'CSV UTF-8' and try again."
            raise FileUnreadable(f"{path.name} {wrong}") from error
        except csv.Error as error:
            raise FileUnreadable(f"{path.name} is not well-formed CSV: {error}. Check the quotes, and save it as 'CSV UTF-8'.") from error


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[str, Any] | Unreadable]]:
    with _opened_csv(path) as reader:
        reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
        for number, cells in enumerate(reader, start=2):
            if cells.pop("", None):
                yield number, Unreadable("has more cells than the header has columns")
            else:
                yield number, {name: value for name, value in cells.items() if value}


# -- Parquet and datasets ---------------------------------------------------------------------------------------------------------------


def _arrow_names(path: Path) -> list[str]:
    try:
        if path.is_dir():
            return list(_dataset(path).column_names)
        return list(pq.read_schema(path).names)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise FileUnreadable(f"{path.name} cannot be read: {error}.") from error


def _arrow_rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        if path.is_dir():
            dataset = _dataset(path)
            for start in range(0, len(dataset), _BATCH):
                yield from dataset.select(range(start, min(start + _BATCH, len(dataset)))).to_list()
            return
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise FileUnreadable(f"{path.name} cannot be read to its end: {error}.") from error


def _dataset(path: Path) -> Any:
    # Imported here: it takes a second, and only this kind of file needs it.
    import datasets

    return datasets.load_from_disk(str(path))
