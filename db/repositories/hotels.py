"""Queries on hotels and the people there."""

import uuid
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from db.models import Contact, Hotel
from db.repositories.insertion import add_unless_present
from db.repositories.words import every_word_in


def create(session: Session, hotel: Hotel) -> tuple[Hotel, bool]:
    """Add a hotel, or find the one of this name, city and country in any case (unchanged); says whether it was added."""
    identity = {func.lower(Hotel.name): hotel.name, func.lower(Hotel.city): hotel.city, func.lower(Hotel.country): hotel.country}
    same = [lowered == func.lower(value) for lowered, value in identity.items()]
    return add_unless_present(session, hotel, unique=list(identity), same=same)


def find_with_contacts(session: Session, hotel_id: uuid.UUID) -> Hotel | None:
    """The hotel with its ``contacts``."""
    return session.scalars(select(Hotel).options(selectinload(Hotel.contacts)).where(Hotel.id == hotel_id)).one_or_none()


def search(session: Session, text: str = "", *, limit: int = 50) -> Sequence[Hotel]:
    """Hotels whose name or city has every word of ``text``, by name."""
    return session.scalars(
        select(Hotel).where(every_word_in(text, Hotel.search_text)).order_by(func.lower(Hotel.name), Hotel.id).limit(limit)
    ).all()


def list_cities(session: Session) -> Sequence[str]:
    """Every city in which we know a hotel."""
    return session.scalars(select(Hotel.city).distinct().order_by(Hotel.city)).all()


def add_contact(session: Session, contact: Contact) -> Contact:
    """Add a person at a hotel."""
    session.add(contact)
    session.flush()
    return contact
