"""Commands of those who negotiate, and their tickets."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from db.vocabulary import Counterpart
from parley.front import app, console

_Language = Annotated[Literal["en", "zh"], typer.Option(help="Language of both sides: English or Chinese.")]
tickets_app = typer.Typer(help="Tickets: the rooms whose price is to come down.", no_args_is_help=True)
app.add_typer(tickets_app, name="tickets")


@app.command()
def chat(
    reference: Annotated[
        list[str] | None, typer.Option("--ticket", help="Reference of a ticket; several of one hotel are allowed.")
    ] = None,
    hotel: Annotated[
        Counterpart, typer.Option(help="Who speaks for the hotel: you paste its words, or a simulated one.")
    ] = Counterpart.HUMAN,
    autopilot: Annotated[bool, typer.Option("--autopilot", help="Send every draft without asking.")] = False,
    language: _Language = "en",
) -> None:
    """Negotiate in the terminal: the same service, the same rows, as in the browser."""
    from agent.service.terminal import chat as talk
    from webapp.instance.commands import connected

    with connected() as negotiations:
        talk(negotiations, references=reference or [], hotel=hotel, autopilot=autopilot, language=language, console=console)


@app.command()
def negotiate(
    hotel: Annotated[str, typer.Option(help="Only simulated hotels answer by themselves.")] = "simulated",
    tickets: Annotated[
        Path | None, typer.Option(help="CSV file of tickets; left out, they are made up.", exists=True, dir_okay=False)
    ] = None,
    n: Annotated[int, typer.Option("--n", min=1, max=100_000, help="How many negotiations.")] = 10,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="How many run at the same time.")] = 8,
    seed: Annotated[int, typer.Option(help="The same seed meets the same hotels.")] = 1,
    language: _Language = "en",
) -> None:
    """Run many negotiations on autopilot and show how they ended."""
    from agent.service.batch import negotiate_many
    from webapp.instance.commands import connected

    if hotel != "simulated":
        raise typer.BadParameter(f"{hotel!r} does not answer by itself; use 'simulated'", param_hint="--hotel")
    with connected() as negotiations:
        failed = negotiate_many(
            negotiations,
            csv_file=tickets,
            n=n,
            at_once=at_once,
            seed=seed,
            language=language,
            today=datetime.now(UTC).date(),
            console=console,
        )
    raise typer.Exit(1 if failed else 0)


@app.command("follow-up")
def follow_up(
    every: Annotated[float, typer.Option(min=1, help="Seconds between two looks.")] = 60.0,
    once: Annotated[bool, typer.Option("--once", help="Look once and end.")] = False,
) -> None:
    """Remind the hotels that have been silent for too long."""
    from agent.service.timers import follow_up_forever
    from agent.telemetry import TelemetrySettings, start_telemetry
    from webapp.instance.commands import connected

    start_telemetry("parley-follow-up", metrics_port=TelemetrySettings().follow_up_metrics_port)
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
