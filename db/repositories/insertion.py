"""Adding a row that may be there already: the one way in which a repeated request becomes harmless."""

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, inspect, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from db.models import Base

Row = TypeVar("Row", bound=Base)


def add_unless_present(
    session: Session, row: Row, *, unique: Sequence[ColumnElement[Any]], same: Sequence[ColumnElement[bool]]
) -> tuple[Row, bool]:
    """Insert ``row``, or find the one that is there already (``same``); says whether it was inserted.

    ``unique`` are the columns or expressions of the unique index that decides. Two concurrent transactions are safe: the second waits
    for the first and then finds its row. The row given stays outside the session; go on with the one returned.
    """
    model = type(row)
    values = {attribute.key: getattr(row, attribute.key) for attribute in inspect(model).column_attrs if attribute.key in row.__dict__}
    inserted = session.scalars(
        insert(model).values(values).on_conflict_do_nothing(index_elements=list(unique)).returning(model)
    ).one_or_none()
    if inserted is not None:
        return inserted, True
    return session.scalars(select(model).where(*same)).one(), False
