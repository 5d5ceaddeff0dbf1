"""The process that owns an instance: ``python -m webapp.instance.supervisor``.

It holds the data folder's lock, brings the database up to date, keeps every child of the plan alive (by circus) and stops them all when it
ends. What happens is told as one JSON object a line on standard output, for ``webapp.instance.commands`` to show; its own log is
``supervisor.log``.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import httpx
from circus.arbiter import Arbiter
from circus.exc import ConflictError
from circus.watcher import Watcher
from sqlalchemy import select
from tornado.ioloop import IOLoop

from agent.serving.swap import ModelServer, ModelServerUnavailable
from db.embedded import namespaces_allowed
from db.engine import create_engine_from, session_factory
from db.errors import ParleyError
from db.migrate import upgrade
from db.models import Ticket
from webapp.instance import leash, orphans
from webapp.instance.plan import ROOT, Child, Plan, make_plan
from webapp.instance.record import Home
from webapp.instance.settings import InstanceSettings

ALREADY_RUNS = 3
_LOOK_EVERY_S = 0.5
_WEB_TIMEOUT_S = 90.0
_MODEL_TIMEOUT_S = 600.0

_log = logging.getLogger("parley.supervisor")


class StepFailed(ParleyError):
    """A step of the start did not come to its end."""


class Supervisor:
    """Runs one plan until it is told to stop."""

    def __init__(self, plan: Plan, *, demo: bool) -> None:
        """``demo``: add the demo tickets."""
        self._plan = plan
        self._demo = demo and plan.web_url is not None
        self._ready = False
        self._stopping = threading.Event()
        self._pids: dict[str, int] = {}
        self.exit_code = 0
        self._loop = IOLoop.current()
        self._watchers = {child.name: _watcher(child, plan) for child in plan.children}
        # Within this process only: nobody else may tell circus what to run.
        self._arbiter = Arbiter(
            list(self._watchers.values()), "inproc://control", "inproc://events", check_delay=_LOOK_EVERY_S, proc_name="parley"
        )

    def run(self) -> int:
        """Keep the instance up until a signal; returns the exit code."""
        for order in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(order, lambda *_: self._loop.add_callback_from_signal(self._stop))
        self._loop.call_later(_LOOK_EVERY_S, self._look)
        threading.Thread(target=self._bring_up, name="bring-up", daemon=True).start()
        self._arbiter.start()
        return self.exit_code

    async def _stop(self) -> None:
        self._stopping.set()
        # No more looks at the children: one at the same time would be refused, and log that it was.
        cast("Any", self._arbiter.ctrl).caller.stop()
        while True:
            try:
                await self._arbiter.stop()
            except ConflictError:
                # circus is in the middle of a look at its children.
                await asyncio.sleep(0.02)
            else:
                return

    def _look(self) -> None:
        """Write down who runs, where that has changed."""
        pids = {name: next(iter(watcher.processes)) for name, watcher in self._watchers.items() if watcher.processes}
        if pids != self._pids:
            self._pids = pids
            self._write()
        self._loop.call_later(_LOOK_EVERY_S, self._look)

    def _write(self) -> None:
        self._plan.home.write(self._plan.record(pids=self._pids, ready=self._ready))

    def _bring_up(self) -> None:
        """The start, step by step; a failure ends the instance with a sentence."""
        try:
            self._prepare_database()
            if self._plan.web_url is not None:
                # The web app loads while the demo tickets are added.
                self._start_those("schema")
                if self._demo:
                    self._add_demo_tickets()
                self._wait_for_web()
            if "model" in self._watchers:
                self._wait_for_model()
            self._start_those("ready")
        except ParleyError as error:
            self._fail(str(error))
        except Exception:
            _log.exception("the start failed")
            self._fail(f"The start failed for a reason that was not foreseen; {self._plan.home.logs / 'supervisor.log'} has it.")
        else:
            self._ready = True
            self._loop.add_callback(self._say_ready)

    def _say_ready(self) -> None:
        # Written first: whoever is told reads the record at once.
        self._write()
        tell(event="ready", web_url=self._plan.web_url)

    def _fail(self, message: str) -> None:
        if self._stopping.is_set():
            return
        tell(event="failed", message=message)
        self.exit_code = 1
        self._loop.add_callback(self._stop)

    def _prepare_database(self) -> None:
        with step("database") as said:
            if self._plan.postgres is not None:
                self._plan.postgres.wait()
                self._plan.postgres.create_database("parley")
                said["detail"] = f"PostgreSQL on 127.0.0.1:{self._plan.ports['postgres']}"
            else:
                said["detail"] = "as PARLEY_DATABASE_URL says"
        with step("schema"):
            upgrade(self._plan.database_url)
        tell(event="database", database_url=self._plan.database_url)

    def _add_demo_tickets(self) -> None:
        with step("demo tickets") as said:
            engine = create_engine_from(self._plan.database_url, pooled=False)
            try:
                with session_factory(engine).begin() as session:
                    if session.scalar(select(Ticket.id).limit(1)) is not None:
                        said["detail"] = "not needed"
                        return
                    # Only here, because its imports take seconds that a second start should not wait for.
                    from agent.service.demo import seed_demo

                    said["detail"] = f"{seed_demo(session, today=datetime.now(UTC).date())} added"
            finally:
                engine.dispose()

    def _start_those(self, after: str) -> None:
        for child in self._plan.children:
            if child.after == after:
                self._loop.add_callback(self._start, child.name)

    async def _start(self, name: str) -> None:
        while not self._stopping.is_set():
            try:
                await self._watchers[name].start()
            except ConflictError:
                await asyncio.sleep(0.02)
            else:
                return

    def _wait_for_web(self) -> None:
        with step("web") as said:
            assert self._plan.web_url is not None
            said["detail"] = self._plan.web_url
            deadline = time.monotonic() + _WEB_TIMEOUT_S
            while not _answers(f"http://127.0.0.1:{self._plan.ports['web']}/_stcore/health"):
                if time.monotonic() > deadline:
                    log = self._plan.home.logs / "web.log"
                    raise StepFailed(f"The web app did not answer within {_WEB_TIMEOUT_S:.0f} s; {log} says why.")
                if self._stopping.wait(0.1):
                    raise StepFailed("stopped")

    def _wait_for_model(self) -> None:
        with step("model") as said:
            server = ModelServer(self._plan.model_url)
            try:
                server.wait_ready(_MODEL_TIMEOUT_S, alive=lambda: not self._stopping.is_set())
            except ModelServerUnavailable as error:
                raise StepFailed(f"{error} {self._plan.home.logs / 'model.log'} says why.") from error
            finally:
                server.close()
            said["detail"] = self._plan.model_url


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=2, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _watcher(child: Child, plan: Plan) -> Watcher:
    """circus's own description of a child."""
    return Watcher(
        child.name,
        sys.executable,
        args=["-m", "webapp.instance.leash", child.name, str(plan.home.run), str(plan.home.logs), child.stop_signal, "--", *child.command],
        working_dir=str(ROOT),
        env={**plan.environment, "PARLEY_CHILD": child.name},
        stop_signal=signal.Signals[child.stop_signal],
        graceful_timeout=child.grace_s,
        autostart=child.after is None,
        singleton=True,
        max_retry=-1,
    )


def tell(**event: object) -> None:
    """One line for whoever started us; nobody may be listening any more."""
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(event), flush=True)


@contextmanager
def step(name: str) -> Generator[dict[str, str]]:
    """Tell the beginning and the end of a step; the block may add a ``detail``."""
    tell(event="step", name=name, state="running")
    start = time.monotonic()
    said: dict[str, str] = {}
    yield said
    tell(event="step", name=name, state="done", seconds=round(time.monotonic() - start, 1), **said)


def main() -> None:
    """Own the instance of ``PARLEY_HOME`` until told to stop."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--no-web", action="store_true", help="only what a command needs: database, broker and model")
    parser.add_argument("--no-model", action="store_true", help="no model either")
    parser.add_argument("--with-parent", action="store_true", help="end when the process that started us ends")
    arguments = parser.parse_args()
    if arguments.with_parent:
        leash.die_with_parent(signal.SIGTERM)
    settings = InstanceSettings()
    home = Home(settings.home)
    try:
        home.prepare()
        lock = home.take()
        if lock is None:
            sys.exit(ALREADY_RUNS)
        _log_to(home)
        with step("environment"):
            ended = orphans.end(home.marker)
            if ended:
                _log.warning("ended %d processes of an earlier instance", ended)
            for note in home.run.glob("*.start"):
                note.unlink()
            # Asked now, because later circus collects every child that ends, also those of others.
            namespaces_allowed()
            plan = make_plan(settings, home, last=home.read(), web=not arguments.no_web, model=not arguments.no_model)
            if plan.postgres is not None:
                plan.postgres.stop()
        supervisor = Supervisor(plan, demo=settings.demo)
    except ParleyError as error:
        tell(event="failed", message=str(error))
        sys.exit(1)
    code = supervisor.run()
    left = orphans.end(home.marker)
    if left:
        _log.warning("%d processes did not end by themselves", left)
    os.close(lock)
    sys.exit(code)


def _log_to(home: Home) -> None:
    """Our own log and circus's, and whatever a library prints to standard error."""
    path = home.logs / "supervisor.log"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 2)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s", stream=sys.stderr, force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)


if __name__ == "__main__":
    main()
