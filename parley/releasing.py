"""Commands on versions of the policy and who answers hotels."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from parley.front import Actor, app, console

if TYPE_CHECKING:
    from db.engine import SessionFactory
    from training.release.fleet import Fleet

release_app = typer.Typer(help="Releases: which version of the policy answers hotels, and the way back.", no_args_is_help=True)
app.add_typer(release_app, name="release")

_Policy = Annotated[str, typer.Argument(metavar="VERSION", help="Name of a version of the policy, such as policy-v2.")]


@contextmanager
def _fleet() -> Generator["tuple[SessionFactory, Fleet]"]:
    """The database and all replicas of the model server."""
    from training.release.fleet import Fleet
    from webapp.instance.services import connected_training

    with connected_training(database=True, model=True) as (sessions, model_url), Fleet.named(model_url or "") as fleet:
        assert sessions is not None, "a database was asked for"
        yield sessions, fleet


@release_app.command("status")
def release_status() -> None:
    """Every version: its role, who still uses it, and where it is loaded. Status 1 where a model server is away."""
    from training.release.terminal_release import status_command

    with _fleet() as (sessions, fleet):
        raise typer.Exit(status_command(sessions, fleet, console=console))


@release_app.command()
def publish(
    adapter: Annotated[Path, typer.Argument(help="Folder of a run, or of an adapter.", exists=True, file_okay=False)],
    name: Annotated[str, typer.Option(help="Its name, which is never used again; left out, the next number.")] = "",
    parent: Annotated[str, typer.Option(help="The version that it was trained from; left out, the live one.")] = "",
    email: Actor = "",
) -> None:
    """Load an adapter on every model server and prove it by its golden prompts. No conversation has it yet."""
    from training.release.terminal_release import publish_command

    with _fleet() as (sessions, fleet):
        raise typer.Exit(publish_command(sessions, fleet, adapter, name=name, parent=parent, email=email, console=console))


@release_app.command()
def canary(
    version: _Policy,
    share: Annotated[float | None, typer.Option(min=0, max=1, help="Of new conversations; left out, PARLEY_CANARY_SHARE.")] = None,
    email: Actor = "",
) -> None:
    """Give a published version a share of new conversations."""
    from training.release.terminal_release import canary_command

    with _fleet() as (sessions, fleet):
        raise typer.Exit(canary_command(sessions, fleet, version, share=share, email=email, console=console))


@release_app.command("share")
def share_(share: Annotated[float, typer.Argument(min=0, max=1, help="Of new conversations.")], email: Actor = "") -> None:
    """Give the canary another share of new conversations."""
    from training.release.terminal_release import share_command
    from webapp.instance.commands import connected_database

    with connected_database() as sessions:
        raise typer.Exit(share_command(sessions, share, email=email, console=console))


@release_app.command()
def promote(version: _Policy, email: Actor = "") -> None:
    """Make a published version live for all new conversations."""
    from training.release.terminal_release import promote_command

    with _fleet() as (sessions, fleet):
        raise typer.Exit(promote_command(sessions, fleet, version, email=email, console=console))


@release_app.command()
def rollback(
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit trail.")],
    version: Annotated[str, typer.Argument(help="What is to go; left out, the canary, else the live version.")] = "",
    email: Actor = "",
) -> None:
    """Take a version out of use; the one before answers again."""
    from training.release.terminal_release import roll_back_command

    with _fleet() as (sessions, fleet):
        raise typer.Exit(roll_back_command(sessions, fleet, version, reason=reason, email=email, console=console))


@release_app.command()
def ab() -> None:
    """The live version and its canary side by side, with intervals and tests."""
    from training.release.terminal_release import ab_command
    from webapp.instance.commands import connected_database

    with connected_database() as sessions:
        raise typer.Exit(ab_command(sessions, console=console))
