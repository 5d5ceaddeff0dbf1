"""Decides what an instance consists of: which services are ours, on which ports, and the command line of each.

A pure description but for looking at ports; ``webapp.instance.supervisor`` carries it out.
"""

import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from agent.serving.server import check_model
from agent.serving.settings import ServingSettings
from db.embedded import EmbeddedPostgres, free_port
from db.errors import ParleyError
from webapp.instance import broker
from webapp.instance.record import Home, Record
from webapp.instance.settings import InstanceSettings

USUAL_WEB_PORT = 8501
DATABASE = "parley"
ROOT = Path(__file__).resolve().parents[2]


class PortInUse(ParleyError):
    """A port that was asked for is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One supervised process."""

    name: str
    command: tuple[str, ...]
    stop_signal: str = "SIGTERM"
    grace_s: float = 15.0
    """Seconds between the stop signal and the kill."""
    after: str | None = None
    """Waits for the ``schema`` of the database, or until the instance is ``ready``; None: starts at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All of an instance. ``postgres`` is None where the database is somebody else's."""

    home: Home
    children: tuple[Child, ...]
    environment: Mapping[str, str] = field(repr=False)
    postgres: EmbeddedPostgres | None
    database_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    model_url: str
    web_url: str | None
    ports: Mapping[str, int]

    def record(self, *, pids: Mapping[str, int], ready: bool) -> Record:
        """The plan as it is written down."""
        return Record(
            pid=os.getpid(),
            web_url=self.web_url,
            database_url=self.database_url,
            broker_url=self.broker_url,
            model_url=self.model_url,
            ports=self.ports,
            pids=pids,
            ready=ready,
        )


def make_plan(settings: InstanceSettings, home: Home, *, last: Record | None, web: bool = True, model: bool = True) -> Plan:
    """What has to run. Ports of the ``last`` instance are kept where they are free; ``web`` and ``model`` may be left out for a command.

    Raises:
        PortInUse: if a port that was asked for is taken.
        NoModel: if our model server would have nothing to serve.
    """
    kept = last.ports if last is not None else {}
    children: list[Child] = []
    ports: dict[str, int] = {}
    postgres: EmbeddedPostgres | None = None
    if settings.database_url is None:
        folder = home.path / "postgres"
        ports["postgres"] = _kept_or_free(kept.get("postgres"))
        postgres = EmbeddedPostgres(folder, port=ports["postgres"])
        postgres.prepare()
        run = (sys.executable, "-m", "db.embedded", str(folder), "--port", str(ports["postgres"]))
        children.append(Child(name="postgres", command=run, stop_signal="SIGINT", grace_s=30))
    database_url = settings.database_url or _url_of(postgres)
    broker_url = settings.broker_url
    if broker_url is None:
        folder = home.path / "redis"
        folder.mkdir(mode=0o700, exist_ok=True)
        at = broker.socket_path(folder)
        broker_url = broker.broker_url(at)
        children.append(Child(name="redis", command=tuple(broker.command(folder, at))))
    environment = _inherited() | {
        "PARLEY_HOME": str(home.path),
        "PARLEY_INSTANCE": home.marker,
        "PARLEY_DATABASE_URL": database_url,
        "PARLEY_BROKER_URL": broker_url,
    }
    model_url = settings.model_url or ""
    if model and not model_url:
        check_model(ServingSettings())
        ports["model"] = _asked(settings.model_port, "PARLEY_MODEL_PORT") or _kept_or_free(kept.get("model"))
        model_url = f"http://127.0.0.1:{ports['model']}/v1"
        environment["PARLEY_MODEL_PORT"] = str(ports["model"])
        children.append(Child(name="model", command=(sys.executable, "-m", "agent.serving.server")))
    environment["PARLEY_MODEL_URL"] = model_url
    web_url = None
    if web:
        ports["web"] = _web_port(settings)
        shown = "127.0.0.1" if settings.web_host in {"0.0.0.0", "::"} else settings.web_host
        web_url = f"http://{shown}:{ports['web']}"
        serve = (sys.executable, "-m", "webapp.server", "--port", str(ports["web"]), "--host", settings.web_host)
        children.append(Child(name="web", command=serve, after="schema"))
        children.append(Child(name="follow-up", command=(sys.executable, "-m", "parley", "follow-up"), after="ready"))
        if settings.jobs:
            work = (sys.executable, "-m", "training.jobs.worker")
            # The worker ends its step's process and gives its retrain back before it goes.
            children.append(Child(name="worker", command=work, grace_s=30, after="ready"))
            children.append(Child(name="beat", command=(*work, "--beat"), after="ready"))
    return Plan(
        home=home,
        children=tuple(children),
        environment=environment,
        postgres=postgres,
        database_url=database_url,
        broker_url=broker_url,
        model_url=model_url,
        web_url=web_url,
        ports=ports,
    )


def _url_of(postgres: EmbeddedPostgres | None) -> str:
    assert postgres is not None
    return postgres.url(DATABASE)


def _inherited() -> dict[str, str]:
    """Our own environment, without what makes Python starts slow: a child that may not write bytecode compiles vLLM at every start."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _web_port(settings: InstanceSettings) -> int:
    asked = _asked(settings.web_port, "PARLEY_WEB_PORT")
    if asked is not None:
        return asked
    return USUAL_WEB_PORT if is_free(USUAL_WEB_PORT) else free_port()


def _asked(port: int | None, variable: str) -> int | None:
    if port is not None and not is_free(port):
        raise PortInUse(f"Port {port} is in use{_by_whom(port)}: choose another one in {variable}, or stop what listens there.")
    return port


def _kept_or_free(port: int | None) -> int:
    return port if port is not None and is_free(port) else free_port()


def is_free(port: int) -> bool:
    """True where we could listen on the port on all addresses of this machine."""
    with socket.socket() as probe:
        # As the servers do: an address in TIME_WAIT is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True


def _by_whom(port: int) -> str:
    """`` by NAME (pid N)`` where the system tells us, else nothing."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return ""
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port and connection.pid:
            try:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
            except psutil.NoSuchProcess:
                return ""
    return ""
