"""Bringing a database to the schema of this release, from code: the product migrates itself when it starts.

What a migration does stands in ``alembic/versions``; how it may lock stands in ``alembic/env.py``.
"""

from collections.abc import Callable
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from alembic import command
from db.engine import create_engine_from
from db.errors import ParleyError

SCRIPTS = Path(__file__).resolve().parent.parent / "alembic"
"""Beside the packages, wherever the process was started."""


class MigrationFailed(ParleyError):
    """The schema could not be brought to the wanted revision; the database is as it was before."""


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at ``url`` up to ``revision``; harmless where it is there already, safe from several processes at once.

    Raises:
        MigrationFailed: if the database is newer than this release, or the scripts are missing.
        ParleyError: as ``create_engine_from``.
    """
    _run(url, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str) -> None:
    """Take the database at ``url`` down to ``revision`` (``base`` for nothing), **with its data** where tables go.

    Raises:
        MigrationFailed: if the revision is unknown.
    """
    _run(url, lambda config: command.downgrade(config, revision))


def check(url: str) -> None:
    """Make sure that the models say nothing that no migration has done (``alembic check``).

    Raises:
        MigrationFailed: naming the differences.
    """
    _run(url, command.check)


def current(url: str) -> str | None:
    """The revision of the database at ``url``; None where it was never migrated."""
    with create_engine_from(url, pooled=False).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The newest revision of this release."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise MigrationFailed(f"there is no migration in {SCRIPTS}; the installation is incomplete: install Parley from its repository")
    return revision


def revisions() -> frozenset[str]:
    """Every revision that this release knows."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def _config(connection: Connection | None = None) -> Config:
    if not (SCRIPTS / "env.py").is_file():
        raise MigrationFailed(f"the migrations are not at {SCRIPTS}; the installation is incomplete: run Parley from its repository")
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _run(url: str, act: Callable[[Config], None]) -> None:
    with create_engine_from(url, pooled=False).connect() as connection:
        try:
            act(_config(connection))
        except CommandError as error:
            raise MigrationFailed(
                f"the schema could not be migrated: {error}; if the database was used by a newer Parley, run that release"
            ) from error
