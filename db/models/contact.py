"""People at a hotel. Personal data: exports mask it."""

import uuid
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base

if TYPE_CHECKING:
    from db.models.hotel import Hotel


class Contact(Base, kw_only=True):
    """One person whom we may write to."""

    __tablename__ = "contact"
    __table_args__ = (Index(None, "hotel_id"),)

    hotel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("hotel.id"))
    name: Mapped[str]
    role: Mapped[str | None] = mapped_column(default=None)
    """Their job at the hotel, in their words."""
    email: Mapped[str | None] = mapped_column(default=None)
    phone: Mapped[str | None] = mapped_column(default=None)

    hotel: Mapped["Hotel"] = relationship(lazy="raise", init=False)
