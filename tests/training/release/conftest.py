"""Two replicas, a store, and versions that are published on them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from replicas import Replica, make_adapter, replica

from agent.serving import AdapterStore
from db.engine import SessionFactory
from training.release.fleet import Fleet
from training.release.publishing import publish

Published = Callable[[str], UUID]


@pytest.fixture
def replicas() -> Iterator[tuple[Replica, Replica]]:
    with replica() as first, replica() as second:
        yield first, second


@pytest.fixture
def fleet(replicas: tuple[Replica, Replica]) -> Iterator[Fleet]:
    with Fleet([one.url for one in replicas]) as fleet:
        yield fleet


@pytest.fixture
def store(tmp_path: Path) -> AdapterStore:
    return AdapterStore(tmp_path / "adapters")


@pytest.fixture
def published(sessions: SessionFactory, fleet: Fleet, store: AdapterStore, tmp_path: Path) -> Published:
    """``published(name)`` publishes an adapter of its own under the name."""

    def make(name: str) -> UUID:
        adapter = make_adapter(tmp_path / "trained" / name, name.encode() * 100)
        return publish(sessions, fleet, store, adapter, name=name, parent_id=None, note={})

    return make
