"""The web process's one rating desk."""

from collections.abc import Callable
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from db.errors import ParleyError
from training.ratings.desk import RatingDesk
from webapp import database
from webapp.shared import Shared

_LOG = structlog.get_logger("parley.web.annotate")


def _open() -> tuple[RatingDesk, Callable[[], object]]:
    return RatingDesk(database.sessions()), lambda: None


rating_desk: Shared[RatingDesk] = Shared(_open)
"""Hands out tasks and takes judgements; thread-safe."""


def give_back(rater_id: UUID) -> None:
    """Free what a person holds, as they leave. What cannot be freed now is free when its time is up, so nobody is kept from leaving."""
    try:
        rating_desk().release(rater_id)
    except (ParleyError, SQLAlchemyError) as error:
        _LOG.warning("what a person held is not given back yet; it is once its time is up", rater=str(rater_id), reason=str(error))
