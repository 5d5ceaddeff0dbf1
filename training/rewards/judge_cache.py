"""Judgements that were made before: a SQLite file that threads and processes share.

Decided here: what makes two judgements the same (model, rubric and rendered prompt, hashed) and how they are kept. Only marks are kept,
never a failure: what is missing is asked again.
"""

import json
import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Self

from agent.language.prompts import Message
from db.errors import ParleyError
from training.judging import Marks, Rubric

_BUSY_S = 30.0
"""Seconds to wait for another process that is writing."""
_AT_ONCE = 500
"""Keys of one query; SQLite takes a limited number of parameters."""
_TABLE = "CREATE TABLE IF NOT EXISTS judgement (key TEXT PRIMARY KEY, marks TEXT NOT NULL) WITHOUT ROWID"


class JudgeCacheError(ParleyError):
    """The file of judgements cannot be used; names it."""


def judgement_key(model: str, rubric: Rubric, prompt: Sequence[Message]) -> str:
    """SHA-256 in hexadecimal of everything that a judgement depends on. A rubric counts with its whole body, not its number alone."""
    parts = [model, rubric.model_dump(mode="json"), [[message["role"], message["content"]] for message in prompt]]
    return sha256(json.dumps(parts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


class JudgeCache:
    """Marks by key. Safe for threads of one process and for several processes; the folder must be on a disk whose locks work."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it with its folder. Raises JudgeCacheError."""
        self.path = path
        self._lock = Lock()
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
            try:
                # Not WAL: SQLite does not wait for others while it changes to it, so processes that open a new file together would fail.
                # And a transaction that writes from its first word waits for its turn; one that reads first is refused at once.
                self._database.execute("BEGIN IMMEDIATE")
                self._database.execute(_TABLE)
                self._database.execute("COMMIT")
            except sqlite3.Error:
                self._database.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def get(self, keys: Sequence[str]) -> dict[str, Marks]:
        """The marks that are known, by key. Raises JudgeCacheError."""
        found: dict[str, Marks] = {}
        with self._lock, self._translated():
            for start in range(0, len(keys), _AT_ONCE):
                some = keys[start : start + _AT_ONCE]
                query = f"SELECT key, marks FROM judgement WHERE key IN ({','.join('?' * len(some))})"
                found |= {key: json.loads(marks) for key, marks in self._database.execute(query, some)}
        return found

    def put(self, marks: Mapping[str, Marks]) -> None:
        """Keep marks; of two judgements with the same key the first one stays. Raises JudgeCacheError."""
        rows = [(key, json.dumps(given)) for key, given in marks.items()]
        with self._lock, self._translated():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                self._database.executemany("INSERT OR IGNORE INTO judgement VALUES (?, ?)", rows)
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    @contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, ValueError) as error:
            raise JudgeCacheError(
                f"{self.path} cannot be used as the judge's cache ({error}): delete it to judge anew, or name another file."
            ) from error
