"""What a database of yours needs before anybody uses it: its schema, and a first administrator. ``parley up`` does both by itself."""

from rich.console import Console

from db.engine import create_engine_from, session_factory
from db.errors import ParleyError
from db.migrate import current, head, upgrade
from db.settings import DatabaseSettings
from webapp.auth.people import ensure_first_admin


class NoDatabaseNamed(ParleyError):
    """The command needs a database of yours."""


def migrate_command(*, console: Console) -> int:
    """Bring the schema up to date; returns the exit status. Raises NoDatabaseNamed."""
    url = _url()
    before = current(url)
    upgrade(url)
    console.print(
        f"The schema is {head()}" + (", as it was." if before == head() else f"; it was {before or 'not there'}."), highlight=False
    )
    return 0


def first_admin_command(email: str, *, console: Console) -> int:
    """Create the first administrator and print the password, once; returns 1 where somebody is there already. Raises NoDatabaseNamed."""
    engine = create_engine_from(_url(), pooled=False)
    try:
        with session_factory(engine).begin() as session:
            made = ensure_first_admin(session, email=email)
    finally:
        engine.dispose()
    if made is None:
        console.print("There are people already: an administrator adds others on the page People.", highlight=False)
        return 1
    console.print(f"E-mail: {made.email}\nPassword: {made.password}\nIt is shown this once.", highlight=False, markup=False)
    return 0


def _url() -> str:
    url = DatabaseSettings().database_url
    if url is None:
        raise NoDatabaseNamed("PARLEY_DATABASE_URL names no database; `parley up` sees to the embedded one by itself.")
    return url
