"""Made once, since every part of it takes a second or more."""

from collections.abc import Iterator

import pytest
import torch

from db.engine import SessionFactory, create_engine_from, session_factory
from tests.training.runs.run_scenes import Scene


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    torch.set_num_threads(1)
    return Scene(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def sessions(database_url: str) -> Iterator[SessionFactory]:
    engine = create_engine_from(database_url, pooled=False)
    yield session_factory(engine)
    engine.dispose()
