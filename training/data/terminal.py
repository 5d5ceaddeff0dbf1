"""Exports and imports in a terminal: a bar while they run, a table of what is wrong, a sentence at the end."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from db.engine import SessionFactory
from training.data.export import Chosen, Exported, export_examples
from training.data.importing import Imported, import_examples
from training.starter.progress import bars

_SHOWN = 50


def export_to(sessions: SessionFactory, folder: Path, chosen: Chosen, *, replace: bool, console: Console) -> int:
    """Export and say what was written; returns the exit status."""
    with bars() as report:
        done = export_examples(sessions, folder, chosen, replace=replace, report=report)
    for sentence in exported_words(done):
        console.print(escape(sentence), highlight=False)
    if chosen.with_personal_data:
        console.print("[yellow]It holds personal data of hotels' people: keep it where only those may look who must.[/]")
    return 0


def exported_words(done: Exported) -> list[str]:
    """What was written, and what was left out and why, one sentence each."""
    held = ", ".join(f"{count:,} {kind}" for kind, count in done.rows.items())
    return [f"{done.folder}: {held}."] + [
        f"Left out: {count:,} {'judgement' if count == 1 else 'judgements'}: each {reason}." for reason, count in done.left_out.items()
    ]


def import_from(sessions: SessionFactory, path: Path, *, dry_run: bool, console: Console) -> int:
    """Import what is good, name what is not; returns the exit status (1 where any row was left out)."""
    with bars() as report:
        told = import_examples(sessions, path, dry_run=dry_run, report=report)
    if told.errors:
        table = Table("file", "row", "column", "value", "what is wrong", title="Rows that cannot be taken")
        for error in told.errors[:_SHOWN]:
            table.add_row(error.file, str(error.row), error.column, escape(error.value), escape(error.message))
        console.print(table)
    console.print(imported_words(told), highlight=False)
    return 1 if told.bad else 0


def imported_words(told: Imported) -> str:
    """What became of the rows, in one sentence or two."""
    added = f"{told.added:,} new, {told.known:,} there already"
    left = f" {told.bad:,} {'row has mistakes and is' if told.bad == 1 else 'rows have mistakes and are'} left out." if told.bad else ""
    unwritten = " Nothing was written." if told.dry_run else ""
    return f"{told.good:,} {'row is' if told.good == 1 else 'rows are'} good: {added}.{left}{unwritten}"
