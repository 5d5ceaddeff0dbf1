"""A desk on a migrated database of the test's own, with conversations to judge."""

import pytest
from rating_scenes import Scenes

from db.engine import SessionFactory
from training.ratings.desk import RatingDesk


@pytest.fixture
def scenes(sessions: SessionFactory) -> Scenes:
    return Scenes(sessions)


@pytest.fixture
def desk(sessions: SessionFactory) -> RatingDesk:
    return RatingDesk(sessions, dry_s=0.0)
