"""Rows set aside on disk and given back in the order of their ids: an export fits in memory however large it is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Self
from uuid import UUID


class Spool:
    """One file of rows. Of two with the same id the first stays."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")
        self._places: dict[bytes, tuple[int, int]] = {}
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._places)

    def put(self, row_id: UUID, line: bytes) -> None:
        """Set a row aside."""
        if row_id.bytes in self._places:
            return
        self._file.seek(self._end)
        self._file.write(line)
        self._places[row_id.bytes] = (self._end, len(line))
        self._end += len(line)

    def get(self, row_id: UUID) -> bytes:
        """One row. Raises KeyError."""
        start, length = self._places[row_id.bytes]
        self._file.seek(start)
        return self._file.read(length)

    def lines(self) -> Iterator[bytes]:
        """Every row by id."""
        for row_id in sorted(self._places):
            yield self.get(UUID(bytes=row_id))
