"""Lends a command the services that it needs: the named ones, the running instance's, or ones started for the length of the command."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

from agent.settings import AgentSettings
from db.engine import SessionFactory, create_engine_from, session_factory
from webapp.instance.record import Home
from webapp.instance.settings import InstanceSettings
from webapp.instance.start import end, follow, launch

if TYPE_CHECKING:
    from agent.service import Negotiations


@contextmanager
def connected() -> Generator["Negotiations"]:
    """Negotiations on the instance that runs; where none does, database and model are started for the length of the block."""
    # Imported here: `parley status` should not wait for the whole agent.
    from agent.service import connect

    with _services() as (database_url, model_url), connect(database_url, settings=AgentSettings(model_url=model_url)) as negotiations:
        yield negotiations


@contextmanager
def connected_database() -> Generator[SessionFactory]:
    """The database alone, with the same choice of where it comes from."""
    with _services(model=False) as (database_url, _):
        engine = create_engine_from(database_url, pooled=False)
        try:
            yield session_factory(engine)
        finally:
            engine.dispose()


@contextmanager
def database_address() -> Generator[str]:
    """The database's address, with the same choice of where it comes from; for programs that connect by themselves."""
    with _services(model=False) as (database_url, _):
        yield database_url


@contextmanager
def connected_training(*, database: bool, model: bool) -> Generator[tuple[SessionFactory | None, str | None]]:
    """What a training run is given: the database, and the address of our model server where that is to judge."""
    if not database and not model:
        yield None, None
        return
    with _services(model=model) as (database_url, model_url):
        if not database:
            yield None, model_url
            return
        engine = create_engine_from(database_url)
        try:
            yield session_factory(engine), model_url or None
        finally:
            engine.dispose()


@contextmanager
def _services(*, model: bool = True) -> Generator[tuple[str, str]]:
    """Database and model addresses: what the environment names, else the running instance's, else of one started for the block."""
    settings = InstanceSettings()
    if settings.database_url is not None and (settings.model_url is not None or not model):
        yield settings.database_url, settings.model_url or ""
        return
    home = Home(settings.home)
    record = home.read()
    if home.is_running() and record is not None:
        yield record.database_url, record.model_url
        return
    supervisor = launch(with_parent=True, arguments=["--no-web"] + ([] if model else ["--no-model"]))
    try:
        follow(supervisor, home, Console(stderr=True, highlight=False), admin=False)
        record = home.read()
        assert record is not None
        yield record.database_url, record.model_url
    finally:
        end(supervisor)
