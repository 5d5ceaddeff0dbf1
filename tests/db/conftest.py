"""Rows in a migrated database of the test's own."""

import pytest
from db_rows import Rows
from sqlalchemy.orm import Session


@pytest.fixture
def rows(session: Session) -> Rows:
    """Writes rows into ``session``."""
    return Rows(session)
