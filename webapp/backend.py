"""The web process's way to the agent: the negotiations, the desk that works on them while pages come and go, and the model servers."""

from collections.abc import Callable

from agent.service import Negotiations, connect
from training.release.fleet import Fleet
from webapp import database
from webapp.desk import Desk
from webapp.shared import Shared


def _connect() -> tuple[Negotiations, Callable[[], object]]:
    connection = connect()
    return connection.__enter__(), lambda: connection.__exit__(None, None, None)


def _open_desk() -> tuple[Desk, Callable[[], object]]:
    opened = Desk(negotiations())
    return opened, opened.close


def _find_fleet() -> tuple[Fleet, Callable[[], object]]:
    found = Fleet.named()
    return found, found.close


negotiations: Shared[Negotiations] = Shared(_connect)
"""The one way in to the agent."""
desk: Shared[Desk] = Shared(_open_desk)
"""Who works on which conversation."""
fleet: Shared[Fleet] = Shared(_find_fleet)
"""The replicas of the model server, for operations."""


def shut_down() -> None:
    """Close everything that was opened, the last first."""
    for shared in (fleet, desk, negotiations, database.sessions):
        shared.close()
