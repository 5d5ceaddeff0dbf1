"""Supervising a run: the training process is started, listened to, stopped when asked, and written down; nothing here loads torch.

Decided here: how the process is started (a session of its own, so that a terminal's Ctrl-C reaches us alone), that a stop waits for the end
of the step and a second one does not, and that a process which ends without a word has failed.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from agent.telemetry import carried, span
from db.engine import SessionFactory
from db.vocabulary import RunState
from training.runs.environment import computing
from training.runs.events import EventReader, events_path, log_path
from training.runs.ledger import Ledger
from training.runs.plan import STARTER_JUDGE, Plan
from training.runs.report import write_report
from training.runs.status import STOP, Status, is_trained, supervised
from training.runs.tracking import Tracker

_ROOT = Path(__file__).resolve().parents[2]
_LOOK_S = 0.2
_REPORT_S = 20.0
_PATIENCE_S = 20.0
_LAST_WORDS = 600


def supervise(
    folder: Path,
    *,
    sessions: SessionFactory | None = None,
    judge_url: str | None = None,
    show: Callable[[Status], None] = lambda status: None,
    stops_asked: Callable[[], int] = lambda: 0,
    requested_by: UUID | None = None,
) -> Status:
    """Train the run in the folder, or go on with it, to its end; a run that is done is only recorded.

    ``stops_asked`` says how often somebody has asked it to stop: once ends it after its step with a checkpoint, twice at once.
    ``judge_url`` is where the judge called ``starter`` answers.

    Raises:
        RunBusy, RunHeld: somebody else works on it.
        LeaseLost: somebody else has taken it over; the training process was ended.
    """
    plan = Plan.read(folder)
    with supervised(folder), span("training.run", run=plan.id, objective=plan.objective, snapshot=plan.snapshot_sha256, seed=plan.seed):
        ledger = Ledger(folder, plan, sessions, requested_by=requested_by)
        tracker = Tracker(folder, plan)
        before = Status.read(folder)
        if before.state is RunState.DONE:
            ledger.catch_up(before)
            write_report(folder, plan, before)
            return before
        attempt = 1 + sum(1 for _ in folder.glob("attempt-*.jsonl"))
        log = log_path(folder, attempt)
        status = Status(state=RunState.RUNNING, step=before.step, steps=before.steps, settings=before.settings, log=str(log))
        ledger.begin(status)
        tracker.begin()
        if is_trained(folder):
            # An orphan: it ends with its step, and the new process waits for that.
            (folder / STOP).touch()
        events_path(folder, attempt).touch()
        with log.open("ab") as out:
            process = subprocess.Popen(
                _command(plan, folder, attempt),
                cwd=_ROOT,
                env=os.environ | _environment(plan, judge_url) | carried(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        try:
            status = _follow(process, folder, plan, EventReader(events_path(folder, attempt)), ledger, tracker, status, show, stops_asked)
        finally:
            _end(process)
        ledger.end(status)
        tracker.end(status.state)
        write_report(folder, plan, status)
        show(status)
        return status


def _follow(
    process: "subprocess.Popen[bytes]",
    folder: Path,
    plan: Plan,
    read: EventReader,
    ledger: Ledger,
    tracker: Tracker,
    status: Status,
    show: Callable[[Status], None],
    stops_asked: Callable[[], int],
) -> Status:
    reported = time.monotonic()
    wanted = False
    while True:
        code = process.poll()
        events = read()
        for event in events:
            status = status.after(event)
        if code is not None and status.state is RunState.RUNNING:
            status = _broken_off(status, code, asked=stops_asked() > 1)
        # The last word is the ledger's ``end``: until then the run is held, whatever the process has said.
        wanted = ledger.told(events, replace(status, state=RunState.RUNNING)) or wanted
        tracker.tell(events)
        show(status)
        if code is not None:
            return status
        if stops_asked() > 1:
            _end(process)
        elif wanted or stops_asked():
            (folder / STOP).touch()
        if time.monotonic() - reported > _REPORT_S:
            write_report(folder, plan, status)
            reported = time.monotonic()
        time.sleep(_LOOK_S)


def _broken_off(status: Status, code: int, *, asked: bool) -> Status:
    if asked:
        return replace(status, state=RunState.STOPPED)
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
    log = Path(status.log or "")
    words = log.read_text(encoding="utf-8", errors="replace")[-_LAST_WORDS:].strip() if log.is_file() else ""
    said = f"; it last said: {words}" if words else " without a word"
    return replace(status, state=RunState.FAILED, error=f"The training process {how}{said}")


def _command(plan: Plan, folder: Path, attempt: int) -> list[str]:
    module = ["-m", "training.runs.process", str(folder), str(attempt)]
    if plan.processes == 1:
        return [sys.executable, *module]
    # Not `accelerate launch`: on a CPU it starts a single process without a word (TRL 1.16, accelerate 1.15).
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={plan.processes}", *module]


def _environment(plan: Plan, judge_url: str | None) -> Mapping[str, str]:
    variables = computing(plan.threads)
    if plan.judge == STARTER_JUDGE and judge_url is not None:
        variables["PARLEY_JUDGE_BASE_URL"] = judge_url
    return variables


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the process and what it has started; nothing where it has ended."""
    if process.poll() is not None:
        return
    for order in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, order)
        try:
            process.wait(timeout=_PATIENCE_S)
            return
        except subprocess.TimeoutExpired:
            continue
