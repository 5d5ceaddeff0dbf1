"""``python -m agent.simulation.phrasebook``: what the phrasebook covers, where it is thin and which lines are too alike.

Exits with 1 where a line is invalid, else with 0.
"""

import sys
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from agent.simulation.phrasebook import FOLDER, Phrasebook, PhrasebookError, load
from agent.simulation.phrasebook.duplicates import THRESHOLD, NearDuplicate, near_duplicates
from agent.simulation.phrases import LANGUAGES

FEW = 10
"""A tag with fewer lines than this is named."""


def main(folder: Path = FOLDER) -> int:
    """Print the report of every language of a folder; returns the exit code."""
    console = Console()
    for language in LANGUAGES:
        try:
            book = load(folder, language)
        except PhrasebookError as error:
            console.print(f"[red]{error}[/red]", markup=True, highlight=False)
            return 1
        console.print(_coverage(book))
        thin = [
            f"{kind} {tag} ({count})" for kind, counts in book.coverage().items() for tag, count in sorted(counts.items()) if count < FEW
        ]
        console.print(f"Fewer than {FEW} lines: {', '.join(thin) or 'none'}", markup=False)
        alike = near_duplicates(book)
        if alike:
            console.print(_likeness(book, alike))
        console.print(f"{language}: {len(alike)} pairs of lines at {THRESHOLD:.0f} or above", markup=False)
    return 0


def _coverage(book: Phrasebook) -> Table:
    table = Table("tag", "lines", title=f"Phrasebook coverage ({book.language})")
    for kind, counts in book.coverage().items():
        table.add_section()
        table.add_row(f"[bold]{kind}[/bold]", "")
        for tag, count in sorted(counts.items()):
            table.add_row(f"  {tag}", f"[red]{count}[/red]" if count < FEW else str(count))
    return table


def _likeness(book: Phrasebook, alike: list[NearDuplicate]) -> Table:
    places = Counter(f"{pair.side} {pair.part}" for pair in alike)
    listed = ", ".join(f"{place} {count}" for place, count in places.most_common())
    table = Table("side, part", "score", "line", "file", "line", "file", title=f"Near-duplicates ({book.language}): {listed}")
    for pair in alike:
        row = (pair.first.text, pair.first.file, pair.second.text, pair.second.file)
        table.add_row(f"{pair.side} {pair.part}", f"{pair.score:.0f}", *row)
    return table


if __name__ == "__main__":
    sys.exit(main())
