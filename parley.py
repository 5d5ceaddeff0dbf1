"""The front door: one command line. Every command is a few lines that call a room."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from db.errors import ParleyError
from db.vocabulary import Counterpart

console = Console()
app = typer.Typer(
    name="parley",
    help="A negotiation agent for hotel business development.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals may hold limits and passwords
)
tickets_app = typer.Typer(help="Tickets: the rooms whose price is to come down.", no_args_is_help=True)
starter_app = typer.Typer(help="The starter model that ships with Parley.", no_args_is_help=True)
app.add_typer(tickets_app, name="tickets")
app.add_typer(starter_app, name="starter")


@app.command()
def up(
    port: Annotated[int | None, typer.Option(help="Port of the web app; a free one is chosen where 8501 is taken.")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Go on in the background; `parley down` stops it.")] = False,
) -> None:
    """Start everything and print the address."""
    from webapp.instance.commands import up as start

    start(port=port, detach=detach)


@app.command()
def status() -> None:
    """Say what runs, where, and how it is."""
    from webapp.instance.commands import status as show

    raise typer.Exit(show())


@app.command()
def down() -> None:
    """Stop the instance that runs."""
    from webapp.instance.commands import down as stop

    raise typer.Exit(stop())


@app.command()
def chat(
    reference: Annotated[
        list[str] | None, typer.Option("--ticket", help="Reference of a ticket; several of one hotel are allowed.")
    ] = None,
    hotel: Annotated[
        Counterpart, typer.Option(help="Who speaks for the hotel: you paste its words, or a simulated one.")
    ] = Counterpart.HUMAN,
    autopilot: Annotated[bool, typer.Option("--autopilot", help="Send every draft without asking.")] = False,
) -> None:
    """Negotiate in the terminal: the same service, the same rows, as in the browser."""
    from agent.service.terminal import chat as talk
    from webapp.instance.commands import connected

    with connected() as negotiations:
        talk(negotiations, references=reference or [], hotel=hotel, autopilot=autopilot, console=console)


@app.command()
def negotiate(
    hotel: Annotated[str, typer.Option(help="Only simulated hotels answer by themselves.")] = "simulated",
    tickets: Annotated[
        Path | None, typer.Option(help="CSV file of tickets; left out, they are made up.", exists=True, dir_okay=False)
    ] = None,
    n: Annotated[int, typer.Option("--n", min=1, max=100_000, help="How many negotiations.")] = 10,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="How many run at the same time.")] = 8,
    seed: Annotated[int, typer.Option(help="The same seed meets the same hotels.")] = 1,
) -> None:
    """Run many negotiations on autopilot and show how they ended."""
    from agent.service.batch import negotiate_many
    from webapp.instance.commands import connected

    if hotel != "simulated":
        raise typer.BadParameter(f"{hotel!r} does not answer by itself; use 'simulated'", param_hint="--hotel")
    with connected() as negotiations:
        failed = negotiate_many(
            negotiations, csv_file=tickets, n=n, at_once=at_once, seed=seed, today=datetime.now(UTC).date(), console=console
        )
    raise typer.Exit(1 if failed else 0)


@app.command("follow-up")
def follow_up(
    every: Annotated[float, typer.Option(min=1, help="Seconds between two looks.")] = 60.0,
    once: Annotated[bool, typer.Option("--once", help="Look once and end.")] = False,
) -> None:
    """Remind the hotels that have been silent for too long."""
    from agent.service.timers import follow_up_forever
    from webapp.instance.commands import connected

    with connected() as negotiations:
        follow_up_forever(negotiations, every_s=every, once=once)


@tickets_app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="CSV file, UTF-8; `parley tickets template` shows the columns.", exists=True, dir_okay=False)
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
) -> None:
    """Import tickets from a CSV file; a row with an error is named and left out, a known reference is skipped."""
    from agent.service.terminal import import_file
    from webapp.instance.commands import connected_database

    with connected_database() as sessions:
        raise typer.Exit(import_file(sessions, file.read_bytes(), dry_run=dry_run, console=console))


@tickets_app.command()
def template() -> None:
    """Print a CSV file with the columns and one example row."""
    from agent.service.intake import template_csv

    sys.stdout.write(template_csv())


@starter_app.command()
def build(
    out: Annotated[Path, typer.Option(help="Folder for the model; an unfinished build in it is resumed.")],
    preset: Annotated[str, typer.Option(help="toy (a minute, for tests) or full.")] = "full",
    seed: Annotated[int, typer.Option(help="The same seed gives the same weights on the same machine.")] = 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw away an unfinished build.")] = False,
) -> None:
    """Build the starter model from nothing."""
    from training.starter.build import build as build_starter
    from training.starter.progress import bars

    with bars() as progress:
        built = build_starter(out, preset, seed, resume=not fresh, progress=progress)
    if built is not None:
        print(f"{built.folder}: sha256 {built.weights_hash}\n{built.adapter}: sha256 {built.adapter_hash}")


@app.command()
def version() -> None:
    """Print the versions of what shapes a turn."""
    from importlib.metadata import version as installed

    from agent.language.prompts import prompts_version
    from agent.sop import sop_version

    console.print(f"parley {installed('parley')}  sop {sop_version()}  prompts {prompts_version()}", highlight=False)


def main() -> None:
    """Run the command line; an error that a person can act on is a sentence, not a traceback."""
    try:
        app()
    except ParleyError as error:
        Console(stderr=True).print(f"[bold red]Error:[/] {error}", highlight=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
