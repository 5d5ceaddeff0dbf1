"""``python -m training.snapshots FOLDER [--simulated]``: freeze what a training run may see."""

import argparse
import sys
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from db.engine import create_engine_from, session_factory
from db.errors import ParleyError
from db.settings import DatabaseSettings
from training.snapshots.logged import SnapshotSettings
from training.snapshots.simulated import SimulatedSettings
from training.snapshots.terminal import snapshot_command


def main() -> None:
    """Parse the arguments and take the snapshot."""
    parser = argparse.ArgumentParser(prog="python -m training.snapshots", description="Freeze what a training run may see.")
    parser.add_argument("folder", type=Path, help="a folder that is not there yet")
    parser.add_argument("--simulated", action="store_true", help="from simulated dialogues and experts, without a database")
    parser.add_argument("--seed", type=int, default=0, help="of what is simulated")
    parser.add_argument("--n", type=int, default=SimulatedSettings().contexts, help="contexts to simulate")
    parser.add_argument("--at-once", type=int, default=1, help="processes that simulate")
    parser.add_argument("--as-of", type=datetime.fromisoformat, help="what the database held then (with a time zone); now where not given")
    parser.add_argument("--people-only", action="store_true", help="leave out what simulated experts judged")
    parser.add_argument("--allow-one-rater", action="store_true", help="take preferences that are all of one person")
    arguments = parser.parse_args()
    console = Console()
    try:
        if arguments.simulated:
            simulated = SimulatedSettings(contexts=arguments.n, seed=arguments.seed)
            status = snapshot_command(arguments.folder, console=console, settings=simulated, at_once=arguments.at_once)
        else:
            url = DatabaseSettings().database_url
            if url is None:
                parser.error("name a database in PARLEY_DATABASE_URL, or use --simulated")
            settings = SnapshotSettings(as_of=arguments.as_of, people_only=arguments.people_only, allow_one_rater=arguments.allow_one_rater)
            engine = create_engine_from(url)
            try:
                status = snapshot_command(arguments.folder, console=console, sessions=session_factory(engine), settings=settings)
            finally:
                engine.dispose()
    except (ParleyError, ValueError) as error:
        console.print(escape(str(error)), style="red", highlight=False)
        sys.exit(1)
    sys.exit(status)


if __name__ == "__main__":
    main()
