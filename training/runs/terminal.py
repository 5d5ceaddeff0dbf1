"""Training in a terminal: what is checked is said, a bar shows the steps, Ctrl-C ends it after its step with a checkpoint."""

import signal
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from agent.serving.starter import MODEL_FOLDER
from db.engine import SessionFactory
from db.vocabulary import RunState
from training.runs.checks import Request, check, find_run, new_folder, recheck
from training.runs.errors import RunRefused
from training.runs.plan import NO_JUDGE, STARTER_JUDGE, Plan
from training.runs.report import REPORT
from training.runs.status import Status
from training.runs.supervising import supervise
from training.runs.values import kind_of, typed

_SHOWN = (
    ("reward/total", "R"),
    ("held_out/total", "held out"),
    ("reward/disliked_share", "disliked"),
    ("reward/violation_rate", "violations"),
    ("kl", "KL"),
    ("length", "length"),
    ("loss", "loss"),
)
_NOT_MISSING = ("asked", "remembered", "judged")
_EXIT = {RunState.DONE: 0, RunState.FAILED: 1, RunState.STOPPED: 3}


def asked_for(
    objective: str,
    snapshot: Path | None,
    *,
    resume: str,
    seed: int | None,
    settings: Sequence[str],
    base: Path | None,
    **named: Any,
) -> Request | None:
    """What the command line asks for; None for a run that is resumed, which nothing else can be said about.

    Raises:
        RunRefused: for too little, or for more than --resume takes.
        SettingsError: for a setting that is none.
    """
    values = typed(settings) | ({} if seed is None else {"seed": seed})
    if resume:
        plain = {field.name: field.default for field in fields(Request)}
        if objective or snapshot or values or base or any(value != plain[name] for name, value in named.items()):
            raise RunRefused("A run that is resumed is what it was begun as: leave out everything but --resume and --database.")
        return None
    kind_of(objective)
    if snapshot is None:
        raise RunRefused("Name what the run may see: --snapshot FOLDER. `parley snapshot` takes one.")
    return Request(objective=objective, snapshot=snapshot, settings=values, base=base or MODEL_FOLDER, **named)


def train_command(
    request: Request,
    *,
    out: Path | None,
    runs: Path,
    console: Console,
    sessions: SessionFactory | None = None,
    judge_url: str | None = None,
) -> int:
    """Check what is asked for, train it and show that; ``runs`` is where folders are made if ``out`` names none. Returns the exit status.

    Raises:
        ParleyError: as ``check`` and ``supervise``.
    """
    with console.status("Checking …"):
        plan = check(request, sessions=sessions, judge_url=judge_url)
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        folder = new_folder(out or runs / f"{plan.objective}-{stamp}-{plan.id.hex[-6:]}")
        plan.write(folder)
    return _watched(folder, plan, console, sessions, judge_url)


def resume_command(named: str, *, console: Console, sessions: SessionFactory | None = None, judge_url: str | None = None) -> int:
    """Go on with a run, named by its folder or its id. Returns the exit status."""
    folder = find_run(named, sessions)
    plan = Plan.read(folder)
    with console.status("Checking …"):
        recheck(plan)
    return _watched(folder, plan, console, sessions, judge_url)


def needs_starter_judge(judge: str, resumed: str) -> bool:
    """Whether our own model server is to judge, in a new run or in the one that is resumed (named by its id, it may have to)."""
    if not resumed:
        return judge == STARTER_JUDGE
    return not Path(resumed).is_dir() or Plan.read(Path(resumed)).judge == STARTER_JUDGE


def _watched(folder: Path, plan: Plan, console: Console, sessions: SessionFactory | None, judge_url: str | None) -> int:
    console.print(f"[b]{escape(plan.objective)}[/] in {escape(str(folder))}", highlight=False, soft_wrap=True)
    if plan.judge == NO_JUDGE and plan.reward_model is not None:
        console.print("No judge: E comes from the rules alone.", highlight=False)
    with _bar(console) as show, interrupts(console) as asked:
        status = supervise(folder, sessions=sessions, judge_url=judge_url, show=show, stops_asked=asked)
    return _tell(folder, status, console)


def _tell(folder: Path, status: Status, console: Console) -> int:
    def say(line: str) -> None:
        console.print(line, highlight=False, soft_wrap=True)

    again = f"[b]parley train --resume {escape(str(folder))}[/] goes on."
    match status.state:
        case RunState.DONE:
            say(f"Done after {status.step} steps.")
        case RunState.STOPPED:
            say(f"Stopped after step {status.step}; {again}")
        case _:
            say(f"[bold red]Failed:[/] {escape(status.error or '')}")
            say(f"Once that is mended, {again}")
    if missing := {what: count for what, count in status.judged.items() if what not in _NOT_MISSING}:
        say(f"Not judged: {', '.join(f'{count:,} {what}' for what, count in missing.items())}.")
    if status.adapter is not None:
        say(f"Adapter {escape(status.adapter)}\nsha256  {status.adapter_sha256}")
    say(f"Report  {escape(str(folder / REPORT))}")
    return _EXIT.get(status.state, 1)


@contextmanager
def _bar(console: Console) -> Generator[Callable[[Status], None]]:
    columns = (
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("starting", total=1, detail="")

        def show(status: Status) -> None:
            told = [f"{name} {value:+.3g}" for key, name in _SHOWN if isinstance(value := status.figures.get(key), int | float)]
            progress.update(
                task,
                description=str(status.state) if status.steps else "checking",
                completed=status.step,
                total=max(status.steps, 1),
                detail=status.before or "  ".join(told),
            )

        yield show


@contextmanager
def interrupts(console: Console) -> Generator[Callable[[], int]]:
    """Counts Ctrl-C and SIGTERM instead of dying of them; gives how many there have been."""
    count = 0

    def interrupted(number: int, frame: FrameType | None) -> None:
        del number, frame
        nonlocal count
        count += 1
        console.print("Stopping at the end of this step; once more stops it at once." if count == 1 else "Stopping at once.")

    if threading.current_thread() is not threading.main_thread():
        yield lambda: count
        return
    before = {order: signal.signal(order, interrupted) for order in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: count
    finally:
        for order, handler in before.items():
            signal.signal(order, handler)
