"""Queries on tickets."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.orm import Session, contains_eager, joinedload

from db.errors import ParleyError
from db.models import Hotel, Ticket
from db.repositories.insertion import add_unless_present
from db.repositories.words import every_word_in
from db.vocabulary import TicketStatus


class TicketNotFound(ParleyError):
    """No ticket has this id."""


class TicketOrder(StrEnum):
    """How a list of tickets is sorted."""

    NEWEST = "newest"
    CHECK_IN = "check_in"
    HOTEL = "hotel"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFilter:
    """Which tickets are meant; what is left out does not narrow."""

    text: str = ""
    """Words that must each stand in the hotel's name or city, the reference or the room type."""
    statuses: tuple[TicketStatus, ...] = ()
    hotel_id: uuid.UUID | None = None
    city: str | None = None
    """In any case."""
    created_by: uuid.UUID | None = None
    stays_from: date | None = None
    stays_to: date | None = None
    """Stays that overlap these dates, both included."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """For a statement that joins ``Hotel``."""
        found = [every_word_in(self.text, Hotel.search_text, Ticket.search_text)]
        if self.statuses:
            found.append(Ticket.status.in_(self.statuses))
        if self.hotel_id is not None:
            found.append(Ticket.hotel_id == self.hotel_id)
        if self.city is not None:
            found.append(func.lower(Hotel.city) == func.lower(self.city))
        if self.created_by is not None:
            found.append(Ticket.created_by == self.created_by)
        if self.stays_from is not None:
            found.append(Ticket.check_out > self.stays_from)
        if self.stays_to is not None:
            found.append(Ticket.check_in <= self.stays_to)
        return found


Statement = TypeVar("Statement", bound=Select[*tuple[Any, ...]])

EVERY_TICKET = TicketFilter()

_ORDERS: dict[TicketOrder, tuple[Any, ...]] = {
    TicketOrder.NEWEST: (Ticket.created_at.desc(), Ticket.id.desc()),
    TicketOrder.CHECK_IN: (Ticket.check_in, Ticket.id),
    TicketOrder.HOTEL: (func.lower(Hotel.name), Ticket.check_in, Ticket.id),
}


def create(session: Session, ticket: Ticket) -> tuple[Ticket, bool]:
    """Add a ticket, or find the one that has its reference already (unchanged); says whether it was added."""
    return add_unless_present(session, ticket, unique=[Ticket.reference.expression], same=[Ticket.reference == ticket.reference])


def search(
    session: Session,
    wanted: TicketFilter = EVERY_TICKET,
    *,
    order: TicketOrder = TicketOrder.NEWEST,
    limit: int = 50,
    offset: int = 0,
) -> Sequence[Ticket]:
    """One page of tickets with their ``hotel``."""
    return session.scalars(
        _narrowed(select(Ticket), wanted).options(contains_eager(Ticket.hotel)).order_by(*_ORDERS[order]).limit(limit).offset(offset)
    ).all()


def count(session: Session, wanted: TicketFilter = EVERY_TICKET) -> int:
    """How many tickets there are on all pages."""
    return session.scalars(_narrowed(select(func.count(Ticket.id)), wanted)).one()


def count_by_status(session: Session, wanted: TicketFilter = EVERY_TICKET) -> dict[TicketStatus, int]:
    """How many tickets there are in each status, 0 included."""
    counted = session.execute(_narrowed(select(Ticket.status, func.count(Ticket.id)), wanted).group_by(Ticket.status))
    return dict.fromkeys(TicketStatus, 0) | dict(counted.all())


def get_with_hotel(session: Session, ticket_id: uuid.UUID) -> Ticket:
    """The ticket with its ``hotel``.

    Raises:
        TicketNotFound: if there is none.
    """
    found = session.scalars(select(Ticket).options(joinedload(Ticket.hotel)).where(Ticket.id == ticket_id)).one_or_none()
    if found is None:
        raise TicketNotFound(f"there is no ticket {ticket_id}; it may belong to another instance: choose one from the list")
    return found


def find_by_reference(session: Session, reference: str) -> Ticket | None:
    """The ticket that staff know by this reference, with its ``hotel``."""
    return session.scalars(select(Ticket).options(joinedload(Ticket.hotel)).where(Ticket.reference == reference)).one_or_none()


def known_references(session: Session, references: Sequence[str]) -> set[str]:
    """Those of the references that are taken."""
    return set(session.scalars(select(Ticket.reference).where(Ticket.reference.in_(references))))


def lock_tickets(session: Session, ticket_ids: Sequence[uuid.UUID]) -> Sequence[Ticket]:
    """The tickets with their ``hotel``, as they are now, locked until the transaction ends; in the order of the ids given.

    Raises:
        TicketNotFound: naming the first that there is none of.
    """
    rows = session.scalars(
        select(Ticket)
        .options(joinedload(Ticket.hotel, innerjoin=True))
        .where(Ticket.id.in_(ticket_ids))
        .order_by(Ticket.id)  # everybody locks in the same order, so nobody waits in a circle
        .with_for_update(of=Ticket)
        .execution_options(populate_existing=True)
    )
    found = {ticket.id: ticket for ticket in rows}
    for ticket_id in ticket_ids:
        if ticket_id not in found:
            raise TicketNotFound(f"there is no ticket {ticket_id}; it may belong to another instance: choose one from the list")
    return [found[ticket_id] for ticket_id in ticket_ids]


def record_outcome(session: Session, ticket_id: uuid.UUID, status: TicketStatus, *, agreed_net: Decimal | None = None) -> bool:
    """Close an open ticket; False if it was closed before (which is left as it is).

    ``agreed_net`` goes with ``agreed`` alone. The database refuses one above the ceiling (``IntegrityError``).
    """
    closed = session.scalars(
        update(Ticket)
        .where(Ticket.id == ticket_id, Ticket.status == TicketStatus.OPEN)
        .values(status=status, agreed_net=agreed_net, closed_at=func.now())
        .returning(Ticket.id)
    ).one_or_none()
    return closed is not None


def _narrowed(statement: Statement, wanted: TicketFilter) -> Statement:
    return statement.join(Hotel, Hotel.id == Ticket.hotel_id).where(*wanted.conditions())
