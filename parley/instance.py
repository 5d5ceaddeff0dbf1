"""Commands on an instance: started, looked at, stopped, shown, backed up."""

from pathlib import Path
from typing import Annotated

import typer

from parley.front import app, console


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
def demo(
    folder: Annotated[Path | None, typer.Option(help="Of the instance; left out, demo in the data folder.", file_okay=False)] = None,
    stay: Annotated[bool, typer.Option("--stay/--end", help="Stay to be looked at when all is done, or stop.")] = True,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value of how much is done, such as lessons=20.")] = None,
) -> None:
    """Show the whole loop, from nothing: negotiate, rate, retrain, gate, canary, live, negotiate again."""
    from training.demo.loop import demo_settings
    from webapp.instance.demo_command import demo_command

    raise typer.Exit(demo_command(folder, settings=demo_settings(settings or []), stay=stay, console=console))


@app.command()
def migrate() -> None:
    """Bring the schema of the database that PARLEY_DATABASE_URL names up to date; before new web processes and workers start."""
    from webapp.instance.database_commands import migrate_command

    raise typer.Exit(migrate_command(console=console))


@app.command("first-admin")
def first_admin(
    email: Annotated[str, typer.Option(help="E-mail address to sign in with.")] = "admin@parley.local",
) -> None:
    """Create the first administrator in the database that PARLEY_DATABASE_URL names, and print the password, once."""
    from webapp.instance.database_commands import first_admin_command

    raise typer.Exit(first_admin_command(email, console=console))


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="Folder for the backup; it appears when it is whole.", file_okay=False)],
    force: Annotated[bool, typer.Option("--force", help="Replace what is in the folder.")] = False,
) -> None:
    """Write the database and the adapters into a folder; people may go on working meanwhile."""
    from webapp.instance.backup_commands import backup_command

    raise typer.Exit(backup_command(folder, force=force, console=console))


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="Folder of a backup.", exists=True, file_okay=False)],
    force: Annotated[bool, typer.Option("--force", help="Replace what the database and the adapters' folder hold now.")] = False,
) -> None:
    """Put a backup back, all of it or nothing; the instance must not run."""
    from webapp.instance.backup_commands import restore_command

    raise typer.Exit(restore_command(folder, force=force, console=console))


@app.command()
def version() -> None:
    """Print the versions of what shapes a turn."""
    from importlib.metadata import version as installed

    from agent.language.prompts import prompts_version
    from agent.sop import sop_version

    console.print(f"parley {installed('parley')}  sop {sop_version()}  prompts {prompts_version()}", highlight=False)
