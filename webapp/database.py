"""The web process's way to Postgres: one pool for all visitors."""

from collections.abc import Callable

from db.engine import SessionFactory, create_engine_from, session_factory
from db.errors import ParleyError
from db.settings import DatabaseSettings
from webapp.shared import Shared


class DatabaseNotNamed(ParleyError):
    """The web process was started without a database."""


def _open() -> tuple[SessionFactory, Callable[[], object]]:
    settings = DatabaseSettings()
    if settings.database_url is None:
        raise DatabaseNotNamed("PARLEY_DATABASE_URL is not set for the web process; start everything with `parley up`, or name a database.")
    engine = create_engine_from(settings.database_url, settings=settings, application_name="parley-web")
    return session_factory(engine), engine.dispose


sessions: Shared[SessionFactory] = Shared(_open)
"""``with sessions().begin() as session:`` is one transaction."""
