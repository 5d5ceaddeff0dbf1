"""Finds and ends processes of an instance whose supervisor is gone.

Every supervised process and its children carry the instance's data folder in ``PARLEY_INSTANCE`` and their name in ``PARLEY_CHILD``. The
database is left out: it is ended by its own means, so that it never has to recover where it need not.
"""

import psutil

_GRACE_S = 10.0


def find(marker: str, child: str | None = None) -> list[psutil.Process]:
    """Living processes of the instance, of one child's name if given; never this process itself or a database process."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            belongs = environment.get("PARLEY_INSTANCE") == marker and (child is None or environment.get("PARLEY_CHILD") == child)
            if belongs and process.pid != psutil.Process().pid and process.name() != "postgres":
                found.append(process)
        except psutil.Error:
            # Gone meanwhile, or somebody else's.
            continue
    return found


def end(marker: str, child: str | None = None) -> int:
    """End them, first politely; returns how many there were."""
    left = find(marker, child)
    count = len(left)
    for process in left:
        _signal(process, kill=False)
    _, left = psutil.wait_procs(left, timeout=_GRACE_S)
    for process in left:
        _signal(process, kill=True)
    psutil.wait_procs(left, timeout=_GRACE_S)
    return count


def _signal(process: psutil.Process, *, kill: bool) -> None:
    try:
        process.kill() if kill else process.terminate()
    except psutil.NoSuchProcess:
        return
