"""What all commands share: the application, the console, and options that mean the same everywhere."""

import os
import sys
from enum import StrEnum
from typing import Annotated, TypeVar

import typer
from rich.console import Console

_LOG_WIDTH = 160
"""Of what goes to a file or another program. rich takes 80 there, in which `repo_no_rj` and `repo_no_rm` become the same."""

console = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else _LOG_WIDTH)
app = typer.Typer(
    name="parley",
    help="A negotiation agent for hotel business development.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals may hold limits and passwords
)

Word = TypeVar("Word", bound=StrEnum)

Person = Annotated[str, typer.Option("--as", help="E-mail address of whoever answers for it: an account of operations.")]
Actor = Annotated[str, typer.Option("--as", help="E-mail address of whoever answers for it; left out, the system does.")]


def word(vocabulary: type[Word], name: str, option: str) -> Word:
    """One of the vocabulary's words, or a sentence that names them."""
    try:
        return vocabulary(name)
    except ValueError:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(vocabulary)}", param_hint=option) from None
