"""The embedded PostgreSQL starts from nothing, keeps what it acknowledged, and says what is wrong."""

import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

import db.embedded
from db.embedded import EmbeddedPostgres, EmbeddedPostgresError, embedded_postgres, free_port


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that nobody may enter too, under a short path."""
    with tempfile.TemporaryDirectory(prefix="parley-pg-") as made:
        Path(made).chmod(0o755)
        yield Path(made) / "postgres"


def test_that_a_cluster_is_made_once_and_found_again(folder: Path) -> None:
    with embedded_postgres(folder) as first:
        url = first.create_database("parley")
        second = EmbeddedPostgres(folder)
        second.start()
        assert second.port == first.port
        assert second.create_database("parley") == url
    assert first.postmaster() is None


def test_that_it_demands_the_password_and_listens_on_loopback_only(folder: Path) -> None:
    with embedded_postgres(folder) as server:
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://parley:wrong@127.0.0.1:{server.port}/postgres")
        postmaster = server.postmaster()
        assert postmaster is not None
        listening = [c.laddr for c in postmaster.net_connections() if c.status == psutil.CONN_LISTEN]
        assert {address.ip for address in listening} == {"127.0.0.1"}
    assert stat.S_IMODE((folder / "password").stat().st_mode) == 0o600


def test_that_what_was_committed_survives_kill_9(folder: Path) -> None:
    with embedded_postgres(folder) as server:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("CREATE TABLE said (word text)")
            connection.execute("INSERT INTO said VALUES ('yes')")
        postmaster = server.postmaster()
        assert postmaster is not None
        postmaster.kill()
        server.start()
        with psycopg.connect(server.url()) as connection:
            assert connection.execute("SELECT word FROM said").fetchall() == [("yes",)]


def test_that_a_stale_pid_file_of_a_stranger_does_not_lock_it_out(folder: Path) -> None:
    with embedded_postgres(folder) as server:
        port = server.port
    # A pid that lives and is not a PostgreSQL: what a rebooted container leaves.
    (folder / "data" / "postmaster.pid").write_text(f"{psutil.Process().pid}\n{folder / 'data'}\n1\n{port}\n\n127.0.0.1\n")
    with embedded_postgres(folder) as server, psycopg.connect(server.url()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_that_a_taken_port_is_named(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = EmbeddedPostgres(folder, port=port)
        with pytest.raises(EmbeddedPostgresError, match=f"Port {port} is in use"):
            server.start()


def test_that_a_lost_password_says_what_to_do(folder: Path) -> None:
    with embedded_postgres(folder):
        pass
    (folder / "password").unlink()
    with pytest.raises(EmbeddedPostgresError, match="restore it"):
        EmbeddedPostgres(folder).start()


def test_that_an_interrupted_initdb_leaves_no_half_cluster(folder: Path) -> None:
    (folder / "data.new").mkdir(parents=True)
    (folder / "data.new" / "base").mkdir()
    with embedded_postgres(folder) as server:
        assert server.postmaster() is not None


@pytest.mark.skipif(db.embedded.os.geteuid() != 0, reason="only root has to give its identity up")
def test_that_root_runs_it_as_nobody_where_namespaces_are_forbidden(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db.embedded, "namespaces_allowed", lambda: False)
    with embedded_postgres(folder) as server:
        postmaster = server.postmaster()
        assert postmaster is not None
        assert postmaster.uids().real == 65534


@pytest.mark.skipif(db.embedded.os.geteuid() != 0, reason="only root has to give its identity up")
def test_that_a_folder_closed_to_nobody_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db.embedded, "namespaces_allowed", lambda: False)
    folder.mkdir(mode=0o700)
    with pytest.raises(EmbeddedPostgresError, match=str(folder)):
        EmbeddedPostgres(folder).start()


def test_that_the_program_becomes_the_server_and_stops_on_a_signal(folder: Path) -> None:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "db.embedded", str(folder), "--port", str(port)], stderr=subprocess.DEVNULL)
    server = EmbeddedPostgres(folder, port=port)
    deadline = time.monotonic() + 30
    while server.postmaster() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    server.wait()
    postmaster = server.postmaster()
    assert postmaster is not None
    assert postmaster.pid == process.pid
    process.terminate()
    assert process.wait(timeout=30) == 0
