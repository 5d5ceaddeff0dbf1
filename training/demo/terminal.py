"""The demo as a person in a terminal follows it.

Decided here: one line for each thing that is done, with how long it took, and a spinner for what is being done.
"""

import time
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from db.models import Retrain, RetrainStepRow
from db.vocabulary import StepState
from training.demo.comparing import Interval
from training.demo.loop import Came

_SURE = 0.01
"""The demo has shown what it is there to show where stars rise with a p below this."""


class Terminal:
    """An audience (``training.demo.loop.Audience``)."""

    def __init__(self, console: Console, status: Status) -> None:
        self._console, self._status = console, status
        self._title, self._begun = "", time.monotonic()
        self._told: set[str] = set()

    def step(self, title: str, says: str) -> None:
        """A line before it begins."""
        self._title, self._begun = title, time.monotonic()
        self._say(f"[b]{escape(title)}[/] [dim]{escape(says)}[/]")
        self._status.update(f"{escape(title)} …")

    def progress(self, done: int, of: int) -> None:
        """In the spinner."""
        self._status.update(f"{escape(self._title)}: {done} of {of}")

    def retraining(self, row: Retrain, steps: Sequence[RetrainStepRow]) -> None:
        """A line for each step that is over, the spinner for the one that runs."""
        for one in steps:
            if one.state is StepState.RUNNING:
                doing = one.figures.get("doing", "")
                self._status.update(f"{self._title}: {one.step} {one.progress:.0%} {escape(str(doing))}")
            if one.state is StepState.DONE and one.step not in self._told and one.started_at is not None and one.ended_at is not None:
                self._told.add(one.step)
                self._say(f"  [green]✓[/] {one.step} [dim]({(one.ended_at - one.started_at).total_seconds():.0f} s)[/]")
                if one.step == "gate":
                    for criterion in (row.verdict or {}).get("criteria", ()):
                        mark = "[green]✓[/]" if criterion["met"] else "[red]✗[/]"
                        self._say(f"    {mark} {escape(criterion['title'])}: {escape(criterion['says'])}")

    def done(self, says: str) -> None:
        """A line with what came of it."""
        self._say(f"[green]✓[/] {escape(says)} [dim]({time.monotonic() - self._begun:.0f} s)[/]\n")

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, soft_wrap=True)


def tell(came: Came, console: Console, *, seconds: float) -> bool:
    """The result as a table; whether stars have risen beyond chance."""
    table = Table(
        "",
        f"before: {came.before}",
        f"after: {came.after}",
        "difference",
        "p",
        "hotels",
        title="Before and after, the same held-out hotels",
    )
    for one in came.compared.values():
        cells = [_shown(interval, share=one.share) for interval in (one.before, one.after)]
        table.add_row(one.title, *cells, _shown(one.difference, share=one.share, signed=True), f"{one.p:.2g}", str(one.hotels))
    console.print(table)
    stars = came.compared["stars"]
    risen = stars.difference.value > 0 and stars.p < _SURE
    says = "The rating has risen" if risen else "The rating has NOT risen beyond chance"
    console.print(
        f"{says}: {stars.before.value:.2f} to {stars.after.value:.2f} stars, p = {stars.p:.2g}. Hotels and raters are simulated. "
        f"All of it took {seconds / 60:.1f} minutes.",
        highlight=False,
        soft_wrap=True,
    )
    return risen


def _shown(found: Interval, *, share: bool, signed: bool = False) -> str:
    sign = "+" if signed else ""
    parts = (f"{part:{sign}.1%}" if share else f"{part:{sign}.2f}" for part in (found.value, found.low, found.high))
    value, low, high = parts
    return f"{value} ({low} to {high})"
