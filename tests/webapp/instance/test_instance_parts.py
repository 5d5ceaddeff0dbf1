"""The small decisions of an instance: who holds the folder, which ports, how long to wait before another try, whose processes are whose."""

import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from db.embedded import free_port
from webapp.instance import broker, orphans
from webapp.instance.leash import backoff_s, failures_in_a_row
from webapp.instance.plan import ROOT, PortInUse, is_free, make_plan
from webapp.instance.record import Home, HomeUnusable, Record
from webapp.instance.settings import InstanceSettings


def _record(home: Home, **ports: int) -> Record:
    return Record(
        pid=os.getpid(), web_url=None, database_url="postgresql://", broker_url="", model_url="", ports=ports, pids={}, ready=False
    )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    return made


def test_that_one_process_at_a_time_holds_a_folder(home: Home) -> None:
    assert not home.is_running()
    lock = home.take()
    assert lock is not None
    assert home.is_running()
    assert home.take() is None
    os.close(lock)
    assert not home.is_running()


def test_that_the_lock_goes_with_a_killed_holder(home: Home) -> None:
    hold = "import sys,time;from pathlib import Path;from webapp.instance.record import Home;"
    hold += "lock=Home(Path(sys.argv[1])).take();print(lock,flush=True);time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", hold, str(home.path)], stdout=subprocess.PIPE, cwd=ROOT) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert home.is_running()
        holder.kill()
        holder.wait()
    assert not home.is_running()


def test_that_the_record_is_private_and_reads_as_it_was_written(home: Home) -> None:
    assert home.read() is None
    home.write(_record(home, postgres=5432))
    assert home.read() == _record(home, postgres=5432)
    assert stat.S_IMODE((home.path / "instance.json").stat().st_mode) == 0o600
    assert "postgresql" not in repr(home.read())


def test_that_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeUnusable, match="PARLEY_HOME"):
        Home(tmp_path / "file" / "home").prepare()


def _settings(**values: object) -> InstanceSettings:
    named = {"database_url": "postgresql://u:p@127.0.0.1/x", "broker_url": "redis://127.0.0.1/0", "model_url": "http://127.0.0.1:1/v1"}
    return InstanceSettings.model_validate(named | values)


def test_that_a_named_service_is_used_and_none_of_ours_is_started(home: Home) -> None:
    plan = make_plan(_settings(), home, last=None)
    assert [child.name for child in plan.children] == ["web", "follow-up", "worker", "beat"]
    assert plan.environment["PARLEY_DATABASE_URL"] == "postgresql://u:p@127.0.0.1/x"
    assert plan.environment["PARLEY_BROKER_URL"] == "redis://127.0.0.1/0"
    assert plan.environment["PARLEY_MODEL_URL"] == "http://127.0.0.1:1/v1"


def test_that_nothing_retrains_where_jobs_are_off_or_only_a_command_needs_services(home: Home) -> None:
    assert [child.name for child in make_plan(_settings(jobs="off"), home, last=None).children] == ["web", "follow-up"]
    assert make_plan(_settings(), home, last=None, web=False).children == ()


def test_that_a_port_in_use_is_named_with_who_has_it_and_what_to_change(home: Home) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(PortInUse, match=f"Port {port} is in use by .*pid {os.getpid()}.*PARLEY_WEB_PORT"):
            make_plan(_settings(web_port=port), home, last=None)
        # A port that nobody asked for is only avoided.
        assert make_plan(_settings(broker_url=None), home, last=_record(home, web=port)).ports["web"] != port


def test_that_the_ports_of_the_last_start_are_kept_where_they_are_free(home: Home) -> None:
    port = free_port()
    plan = make_plan(_settings(database_url=None), home, last=_record(home, postgres=port))
    assert plan.ports["postgres"] == port
    assert f":{port}/parley" in plan.database_url


def test_that_passwords_do_not_show_in_a_plan(home: Home) -> None:
    assert "u:p@" not in repr(make_plan(_settings(), home, last=None))


def test_that_tries_are_further_and_further_apart() -> None:
    assert [backoff_s(failures) for failures in range(9)] == [0, 0.5, 1, 2, 4, 8, 16, 30, 30]


def test_that_only_a_short_life_counts_as_a_failure() -> None:
    assert failures_in_a_row(None, 100.0) == 0
    assert failures_in_a_row({"started": 99.0, "failures": 2}, 100.0) == 3
    assert failures_in_a_row({"started": 90.0, "failures": 2}, 100.0) == 0


def test_that_a_long_path_gives_the_broker_a_short_socket(tmp_path: Path) -> None:
    assert broker.socket_path(Path("/tmp/x")) == Path("/tmp/x/redis.sock")
    long = broker.socket_path(tmp_path / ("x" * 120))
    assert len(str(long).encode()) <= 107
    long.parent.rmdir()


def test_that_orphans_are_known_by_their_folder_and_name_and_ended() -> None:
    def sleeper(folder: str, child: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {"PARLEY_INSTANCE": folder, "PARLEY_CHILD": child}
        return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], env=environment)

    web, model, foreign = sleeper("/ours", "web"), sleeper("/ours", "model"), sleeper("/theirs", "web")
    try:
        while len(orphans.find("/ours")) < 2:
            time.sleep(0.01)
        assert orphans.end("/ours", "web") == 1
        assert not psutil.pid_exists(web.pid)
        assert model.poll() is None
        assert orphans.end("/ours") == 1
        assert orphans.end("/ours") == 0
        assert foreign.poll() is None
    finally:
        for process in (web, model, foreign):
            process.kill()
            process.wait()


def test_that_a_child_on_the_leash_dies_with_its_supervisor(home: Home) -> None:
    # A supervisor that starts a sleeper on the leash, tells its pid and waits to be killed.
    supervise = (
        "import subprocess,sys,time;"
        "child=subprocess.Popen([sys.executable,'-m','webapp.instance.leash','sleeper',sys.argv[1],sys.argv[1],'SIGTERM','--',"
        "sys.executable,'-c','import time; print(1, flush=True); time.sleep(60)']);"
        "print(child.pid,flush=True);time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", supervise, str(home.run)], stdout=subprocess.PIPE, cwd=ROOT) as supervisor:
        assert supervisor.stdout is not None
        child = psutil.Process(int(supervisor.stdout.readline()))
        log = home.run / "sleeper.log"
        while not log.exists() or log.read_text() != "1\n":
            time.sleep(0.01)
        supervisor.kill()
        child.wait(timeout=10)
