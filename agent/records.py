"""How domain values become JSON and come back: one codec for database columns, checkpoints and exports.

Amounts travel as strings, so that no price is ever a float.
"""

from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def to_json(value: Any) -> Any:
    """A domain dataclass, or a tuple of them, as plain JSON values."""
    return _adapter(type(value)).dump_python(value, mode="json") if not isinstance(value, tuple) else [to_json(item) for item in value]


def from_json(kind: type[T], data: Any) -> T:
    """The inverse of ``to_json``; raises pydantic.ValidationError where the data is not of that kind."""
    return _adapter(kind).validate_python(data)


def list_from_json(kind: type[T], data: Any) -> tuple[T, ...]:
    """The inverse of ``to_json`` for a tuple."""
    return tuple(from_json(kind, item) for item in data)
