"""What a person types: ``parley up``, ``parley status``, ``parley down``, and the services that other commands need while they run.

The work is done by ``webapp.instance.supervisor`` in a process of its own; here is what people see of it.
"""

import os
import signal
import time

from rich.console import Console
from rich.table import Table

from db.errors import ParleyError
from webapp.instance.health import NAMES, WELL, age, health
from webapp.instance.record import Home
from webapp.instance.services import connected, connected_database
from webapp.instance.settings import InstanceSettings
from webapp.instance.start import STOP_TIMEOUT_S, NotStarted, end, follow, launch

__all__ = ["connected", "connected_database", "down", "status", "up"]


class NotStopped(ParleyError):
    """The instance did not stop in time."""


def _say_where_it_runs(home: Home, out: Console) -> bool:
    if not home.is_running():
        return False
    record = home.read()
    where = f"at [bold]{record.web_url}[/] (pid {record.pid})" if record is not None and record.web_url else "for another command"
    out.print(f"Parley already runs {where}, on {home.path}. [b]parley down[/] stops it.")
    return True


def interrupt_on_signals() -> None:
    """Have SIGTERM stop a command as Ctrl-C does, and SIGINT where a shell started us in the background with it ignored."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for order in (signal.SIGINT, signal.SIGTERM):
        signal.signal(order, interrupt)


def up(*, port: int | None = None, detach: bool = False, console: Console | None = None) -> None:
    """Start everything, show each step, print the address; stays until Ctrl-C unless ``detach``.

    Raises:
        NotStarted: with the reason and the mend.
    """
    out = console or Console(highlight=False)
    if port is not None:
        os.environ["PARLEY_WEB_PORT"] = str(port)
    home = Home(InstanceSettings().home)
    if _say_where_it_runs(home, out):
        return
    supervisor = launch(with_parent=not detach)
    interrupt_on_signals()
    try:
        follow(supervisor, home, out)
        if detach:
            out.print("It goes on in the background: [b]parley status[/] looks at it, [b]parley down[/] stops it.")
            return
        out.print("Ctrl-C stops it.")
        code = supervisor.wait()
        raise NotStarted(f"The instance ended by itself ({code}); {home.logs / 'supervisor.log'} says why.")
    except KeyboardInterrupt:
        out.print("\nStopping …")
        end(supervisor)
        out.print("Stopped; nothing is left running.")
    except BaseException:
        end(supervisor)
        raise


def status(*, console: Console | None = None) -> int:
    """Show what runs, where, and how it is; returns 0 if all is well, 1 if something is not, 3 if nothing runs."""
    out = console or Console(highlight=False)
    home = Home(InstanceSettings().home)
    record = home.read()
    if not home.is_running() or record is None:
        out.print(f"No instance runs on {home.path}. Start it with [b]parley up[/].")
        return 3
    table = Table(title=f"Parley on {home.path}", title_justify="left")
    for column in ("process", "pid", "for", "state", "where"):
        table.add_column(column)
    well = True
    for name in NAMES:
        state, where = health(name, record)
        if state is None:
            continue
        well = well and state == WELL
        pid = record.pids.get(name)
        colour = "green" if state == WELL else "yellow"
        table.add_row(name, str(pid or "–"), age(pid), f"[{colour}]{state}[/]", where)
    out.print(table)
    out.print(f"Logs: {home.logs}")
    if record.web_url:
        out.print(f"Address: [b]{record.web_url}[/]")
    return 0 if well else 1


def down(*, console: Console | None = None) -> int:
    """Stop the instance that runs; returns 0 also where none runs.

    Raises:
        NotStopped: if it is still there after a minute.
    """
    out = console or Console(highlight=False)
    home = Home(InstanceSettings().home)
    record = home.read()
    if not home.is_running() or record is None:
        out.print(f"No instance runs on {home.path}.")
        return 0
    try:
        os.kill(record.pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
    except PermissionError as error:
        raise NotStopped(f"The instance (pid {record.pid}) belongs to another user; stop it as that user.") from error
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while home.is_running():
        if time.monotonic() > deadline:
            raise NotStopped(
                f"The instance (pid {record.pid}) is still there after {STOP_TIMEOUT_S:.0f} s; see {home.logs}/supervisor.log."
            )
        time.sleep(0.1)
    out.print("Stopped; nothing is left running.")
    return 0
