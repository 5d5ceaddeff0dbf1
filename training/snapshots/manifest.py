"""What a snapshot says about itself: what is in it, by which settings it was taken, what was kept out, and the hashes that prove it."""

import json
from dataclasses import asdict, dataclass, field, fields
from hashlib import sha256
from typing import Any, Self

from training.snapshots.errors import SnapshotChanged, SnapshotUnreadable
from training.snapshots.splits import Split

MANIFEST = "manifest.json"
FORMAT = 1
"""Of the folder; a reader of another one says so."""

Counts = dict[str, dict[str, dict[str, int]]]
"""Rows by table, split and source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The manifest. The same manifest means the same bytes in every file."""

    origin: str
    """``database`` or ``simulated``."""
    as_of: str | None
    """The instant whose state was frozen, UTC; none where nothing was read from a database."""
    settings: dict[str, Any]
    """With them and the same database (or simulator) the snapshot can be taken again."""
    prompts_version: str
    """The prompts in which contexts and examples of our own are written."""
    files: dict[str, dict[str, Any]]
    """By path within the folder: ``rows``, and ``sha256`` of the bytes."""
    row_ids_sha256: str
    """Of the ids of all rows, table by table, each in order."""
    counts: Counts
    hotels: dict[str, int]
    """By split."""
    duplicates: dict[str, int]
    """Rows left out by table, since another says the same."""
    left_out: dict[str, int] = field(default_factory=dict[str, int])
    """Judgements that make no example, by reason (``training.data.examples.LeftOut``)."""
    quarantined: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    """By reason: ``conversations`` and ``judgements`` that were kept out."""

    @property
    def sha256(self) -> str:
        """The name of the snapshot: of all that stands here, and so of every row."""
        return sha256(_canonical(asdict(self))).hexdigest()

    def encoded(self) -> bytes:
        """The file."""
        return (
            json.dumps({"format": FORMAT, "sha256": self.sha256, **asdict(self)}, indent=2, sort_keys=True, ensure_ascii=False).encode()
            + b"\n"
        )

    @classmethod
    def decoded(cls, raw: bytes) -> Self:
        """The inverse of ``encoded``. Raises SnapshotUnreadable, and SnapshotChanged where somebody has edited it."""
        try:
            values: dict[str, Any] = json.loads(raw)
            if values.pop("format", None) != FORMAT:
                raise SnapshotUnreadable(
                    f"{MANIFEST} is not of format {FORMAT}: it is no snapshot's, or another version of Parley wrote it."
                )
            told = values.pop("sha256")
            manifest = cls(**values)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            names = ", ".join(field.name for field in fields(cls))
            raise SnapshotUnreadable(f"{MANIFEST} cannot be read ({error}); it needs {names}.") from error
        if told != manifest.sha256:
            raise SnapshotChanged(f"{MANIFEST} has been edited since the snapshot was taken: its hash is not {told}.")
        return manifest

    def rows(self, table: str, split: Split | None = None) -> int:
        """How many rows a table has, in one split or in both."""
        wanted = self.counts.get(table, {})
        return sum(sum(sources.values()) for name, sources in wanted.items() if split in (None, name))


def _canonical(values: dict[str, Any]) -> bytes:
    return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
