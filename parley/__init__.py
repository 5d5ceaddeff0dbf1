"""The front door: one command line. Every command is a few lines that call a room."""

import sys

from rich.console import Console

from db.errors import ParleyError
from parley.front import app

# In the order in which `parley --help` lists their commands.
# isort: off
from parley import instance, negotiating, examples, retraining, releasing, learning, spec
# isort: on

__all__ = ["app", "examples", "instance", "learning", "main", "negotiating", "releasing", "retraining", "spec"]


def main() -> None:
    """Run the command line; an error that a person can act on is a sentence, not a traceback."""
    try:
        app()
    except ParleyError as error:
        Console(stderr=True).print(f"[bold red]Error:[/] {error}", highlight=False)
        sys.exit(1)
