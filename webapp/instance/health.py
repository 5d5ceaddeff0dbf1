"""How the processes of a running instance are: asked of each of them, not of the supervisor."""

import time
from collections.abc import Callable

import httpx
import psutil
import psycopg

from db.engine import psycopg_url
from webapp.instance.record import Record

NAMES = ("postgres", "redis", "model", "web", "follow-up", "worker", "beat")
WELL = "well"


def health(name: str, record: Record) -> tuple[str | None, str]:
    """State and address of one process; state None where the instance has no such process."""
    where = {
        "postgres": f"127.0.0.1:{record.ports.get('postgres')}",
        "redis": record.broker_url.removeprefix("redis+socket://"),
        "model": record.model_url,
        "web": record.web_url or "",
    }.get(name, "")
    if name not in record.pids:
        owned = name in record.ports or (name == "redis" and record.broker_url.startswith("redis+socket://"))
        return ("starting again" if owned else None), where
    answers: Callable[[], bool] = {
        "postgres": lambda: _database_answers(record.database_url),
        "redis": lambda: True,
        "model": lambda: _get(record.model_url.removesuffix("/v1") + "/health"),
        "web": lambda: _get(f"http://127.0.0.1:{record.ports['web']}/_stcore/health"),
    }.get(name, lambda: True)
    return (WELL if answers() else "does not answer yet"), where


def _get(address: str) -> bool:
    try:
        return httpx.get(address, timeout=3, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _database_answers(url: str) -> bool:
    try:
        psycopg.connect(psycopg_url(url), connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


def age(pid: int | None) -> str:
    """How long a process has lived, for people."""
    if pid is None or not psutil.pid_exists(pid):
        return "–"
    seconds = int(time.time() - psutil.Process(pid).create_time())
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"
