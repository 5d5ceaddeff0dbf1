"""The gate in a terminal."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from db.engine import SessionFactory
from training.badcases import BadCase, stored
from training.release.evaluation import VERDICT, Effort, evaluate
from training.release.gate import GateSettings, Verdict
from training.runs.checks import adapter_named, live_version
from training.starter.progress import BuildEvent


def gate_command(
    candidate: Path,
    against: str,
    *,
    out: Path | None,
    effort: Effort,
    settings: GateSettings,
    console: Console,
    sessions: SessionFactory | None,
) -> int:
    """Measure, decide, print; 0 where the candidate passed. ``candidate`` is an adapter's folder or that of a run.

    Raises:
        RunRefused: where there is no version of the name.
    """
    adapter = candidate / "adapter" if (candidate / "adapter").is_dir() else candidate
    name = against or live_version(sessions)
    folder = out or candidate / "gate"
    live = adapter_named(name, sessions)
    own = _own_cases(sessions)
    columns = TextColumn("{task.description:<26}"), BarColumn(bar_width=24), TextColumn("{task.completed:.0f}/{task.total:.0f}")
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        bars: dict[str, TaskID] = {}

        def tell(event: BuildEvent) -> None:
            if event.phase not in bars:
                bars[event.phase] = progress.add_task(event.phase, total=event.total)
            progress.update(bars[event.phase], completed=event.done, total=max(event.total, 1))

        verdict = evaluate(adapter, live, folder, names=(str(candidate), name), effort=effort, settings=settings, own=own, tell=tell)
    console.print(table_of(verdict))
    word = "[green]passed[/]" if verdict.passed else f"[red]rejected[/]: {', '.join(one.title for one in verdict.failed)}"
    console.print(f"{escape(verdict.candidate)} is {word}. Simulated hotels and raters.", highlight=False, soft_wrap=True)
    console.print(f"Figures {escape(str(folder / VERDICT))}", highlight=False, soft_wrap=True)
    return 0 if verdict.passed else 1


def _own_cases(sessions: SessionFactory | None) -> tuple[BadCase, ...]:
    if sessions is None:
        return ()
    with sessions() as session:
        return stored.cases(session)


def table_of(verdict: Verdict) -> Table:
    """Every criterion with what was found."""
    table = Table("", "criterion", "found", title=f"Against {verdict.live}")
    for one in verdict.criteria:
        table.add_row("[green]✓[/]" if one.met else "[red]✗[/]", one.title, escape(one.says))
    return table
