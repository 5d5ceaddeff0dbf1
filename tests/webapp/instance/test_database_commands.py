"""What a database of yours needs before anybody uses it, by command."""

import io

import pytest
from rich.console import Console

from db.engine import create_engine_from, session_factory
from db.migrate import head
from db.repositories import users
from db.vocabulary import Role
from webapp.instance.database_commands import NoDatabaseNamed, first_admin_command, migrate_command


def test_that_an_empty_database_gets_its_schema_and_one_administrator(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_DATABASE_URL", empty_database_url)
    said = io.StringIO()
    console = Console(file=said, width=200)
    assert migrate_command(console=console) == 0
    assert f"The schema is {head()}; it was not there." in said.getvalue()
    assert migrate_command(console=console) == 0
    assert "as it was" in said.getvalue()
    assert first_admin_command("ada@example.com", console=console) == 0
    assert "ada@example.com" in said.getvalue()
    assert first_admin_command("eve@example.com", console=console) == 1
    assert "There are people already" in said.getvalue()
    engine = create_engine_from(empty_database_url, pooled=False)
    with session_factory(engine)() as session:
        (admin,) = users.list_all(session)
    assert (admin.email, Role.ADMIN in admin.roles) == ("ada@example.com", True)


def test_that_the_embedded_database_is_not_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARLEY_DATABASE_URL", raising=False)
    with pytest.raises(NoDatabaseNamed, match="parley up"):
        migrate_command(console=Console(file=io.StringIO()))
