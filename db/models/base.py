"""What all tables share: identity, creation time, names of constraints, and how money and vocabulary are stored.

Ids are UUIDv7, made here and not by the server, so that a row is known before it is written and ids sort by time. Relations are
``lazy="raise"``: whoever needs one says so in the query. Collections are view-only; rows are tied together by their ids, and every
child has a relation to its parent, from which SQLAlchemy learns to write parents first.
"""

import uuid
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import DateTime, Dialect, Enum, Integer, MetaData, Numeric, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column
from sqlalchemy.types import TypeDecorator
from uuid_utils.compat import uuid7

Json = dict[str, Any]
"""A JSON object as psycopg gives it. Assign a new one to change it: changes inside are not noticed."""


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True, eq=False, repr=False):
    """A row with a UUIDv7 ``id`` and the instant it was written."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        int: Integer(),
        str: Text(),
        uuid.UUID: Uuid(),
        Json: JSONB(none_as_null=True),
        list[Json]: JSONB(none_as_null=True),
    }
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012 - SQLAlchemy declares it as an instance's

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default_factory=uuid7)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), init=False)
    """Start of the transaction that wrote the row, UTC."""

    def __repr__(self) -> str:
        # Only the id: a row may hold secrets (limits, password hashes), and a repr ends up in logs.
        return f"<{type(self).__name__} {self.id}>"


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal that is never rounded on its way in: what does not fit the scale is refused.

    It comes back with ``shown`` places, more only where they carry a digit (``430.00``, but ``12.345``).
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, precision: int, scale: int, shown: int) -> None:
        super().__init__(precision, scale)
        self.scale = scale
        self.shown = shown

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Decimal | None:
        """Refuse what the column would round.

        Raises:
            ValueError: for NaN, infinity, or more decimal places than the column keeps.
        """
        if value is None:
            return None
        if not value.is_finite() or value != round(value, self.scale):
            raise ValueError(f"{value} cannot be stored exactly: give a number with at most {self.scale} decimal places")
        return value

    def process_result_value(self, value: Decimal | None, dialect: Dialect) -> Decimal | None:
        """Drop the zeros that only the column's scale has added."""
        if value is None:
            return None
        shown = round(value, self.shown)
        return shown if shown == value else value.normalize()


MONEY = ExactDecimal(14, 3, 2)
"""An amount in the row's currency; three places, since some currencies (KWD, BHD, OMR) have them."""

SHARE = ExactDecimal(7, 6, 2)
"""A share in [0, 1]."""


def words(vocabulary: type[StrEnum], name: str, *, checked: bool = True) -> Enum:
    """A text column that admits the vocabulary's words only; ``name`` (the column's) names its CHECK constraint.

    ``checked=False`` leaves the constraint to the table, for an array of words.
    """
    return Enum(
        vocabulary,
        name=name,
        native_enum=False,
        create_constraint=checked,
        length=32,
        values_callable=lambda kind: [word.value for word in kind],
    )
