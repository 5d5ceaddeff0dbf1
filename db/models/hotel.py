"""Hotels we negotiate with."""

from decimal import Decimal

from sqlalchemy import CheckConstraint, Computed, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base
from db.models.contact import Contact


class Hotel(Base, kw_only=True):
    """One property. Name, city and country together tell it apart, whatever their case."""

    __tablename__ = "hotel"
    __table_args__ = (
        Index("uq_hotel_lower_name_city_country", text("lower(name)"), text("lower(city)"), text("lower(country)"), unique=True),
        Index("ix_hotel_lower_city", text("lower(city)")),
        CheckConstraint("star BETWEEN 0 AND 7", name="star"),
    )

    name: Mapped[str]
    city: Mapped[str]
    country: Mapped[str]
    timezone: Mapped[str] = mapped_column(default="UTC")
    """IANA name: when it is polite to write."""
    star: Mapped[Decimal | None] = mapped_column(Numeric(2, 1), default=None)
    search_text: Mapped[str] = mapped_column(Computed("lower(name || ' ' || city)", persisted=True), init=False, deferred=True)
    """What a search looks through; kept by the database."""

    contacts: Mapped[list[Contact]] = relationship(lazy="raise", viewonly=True, init=False, order_by=Contact.id)
