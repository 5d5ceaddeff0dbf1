"""Being the one who works on a retrain: the lease is renewed by a thread of its own, and it knows why the work has to end.

Decided here: who cannot renew the lease as long as it lasts has lost it, whatever the database says later; and of several reasons to end
the first one counts.
"""

import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from secrets import token_hex
from typing import Any, Self
from uuid import UUID

import psutil
import structlog

from db.engine import DatabaseBusy, DatabaseUnreachable, SessionFactory
from db.models import Json
from db.repositories import retrains
from db.repositories.training_runs import LeaseLost
from db.vocabulary import RetrainStep, StepState

AWAY = (DatabaseUnreachable, DatabaseBusy)
_BEATS = 12
"""In one lease."""
_TOLD_S = 1.0
_Told = tuple[RetrainStep, StepState, float, Json | None]
_log = structlog.get_logger(__name__)


class Ending(StrEnum):
    """Why work on a retrain has to end before it is done."""

    CANCELLED = "cancelled"
    LOST = "lost"
    """Somebody else has it, or may have it by now."""
    SHUTDOWN = "shutdown"
    """This worker is told to stop; another one goes on."""
    QUIET = "quiet"
    """Quiet hours have begun."""
    BUDGET = "budget"
    """Its time is used up."""


class Stopped(Exception):
    """Work was ended for a reason."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(str(ending))
        self.ending = ending


def owner() -> str:
    """This process, as it stands in a row: ``host:pid:``, the space that its pid is of, and a word that no other process has."""
    return f"{socket.gethostname()}:{os.getpid()}:{_SPACE}:{_WORD}"


def is_gone(other: str | None) -> bool:
    """Whether the owner is known to be dead: a process of this machine that is no more. False where nobody can tell from here."""
    if other is None or other.count(":") != 3:
        return False
    host, pid, space, word = other.split(":")
    if (host, space) != (socket.gethostname(), _SPACE) or not pid.isdigit():
        return False
    return not _lives(int(pid)) or (int(pid) == os.getpid() and word != _WORD)


def _lives(pid: int) -> bool:
    """A dead process whose parent has not asked after it (in a container often nobody does) has a pid still."""
    try:
        return psutil.Process(pid).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return False


def _pid_space() -> str:
    """Containers that share a host's name do not share its pids."""
    try:
        return os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        return ""


_SPACE, _WORD = _pid_space(), token_hex(4)


class Lease:
    """Of one retrain, claimed before. Use it in a ``with`` statement: it is renewed within."""

    def __init__(
        self,
        sessions: SessionFactory,
        retrain_id: UUID,
        token: int,
        *,
        lasting: timedelta,
        ends: Callable[[], Ending | None] = lambda: None,
    ) -> None:
        """``ends`` is asked at each look whether the work has to end for a reason of the caller's."""
        self.retrain_id, self.token, self.lasting = retrain_id, token, lasting
        self._sessions, self._ends = sessions, ends
        self._ending: Ending | None = None
        self._renewed = time.monotonic()
        self._told: dict[RetrainStep, tuple[float, Any]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, name=f"lease-{retrain_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def ending(self) -> Ending | None:
        """Why the work has to end; None while it may go on."""
        if self._ending is None:
            late = time.monotonic() - self._renewed > self.lasting.total_seconds()
            self._ending = Ending.LOST if late else self._ends()
        return self._ending

    def go_on(self) -> None:
        """Raises Stopped where the work has to end."""
        if (ending := self.ending) is not None:
            raise Stopped(ending)

    def pause(self, seconds: float) -> None:
        """Wait, no longer than the work may go on. Raises Stopped."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.go_on()
            time.sleep(min(0.2, left))

    def write(self, **known: Any) -> None:
        """Write what is known by now, and renew the lease with it; as long as the lease lasts a database that is away is waited for.

        Raises Stopped where the lease is lost.
        """
        self._insist(known, None)

    def tell(self, step: RetrainStep, state: StepState, progress: float = 0.0, figures: Json | None = None) -> None:
        """Write how far a step has come; what is only progress at most once a second, and not at all while the database is away."""
        last, said = self._told.get(step, (0.0, None))
        if state is StepState.RUNNING and figures is not None:
            if said == (progress, figures) or time.monotonic() - last < _TOLD_S:
                return
            self._told[step] = time.monotonic(), (progress, figures)
            try:
                self._write({"step": step}, (step, state, progress, figures))
            except AWAY as error:
                _log.warning("retrain.database_away", retrain=str(self.retrain_id), error=str(error))
            return
        self._insist({"step": step}, (step, state, progress, figures))

    def _insist(self, known: dict[str, Any], told: _Told | None) -> None:
        while True:
            try:
                self._write(known, told)
                return
            except AWAY as error:
                _log.warning("retrain.database_away", retrain=str(self.retrain_id), error=str(error))
                if self.ending is Ending.LOST:
                    raise Stopped(Ending.LOST) from error
                time.sleep(_TOLD_S)

    def _write(self, known: dict[str, Any], told: _Told | None) -> None:
        asked_at = time.monotonic()
        try:
            with self._sessions.begin() as session:
                cancelled = retrains.beat(session, self.retrain_id, self.token, lasting=self.lasting, **known)
                if told is not None:
                    step, state, progress, figures = told
                    retrains.write_step(session, self.retrain_id, step, state, progress=progress, figures=figures)
        except LeaseLost as error:
            self._ending = Ending.LOST
            raise Stopped(Ending.LOST) from error
        self._renewed = asked_at
        if cancelled and self._ending is None:
            self._ending = Ending.CANCELLED

    def _beat_on(self) -> None:
        while not self._over.wait(self.lasting.total_seconds() / _BEATS):
            try:
                self._write({}, None)
            except Stopped:
                _log.warning("retrain.lease_lost", retrain=str(self.retrain_id), token=self.token)
                return
            except AWAY as error:
                _log.warning("retrain.database_away", retrain=str(self.retrain_id), error=str(error))
