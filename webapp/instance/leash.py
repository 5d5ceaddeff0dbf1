"""Becomes a supervised process: ``python -m webapp.instance.leash NAME RUN LOG SIGNAL -- COMMAND…``.

Decides what every child has in common: it dies with its supervisor, it writes to a log of its own, what an earlier life of it left behind
is ended first, and one that keeps dying waits longer and longer before it tries again.
"""

import ctypes
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_QUICK_S = 5.0
"""A life shorter than this counts as a failed start."""
_LONGEST_WAIT_S = 30.0
_LOG_BYTES = 20 * 2**20


def backoff_s(failures: int) -> float:
    """Seconds to wait after so many starts in a row that failed: 0, 0.5, 1, 2, … up to 30."""
    return 0.0 if failures == 0 else min(0.5 * 2.0 ** (failures - 1), _LONGEST_WAIT_S)


def failures_in_a_row(earlier: Mapping[str, float] | None, now: float) -> int:
    """How many starts have failed until now; ``earlier`` is what the last start noted (clock time and its own count)."""
    if earlier is None or now - earlier["started"] > _QUICK_S:
        return 0
    return int(earlier["failures"]) + 1


def die_with_parent(order: signal.Signals) -> None:
    """Ask the kernel to send ``order`` to this process when its parent ends, however that ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, int(order)) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".old.log"))


def _earlier(note: Path) -> Mapping[str, float] | None:
    try:
        return json.loads(note.read_text())
    except (FileNotFoundError, ValueError):
        # Half a file after a crash says as little as none.
        return None


def main() -> None:
    """Prepare this process, then become the command."""
    name, run, log_folder, order = sys.argv[1:5]
    command = sys.argv[sys.argv.index("--") + 1 :]
    supervisor = os.getppid()
    die_with_parent(signal.Signals[order])
    if os.getppid() != supervisor:
        sys.exit("the supervisor is gone")
    log = Path(log_folder) / f"{name}.log"
    _rotate(log)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    note = Path(run) / f"{name}.start"
    earlier = _earlier(note)
    if earlier is not None:
        from webapp.instance import orphans

        orphans.end(os.environ["PARLEY_INSTANCE"], name)
    failures = failures_in_a_row(earlier, time.time())
    wait = backoff_s(failures)
    note.write_text(json.dumps({"started": time.time() + wait, "failures": failures}))
    if wait:
        print(f"[{name}] ended too soon, starting again in {wait:.1f} s", flush=True)
        time.sleep(wait)
    os.execvpe(command[0], command, os.environ)


if __name__ == "__main__":
    main()
