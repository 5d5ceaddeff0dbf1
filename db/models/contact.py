"""People at a hotel. Personal data: exports mask it."""

import uuid

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


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
