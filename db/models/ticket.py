"""Price-chase tickets: one room type of one hotel for a range of stay dates whose price is to come down."""

import uuid
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Computed, Double, ForeignKey, Index, Text, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import MONEY, SHARE, Base, words
from db.models.hotel import Hotel
from db.vocabulary import ConcessionTactic, TicketStatus


class Ticket(Base, kw_only=True):
    """Public facts, secret limits (``target``, ``ceiling``, ``opening_ask``, tactic) and the outcome. The database itself
    refuses an agreement above the ceiling.
    """

    __tablename__ = "ticket"
    __table_args__ = (
        Index(None, "hotel_id"),
        Index(None, "created_by", "created_at"),
        Index(None, "status", "created_at"),
        Index(None, "created_at"),
        CheckConstraint("check_out > check_in", name="dates"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint("current_net > 0", name="current_net"),
        CheckConstraint("commission >= 0 AND commission < 1", name="commission"),
        CheckConstraint("rooms >= 1", name="rooms"),
        CheckConstraint("competitor_price > 0", name="competitor_price"),
        CheckConstraint("0 < opening_ask AND opening_ask <= target AND target <= ceiling", name="mandate"),
        CheckConstraint("exponent > 0", name="exponent"),
        CheckConstraint("max_rounds >= 1", name="max_rounds"),
        CheckConstraint("status <> 'agreed' OR agreed_net IS NOT NULL", name="agreed_has_net"),
        CheckConstraint("agreed_net > 0 AND agreed_net <= ceiling", name="agreed_within_ceiling"),
    )

    hotel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("hotel.id"))
    reference: Mapped[str] = mapped_column(unique=True)
    """The number that staff know it by; importing the same file again adds nothing."""
    room_type: Mapped[str]
    check_in: Mapped[date]
    check_out: Mapped[date]
    currency: Mapped[str]
    """ISO 4217."""
    current_net: Mapped[Decimal] = mapped_column(MONEY)
    commission: Mapped[Decimal] = mapped_column(SHARE)
    """Share of the selling price that we keep, in [0, 1)."""
    rooms: Mapped[int] = mapped_column(default=1)
    breakfast: Mapped[bool | None] = mapped_column(default=None)
    tax_included: Mapped[bool | None] = mapped_column(default=None)
    competitor_price: Mapped[Decimal | None] = mapped_column(MONEY, default=None)
    """Lowest *selling* price seen elsewhere."""
    competitor_source: Mapped[str | None] = mapped_column(default=None)
    competitor_seen_on: Mapped[date | None] = mapped_column(default=None)
    evidence: Mapped[list[str]] = mapped_column(ARRAY(Text), default_factory=list[str])
    """Further true sentences that may be quoted."""

    target: Mapped[Decimal] = mapped_column(MONEY)
    """Secret, net."""
    ceiling: Mapped[Decimal] = mapped_column(MONEY)
    """Secret, net: the highest price that still counts as a success."""
    opening_ask: Mapped[Decimal] = mapped_column(MONEY)
    """Secret, net."""
    tactic: Mapped[ConcessionTactic] = mapped_column(words(ConcessionTactic, "tactic"), default=ConcessionTactic.BOULWARE)
    exponent: Mapped[float] = mapped_column(Double, default=3.0)
    max_rounds: Mapped[int] = mapped_column(default=6)

    status: Mapped[TicketStatus] = mapped_column(words(TicketStatus, "status"), default=TicketStatus.OPEN)
    agreed_net: Mapped[Decimal | None] = mapped_column(MONEY, default=None)
    closed_at: Mapped[datetime | None] = mapped_column(default=None)
    """When ``status`` left ``open``."""
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("app_user.id"), default=None)
    search_text: Mapped[str] = mapped_column(Computed("lower(reference || ' ' || room_type)", persisted=True), init=False, deferred=True)
    """What a search looks through, beside the hotel's own; kept by the database."""
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now(), init=False)

    hotel: Mapped[Hotel] = relationship(lazy="raise", init=False)
