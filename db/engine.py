"""How the database is reached: from a URL to an engine whose failures are sentences that a person can act on.

Every connection runs in UTC with a statement and a lock timeout. Connection failures, at the start or years later, surface as
``DatabaseUnreachable`` and lock or statement timeouts as ``DatabaseBusy``; all other errors pass through as SQLAlchemy raises them.
"""

import re

import psycopg
from sqlalchemy import URL, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import NullPool

from db.errors import ParleyError
from db.settings import DatabaseSettings

SessionFactory = sessionmaker[Session]
"""Makes sessions; ``with sessions.begin() as session:`` is one transaction."""

OLDEST_SERVER = 14
"""Oldest major version of PostgreSQL that is supported."""

_DRIVERS = frozenset({"postgres", "postgresql", "postgresql+psycopg"})
_FORM = "postgresql://user:password@host:5432/database"
_MASKED_QUERY = frozenset({"password", "sslpassword"})


class DatabaseUrlWrong(ParleyError):
    """The database URL cannot be meant: not parsable, or not PostgreSQL."""


class DatabaseUnreachable(ParleyError):
    """No connection can be made, or the one that was there is gone. Nothing of the open transaction was stored."""


class DatabaseTooOld(ParleyError):
    """The server is older than what Parley's statements need."""


class DatabaseBusy(ParleyError):
    """A lock or a statement took longer than it may. The transaction was rolled back; trying again is safe."""


def masked(url: str | URL) -> str:
    """The URL with every password in it replaced by ``***``: fit for messages and logs, parsable or not."""
    if isinstance(url, URL):
        hidden = {key: "***" if key in _MASKED_QUERY else value for key, value in url.query.items()}
        return url.set(query=hidden).render_as_string(hide_password=True)
    without_user_password = re.sub(r"(//[^:@/\s]*:).*(?=@)", r"\1***", url)
    return re.sub(r"((?:^|[?&\s])(?:ssl)?password=)[^&\s]*", r"\1***", without_user_password)


def parse_url(url: str) -> URL:
    """The URL for SQLAlchemy with the psycopg driver; ``postgres://`` and ``postgresql://`` are taken too.

    Raises:
        DatabaseUrlWrong: if it cannot be parsed or names another kind of database.
    """
    try:
        parsed = make_url(url.strip())
    except (ArgumentError, ValueError) as error:
        raise DatabaseUrlWrong(f"PARLEY_DATABASE_URL is {masked(url)!r}, which is not a database URL; write it as {_FORM}") from error
    if parsed.drivername not in _DRIVERS:
        raise DatabaseUrlWrong(
            f"PARLEY_DATABASE_URL is {masked(parsed)!r}, but Parley needs PostgreSQL; write it as {_FORM}, "
            "or leave it unset for the embedded one"
        )
    return parsed.set(drivername="postgresql+psycopg")


def psycopg_url(url: str) -> str:
    """The same database for psycopg itself (its pool, the checkpointer), **with** the password.

    Raises:
        DatabaseUrlWrong: as ``parse_url``.
    """
    return parse_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def create_engine_from(
    url: str, *, settings: DatabaseSettings | None = None, application_name: str = "parley", pooled: bool = True
) -> Engine:
    """An engine for the database at ``url``, after one connection has proved that it can be used.

    ``pooled=False`` keeps no connection open (migrations, short commands).

    Raises:
        DatabaseUrlWrong: if the URL cannot be meant.
        DatabaseUnreachable: if the server does not let us in; the message has its reason.
        DatabaseTooOld: if the server is older than ``OLDEST_SERVER``.
    """
    chosen = settings or DatabaseSettings()
    parsed = parse_url(url)
    own_options = parsed.query.get("options", "")
    options = " ".join(
        [
            "-c timezone=UTC",
            f"-c statement_timeout={_milliseconds(chosen.database_statement_timeout_s)}",
            f"-c lock_timeout={_milliseconds(chosen.database_lock_timeout_s)}",
            *([own_options] if isinstance(own_options, str) else own_options),  # what the URL says comes last and wins
        ]
    )
    arguments = {"options": options, "application_name": application_name, "connect_timeout": chosen.database_connect_timeout_s}
    bare = parsed.difference_update_query(["options"])
    if pooled:
        engine = create_engine(
            bare,
            connect_args=arguments,
            pool_size=chosen.database_pool_size,
            max_overflow=chosen.database_pool_overflow,
            pool_pre_ping=True,
        )
    else:
        engine = create_engine(bare, connect_args=arguments, poolclass=NullPool)
    event.listen(engine, "handle_error", _say_what_is_wrong)
    try:
        _prove_usable(engine)
    except ParleyError:
        engine.dispose()
        raise
    return engine


def session_factory(engine: Engine) -> SessionFactory:
    """Sessions on ``engine``. Rows stay readable after the commit; nothing is loaded behind the caller's back (``lazy="raise"``)."""
    return sessionmaker(engine, expire_on_commit=False)


def _prove_usable(engine: Engine) -> None:
    with engine.connect() as connection:
        version = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    if version < OLDEST_SERVER:
        raise DatabaseTooOld(
            f"the database at {masked(engine.url)} is PostgreSQL {version}, but Parley needs {OLDEST_SERVER} or newer; upgrade it, "
            "or leave PARLEY_DATABASE_URL unset for the embedded one"
        )


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _say_what_is_wrong(context: ExceptionContext) -> None:
    """Turn the failures that a person can act on into their sentence (raised from the driver's own error)."""
    cause = context.original_exception
    if isinstance(cause, psycopg.errors.LockNotAvailable):
        raise DatabaseBusy("another request has been working on the same rows for too long; try again in a moment") from cause
    if isinstance(cause, psycopg.errors.QueryCanceled):
        raise DatabaseBusy(
            "the database took too long over one statement and gave up; try again, or raise PARLEY_DATABASE_STATEMENT_TIMEOUT_S"
        ) from cause
    never_connected = context.connection is None and isinstance(cause, psycopg.OperationalError)
    if (never_connected or context.is_disconnect) and not context.is_pre_ping:
        reason = " ".join(str(cause).split())
        where = masked(context.engine.url) if context.engine is not None else "the database"
        raise DatabaseUnreachable(
            f"the database at {where} cannot be reached ({reason}); check that it runs and that host, port, user, password and "
            "database name in PARLEY_DATABASE_URL are right, or leave it unset for the embedded one"
        ) from cause
