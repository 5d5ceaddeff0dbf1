"""``parley demo``: an instance of its own, started from nothing, on which the whole loop is run and which is left to look at.

Decided here: that it never meets anybody's data. Its folder is its own, and services that the environment names are not used.
"""

import os
import time
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import structlog
from rich.console import Console

from agent.language.client import ModelClient
from agent.service import connect
from agent.settings import AgentSettings
from db.engine import create_engine_from, session_factory
from training.demo.loop import DemoSettings, run_demo
from training.demo.terminal import Terminal, tell
from training.release.fleet import Fleet
from webapp.instance.commands import interrupt_on_signals
from webapp.instance.record import Home, Record
from webapp.instance.settings import InstanceSettings
from webapp.instance.start import NotStarted, end, follow, launch

_NAMED = (
    "PARLEY_DATABASE_URL",
    "PARLEY_BROKER_URL",
    "PARLEY_MODEL_URL",
    "PARLEY_MODEL_ADMIN_URLS",
    "PARLEY_RETRAINS_FOLDER",
    "PARLEY_JOBS",
)
_PATIENCE_S = 120.0
_CANARY_ENOUGH = "20"
"""Conversations of the canary after which it goes live: for a demo fewer than people would want."""


def demo_command(folder: Path | None, *, settings: DemoSettings, stay: bool, console: Console) -> int:
    """Run the demo, or go on with it; returns 0 where the rating has risen beyond chance.

    Raises:
        NotStarted: if the instance cannot be started.
        DemoFailed: if the loop does not come to its end.
    """
    begun = time.monotonic()
    home = Home(folder or InstanceSettings().home / "demo")
    for name in _NAMED:
        os.environ.pop(name, None)
    os.environ |= {"PARLEY_HOME": str(home.path), "PARLEY_CANARY_ENOUGH": _CANARY_ENOUGH, "PARLEY_DEMO": "false"}
    console.print(f"An instance of its own, in {home.path}. Ctrl-C ends it; the same command goes on.\n", highlight=False)
    supervisor = launch(with_parent=True)
    interrupt_on_signals()
    logs = ExitStack()
    try:
        follow(supervisor, home, console)
        record = home.read()
        assert record is not None, "what has started is written down"
        # What a person follows here is the loop; warnings of single replies stand in the log.
        structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=logs.enter_context((home.logs / "demo.log").open("a"))))
        console.print(f"\nWatch it at [b]{record.web_url}[/]: Training, Versions, A/B, Quality.\n", highlight=False)
        risen = _loop(record, settings, console, begun)
        if stay:
            console.print(f"Everything is there to look at, at [b]{record.web_url}[/]. Ctrl-C stops it.", highlight=False)
            code = supervisor.wait()
            raise NotStarted(f"The instance ended by itself ({code}); {home.logs / 'supervisor.log'} says why.")
    except KeyboardInterrupt:
        console.print(f"\nStopping … The same command goes on; PARLEY_HOME={home.path} parley up shows what is there.", highlight=False)
        return 0
    finally:
        end(supervisor)
        logs.close()
    console.print(f"PARLEY_HOME={home.path} parley up shows all of it again.", highlight=False)
    return 0 if risen else 1


def _loop(record: Record, settings: DemoSettings, console: Console, begun: float) -> bool:
    os.environ |= {"PARLEY_DATABASE_URL": record.database_url, "PARLEY_BROKER_URL": record.broker_url}
    # Imported here: the application reads the broker's address when it is made.
    from training.jobs import tasks

    def wake(retrain_id: UUID) -> None:
        tasks.wake(retrain_id)

    engine = create_engine_from(record.database_url)
    try:
        with (
            connect(record.database_url, settings=AgentSettings(model_url=record.model_url)) as negotiations,
            ModelClient(record.model_url, timeout=_PATIENCE_S) as client,
            Fleet.named(record.model_url) as fleet,
            console.status("Starting …") as status,
        ):
            came = run_demo(negotiations, session_factory(engine), client, fleet, Terminal(console, status), settings=settings, wake=wake)
    finally:
        engine.dispose()
    return tell(came, console, seconds=time.monotonic() - begun)
