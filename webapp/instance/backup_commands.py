"""Backups in a terminal: which database and which folder are meant, and what was done, in sentences."""

from pathlib import Path

from rich.console import Console

from agent.serving.versions import READY
from db.errors import ParleyError
from training.release.settings import adapters_folder
from webapp.instance.backup import Manifest, back_up, put_back
from webapp.instance.record import Home
from webapp.instance.services import database_address
from webapp.instance.settings import InstanceSettings


class InstanceRuns(ParleyError):
    """An instance works on the database that is to be replaced."""


def backup_command(folder: Path, *, force: bool, console: Console) -> int:
    """Back up what runs here, or what the settings name; returns the exit status."""
    with database_address() as url:
        manifest = back_up(url, adapters_folder(), folder.absolute(), force=force)
    console.print(f"{folder}: {_held(manifest)}.", highlight=False)
    console.print("It holds what hotels and people wrote: keep it where only those may look who must.", highlight=False)
    return 0


def restore_command(folder: Path, *, force: bool, console: Console) -> int:
    """Restore into the database and the data folder that the settings name; returns the exit status. Raises InstanceRuns."""
    home = Home(InstanceSettings().home)
    if home.is_running():
        raise InstanceRuns(f"An instance runs on {home.path}: stop it with `parley down`, restore, and start it again.")
    with database_address() as url:
        done = put_back(url, adapters_folder(), folder.absolute(), force=force)
    console.print(f"Restored {_held(done.manifest)}.", highlight=False)
    if done.upgraded_to is not None:
        console.print(f"The schema was brought from {done.manifest.revision} to {done.upgraded_to}.", highlight=False)
    if done.settings_that_differ:
        console.print(f"Set otherwise here than there: {', '.join(done.settings_that_differ)}.", highlight=False)
    return 0


def _held(manifest: Manifest) -> str:
    adapters = sum(Path(name).name == READY for name in manifest.files)
    rows = sum(manifest.rows.values())
    return f"{rows:,} rows of {len(manifest.rows)} tables and {adapters} adapters of {manifest.taken_at}"
