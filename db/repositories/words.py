"""Searching for words anywhere in a few columns, whatever their case, with ``%`` and ``_`` meaning themselves."""

from sqlalchemy import ColumnElement, and_, false, or_, true
from sqlalchemy.orm import InstrumentedAttribute


def every_word_in(text: str, *columns: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """True for rows in which every word of ``text`` stands in one of the columns; all rows where ``text`` has none."""
    if not _storable(text):
        return false()
    return and_(true(), *(or_(*(column.icontains(word, autoescape=True) for column in columns)) for word in text.split()))


def _storable(text: str) -> bool:
    # PostgreSQL holds neither NUL nor lone surrogates, so nothing stored can match them, and sending them would be an error.
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
