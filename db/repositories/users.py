"""Queries on people."""

import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from db.models import User
from db.repositories.insertion import add_unless_present
from db.vocabulary import Role


def create(
    session: Session,
    *,
    email: str,
    name: str,
    roles: Iterable[Role],
    password_hash: str | None = None,
    external_subject: str | None = None,
) -> tuple[User, bool]:
    """Add a person, or find the one who has this address already (unchanged); says whether it was added."""
    user = User(email=normal_email(email), name=name, roles=list(roles), password_hash=password_hash, external_subject=external_subject)
    return add_unless_present(session, user, unique=[User.email.expression], same=[User.email == user.email])


def normal_email(email: str) -> str:
    """The address as it is stored and compared."""
    return email.strip().lower()


def find_by_id(session: Session, user_id: uuid.UUID) -> User | None:
    """The person, disabled or not."""
    return session.get(User, user_id)


def find_by_email(session: Session, email: str) -> User | None:
    """The person with this address in any case, disabled or not."""
    return session.scalars(select(User).where(User.email == normal_email(email))).one_or_none()


def find_by_external_subject(session: Session, subject: str) -> User | None:
    """The person whom the identity provider knows as ``issuer|subject``."""
    return session.scalars(select(User).where(User.external_subject == subject)).one_or_none()


def list_all(session: Session) -> Sequence[User]:
    """Everybody, by name."""
    return session.scalars(select(User).order_by(func.lower(User.name), User.id)).all()


def anyone_exists(session: Session) -> bool:
    """False on the first start."""
    return session.scalars(select(User.id).limit(1)).first() is not None


def set_password_hash(session: Session, user_id: uuid.UUID, password_hash: str) -> None:
    """Replace the password."""
    session.execute(update(User).where(User.id == user_id).values(password_hash=password_hash))


def set_roles(session: Session, user_id: uuid.UUID, roles: Iterable[Role]) -> None:
    """Replace the roles."""
    session.execute(update(User).where(User.id == user_id).values(roles=list(roles)))


def disable(session: Session, user_id: uuid.UUID) -> None:
    """Lock the person out from now on; revoke the sessions too (``user_sessions.revoke_all_of_user``)."""
    session.execute(update(User).where(User.id == user_id, User.disabled_at.is_(None)).values(disabled_at=func.now()))


def enable(session: Session, user_id: uuid.UUID) -> None:
    """Let the person in again."""
    session.execute(update(User).where(User.id == user_id).values(disabled_at=None))
