"""Starts the supervisor and follows it until everything has answered once: what a person sees of a start."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, cast

from rich.console import Console
from rich.panel import Panel

from db.engine import create_engine_from, session_factory
from db.errors import ParleyError
from webapp.instance.plan import ROOT
from webapp.instance.record import Home
from webapp.instance.supervisor import ALREADY_RUNS

STOP_TIMEOUT_S = 60.0
_WORDS = {
    "environment": "Look at what is here",
    "database": "Start the database",
    "schema": "Bring the database up to date",
    "demo tickets": "Add the demo tickets",
    "web": "Start the web app",
    "model": "Load the model",
}


class NotStarted(ParleyError):
    """The instance could not be started, with the reason."""


class RunsAlready(ParleyError):
    """Another supervisor was faster."""


def launch(*, with_parent: bool, arguments: list[str] | None = None) -> subprocess.Popen[str]:
    """The supervisor in a session of its own, so that Ctrl-C reaches us alone and the stop is ours to order."""
    command = [sys.executable, "-m", "webapp.instance.supervisor", *(arguments or []), *(["--with-parent"] if with_parent else [])]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True)


def end(supervisor: subprocess.Popen[str]) -> None:
    """Stop the instance that ``launch`` started, and wait until it is gone."""
    supervisor.terminate()
    try:
        supervisor.wait(timeout=STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        supervisor.kill()
        supervisor.wait()


def _events(supervisor: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert supervisor.stdout is not None
    for line in supervisor.stdout:
        yield cast("dict[str, Any]", json.loads(line))


def follow(supervisor: subprocess.Popen[str], home: Home, out: Console, *, admin: bool = True) -> None:
    """Follow the start to its end, and create the first login as soon as there is a database to keep it."""
    begun = time.monotonic()
    with out.status("Starting …") as spinner:
        for event in _events(supervisor):
            match event["event"]:
                case "step" if event["state"] == "running":
                    spinner.update(f"{_WORDS[event['name']]} …")
                case "step":
                    detail = f" [dim]{event['detail']}[/]" if event.get("detail") else ""
                    out.print(f"[green]✓[/] {_WORDS[event['name']]} [dim]({event['seconds']} s)[/]{detail}")
                    if event["name"] == "web":
                        after = f"[dim]after {time.monotonic() - begun:.0f} s; the model is loading[/]"
                        out.print(f"\n  Parley is at [bold]{event['detail']}[/]  {after}\n")
                case "database" if admin:
                    _tell_first_login(event["database_url"], out)
                case "failed":
                    supervisor.wait()
                    raise NotStarted(event["message"])
                case "ready":
                    return
                case _:
                    continue
    code = supervisor.wait()
    if code == ALREADY_RUNS:
        raise RunsAlready(f"An instance was started on {home.path} at the same moment; see `parley status`.")
    raise NotStarted(f"The start was cut off ({code}); {home.logs / 'supervisor.log'} says why.")


def _tell_first_login(database_url: str, out: Console) -> None:
    """Print the first login, then commit it: one that nobody has read must not exist."""
    from webapp.auth.people import ensure_first_admin

    engine = create_engine_from(database_url, pooled=False)
    try:
        with session_factory(engine).begin() as session:
            credentials = ensure_first_admin(session)
            if credentials is not None:
                text = f"e-mail    [b]{credentials.email}[/]\npassword  [b]{credentials.password}[/]"
                out.print(Panel(text, title="Your first login, shown this once", expand=False, padding=(1, 3)))
    finally:
        engine.dispose()
