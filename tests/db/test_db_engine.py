"""A database that cannot be used is named, without its password, together with the mend."""

import contextlib
import socket
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, make_url, text
from sqlalchemy.orm import Session

from db import engine as engine_module
from db.engine import (
    DatabaseBusy,
    DatabaseTooOld,
    DatabaseUnreachable,
    DatabaseUrlWrong,
    SessionFactory,
    create_engine_from,
    masked,
    parse_url,
    psycopg_url,
)
from db.errors import ParleyError
from db.settings import DatabaseSettings

SECRET = "s3cr3t-w0rd"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_scheme_means_psycopg(scheme: str) -> None:
    url = f"{scheme}://ada:{SECRET}@db.example:6432/parley?sslmode=require"
    assert parse_url(url).drivername == "postgresql+psycopg"
    assert psycopg_url(url) == f"postgresql://ada:{SECRET}@db.example:6432/parley?sslmode=require"


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://ada:{SECRET}@db.example/parley",
        f"sqlite:///parley.db?password={SECRET}",
        f"postgresql+asyncpg://ada:{SECRET}@db.example/parley",
        f"postgresql://ada:{SECRET}@db.example:port/parley",
        f"host=db.example user=ada password={SECRET}",
        f"//ada:{SECRET}@db.example",
        "",
        "nonsense",
    ],
)
def test_a_url_that_cannot_be_meant_is_refused_with_the_form_that_is_wanted(url: str) -> None:
    with pytest.raises(DatabaseUrlWrong, match="postgresql://user:password@host:5432/database") as refused:
        create_engine_from(url)
    assert SECRET not in str(refused.value)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_text_is_either_a_url_or_a_clear_error(url: str) -> None:
    with contextlib.suppress(DatabaseUrlWrong):
        parse_url(url)


@given(st.from_regex(r"[A-Za-z0-9!$*()_+~-]{8,20}", fullmatch=True))
def test_no_password_survives_masking(password: str) -> None:
    url = f"postgresql://ada:{password}@db.example/parley?sslpassword={password}"
    for shown in (masked(url), masked(make_url(url))):
        assert f":{password}@" not in shown
        assert f"={password}" not in shown
        assert "db.example/parley" in shown


def test_a_server_that_is_away_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening: refuses every connection
        port = taken.getsockname()[1]
        with pytest.raises(DatabaseUnreachable, match=rf"127\.0\.0\.1:{port}/parley.*refused.*PARLEY_DATABASE_URL") as away:
            create_engine_from(f"postgresql://ada:{SECRET}@127.0.0.1:{port}/parley")
    assert SECRET not in str(away.value)


def test_a_host_that_does_not_exist_is_named() -> None:
    with pytest.raises(DatabaseUnreachable, match=r"nowhere\.invalid"):
        create_engine_from("postgresql://ada@nowhere.invalid/parley")


def test_a_wrong_password_is_told_from_a_missing_database(database_url: str) -> None:
    there = make_url(database_url)
    with pytest.raises(DatabaseUnreachable, match="password authentication failed"):
        create_engine_from(there.set(password="wrong").render_as_string(hide_password=False))
    with pytest.raises(DatabaseUnreachable, match='database "no_such" does not exist'):
        create_engine_from(there.set(database="no_such").render_as_string(hide_password=False))


def test_a_server_that_is_too_old_is_named(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "OLDEST_SERVER", 99)
    with pytest.raises(DatabaseTooOld, match=r"is PostgreSQL \d+, but Parley needs 99"):
        create_engine_from(database_url)


def test_a_connection_lost_while_idle_is_replaced(engine: Engine, database_url: str) -> None:
    with engine.connect() as connection:
        before = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    _terminate(database_url, before)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() != before


def test_a_connection_lost_in_a_transaction_says_so(engine: Engine, database_url: str) -> None:
    with engine.connect() as connection:
        _terminate(database_url, connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
        with pytest.raises(DatabaseUnreachable, match="cannot be reached"):
            connection.execute(text("SELECT 1"))


def _terminate(url: str, pid: int) -> None:
    with create_engine_from(url, pooled=False).connect() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})


def test_a_statement_that_takes_too_long_is_given_up(database_url: str) -> None:
    engine = create_engine_from(database_url, settings=DatabaseSettings(database_statement_timeout_s=0.05), pooled=False)
    with engine.connect() as connection, pytest.raises(DatabaseBusy, match="too long over one statement"):
        connection.execute(text("SELECT pg_sleep(5)"))


def test_what_the_url_says_about_timeouts_wins(database_url: str) -> None:
    url = make_url(database_url).update_query_dict({"options": "-c statement_timeout=1234"}).render_as_string(hide_password=False)
    engine = create_engine_from(url, pooled=False)
    with engine.connect() as connection:
        assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "1234ms"
        assert connection.execute(text("SHOW lock_timeout")).scalar_one() == "10s"


def test_times_come_back_in_utc(session: Session) -> None:
    now = session.execute(text("SELECT now()")).scalar_one()
    assert now.utcoffset() == timedelta(0)


def test_what_failed_leaves_nothing_behind(sessions: SessionFactory) -> None:
    def fail_after_writing() -> None:
        with sessions.begin() as session:
            session.execute(text("INSERT INTO contact (id, hotel_id, name) SELECT gen_random_uuid(), id, 'x' FROM hotel"))
            session.execute(text("CREATE TABLE half_done (id int)"))
            raise ParleyError("stop")

    with pytest.raises(ParleyError):
        fail_after_writing()
    with sessions() as session:
        assert session.execute(text("SELECT to_regclass('half_done')")).scalar_one() is None
