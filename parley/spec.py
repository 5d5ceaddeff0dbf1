"""Commands on the reward spec."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from parley.front import Person, app, console

spec_app = typer.Typer(help="The reward spec: what replies are rewarded for. A second person approves a change.", no_args_is_help=True)
app.add_typer(spec_app, name="spec")

_Spec = Annotated[str, typer.Argument(metavar="SPEC", help="in-force, shipped, the number of a version, or a YAML file.")]
_Version = Annotated[int, typer.Argument(min=1, help="Number of a version.")]


@spec_app.command("list")
def list_() -> None:
    """Every version: who proposed and approved it, and why."""
    from training.rewards.terminal import list_specs
    from webapp.instance.commands import connected_database

    with connected_database() as sessions:
        raise typer.Exit(list_specs(sessions, console=console))


@spec_app.command()
def show(spec: _Spec = "in-force") -> None:
    """Print a spec as YAML, to be edited and proposed."""
    from training.rewards.terminal import show_spec
    from webapp.instance.commands import connected_database

    with connected_database() as sessions:
        raise typer.Exit(show_spec(sessions, spec, write=sys.stdout.write))


@spec_app.command()
def diff(old: _Spec, new: _Spec) -> None:
    """Say what differs between two specs."""
    from training.rewards.terminal import diff_specs
    from webapp.instance.commands import connected_database

    with connected_database() as sessions:
        raise typer.Exit(diff_specs(sessions, old, new, console=console))


@spec_app.command()
def propose(
    file: Annotated[Path, typer.Argument(help="YAML file: a whole spec, or one rule to be added.", exists=True, dir_okay=False)],
    note: Annotated[str, typer.Option(help="Why the reward is to change.")],
    email: Person,
) -> None:
    """Store a draft, for somebody else to approve."""
    from training.rewards.terminal import propose_spec
    from webapp.instance.commands import connected_database

    with connected_database() as sessions:
        raise typer.Exit(propose_spec(sessions, file, note=note, email=email, console=console))


@spec_app.command()
def approve(version: _Version, email: Person) -> None:
    """Put a draft in force: the next run is rewarded by it."""
    from training.rewards.terminal import approve_spec
    from webapp.instance.commands import connected_database

    with connected_database() as sessions:
        raise typer.Exit(approve_spec(sessions, version, email=email, console=console))


@spec_app.command()
def retire(version: _Version, email: Person) -> None:
    """Refuse a draft, or take a version out of force."""
    from training.rewards.terminal import retire_spec
    from webapp.instance.commands import connected_database

    with connected_database() as sessions:
        raise typer.Exit(retire_spec(sessions, version, email=email, console=console))


@spec_app.command()
def preview(
    file: Annotated[Path, typer.Argument(help="YAML file: one rule, or a whole spec.", exists=True, dir_okay=False)],
    last: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many of our newest turns it is tried on.")] = 5_000,
) -> None:
    """Show what a new rule, or a changed spec, would have hit of what was really said, and which hits people liked."""
    from training.rewards.terminal import preview_change
    from webapp.instance.commands import connected_database

    with connected_database() as sessions:
        raise typer.Exit(preview_change(sessions, file, last=last, console=console))
