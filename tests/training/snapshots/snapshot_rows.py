"""Rows for tests that write snapshots without a database."""

from typing import Any
from uuid import UUID, uuid5

from training.data.columns import Format, Row, messages, ordered

_SPACE = UUID(int=5)


def preference(number: int, *, hotel: str = "hotel-1", rater: str | None = "rater-1", said: int | None = None, **values: Any) -> Row:
    """A preference with an id of its own; rows with the same ``said`` say the same."""
    said = number if said is None else said
    content = {"prompt": messages("user", f"prompt {said}"), "chosen": messages("assistant", "a"), "rejected": messages("assistant", "b")}
    where = {"source": "comparison", "rating_ids": [str(number)], "hotel": hotel, "rater": rater, "language": "en"}
    where |= {"simulated_hotel": False, "simulated_rater": False, "created_at": "2027-01-01T00:00:00.000000Z"}
    return ordered(Format.PREFERENCE, {"id": str(uuid5(_SPACE, str(number))), **content, **where, **values})
