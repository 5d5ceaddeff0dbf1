"""Searching for words anywhere in what a row says, whatever their case, with ``%`` and ``_`` meaning themselves.

The tables keep what is searched in lower case already (``search_text``): lowering it for every row of every search takes ten times as
long as the search.
"""

from sqlalchemy import ColumnElement, and_, false, func, or_, true
from sqlalchemy.orm import InstrumentedAttribute


def every_word_in(text: str, *search_texts: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """True for rows in which every word of ``text`` stands in one of the columns; all rows where ``text`` has none."""
    if not _storable(text):
        return false()
    patterns = [func.lower(f"%{_literally(word)}%") for word in text.split()]  # lowered by the database, as the columns were
    return and_(true(), *(or_(*(column.like(pattern, escape="/") for column in search_texts)) for pattern in patterns))


def _literally(word: str) -> str:
    return word.replace("/", "//").replace("%", "/%").replace("_", "/_")


def _storable(text: str) -> bool:
    # PostgreSQL holds neither NUL nor lone surrogates, so nothing stored can match them, and sending them would be an error.
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
