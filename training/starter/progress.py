"""What a build says about itself while it runs, and how a terminal shows it.

A build reports events to a callable; ``bars`` turns them into rich bars, ``lines`` into one JSON object a line for whoever supervises it.
"""

import json
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TextIO

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildEvent:
    """How far one phase has come."""

    phase: str
    done: int
    total: int
    detail: str = ""
    """Figures worth seeing, such as loss and tokens per second."""


Report = Callable[[BuildEvent], None]


def silent(event: BuildEvent) -> None:
    """Show nothing."""
    del event


def counting(report: Report, phase: str) -> Callable[[int, int], None]:
    """Tells how many of a phase are done, and of how many."""
    return lambda done, total: report(BuildEvent(phase=phase, done=done, total=total))


@contextmanager
def bars() -> Generator[Report]:
    """A bar per phase, with elapsed and remaining time."""
    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}"),
    )
    with Progress(*columns) as progress:
        tasks: dict[str, TaskID] = {}

        def show(event: BuildEvent) -> None:
            if event.phase not in tasks:
                tasks[event.phase] = progress.add_task(event.phase, total=event.total, detail="")
            progress.update(tasks[event.phase], completed=event.done, total=event.total, detail=event.detail)

        yield show


def lines(stream: TextIO | None = None) -> Report:
    """One JSON object for each hundredth of a phase."""
    out = sys.stdout if stream is None else stream
    shown: dict[str, int] = {}

    def write(event: BuildEvent) -> None:
        hundredth = 100 * event.done // max(1, event.total)
        if shown.get(event.phase) != hundredth:
            shown[event.phase] = hundredth
            print(json.dumps(asdict(event)), file=out, flush=True)

    return write
