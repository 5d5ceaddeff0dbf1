"""People who sign in."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, words
from db.vocabulary import Role

_KNOWN_ROLES = ", ".join(f"'{role}'" for role in Role)


class User(Base, kw_only=True):
    """One person. Never deleted, since turns and audit events name it; ``disabled_at`` locks it out."""

    __tablename__ = "app_user"  # "user" is a function in PostgreSQL: SELECT * FROM user silently answers with the session's role
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_lower"),
        CheckConstraint(f"roles <@ ARRAY[{_KNOWN_ROLES}]::varchar[]", name="roles"),
    )

    email: Mapped[str] = mapped_column(unique=True)
    """Lower case."""
    name: Mapped[str]
    password_hash: Mapped[str | None] = mapped_column(default=None)
    """argon2; None where an identity provider vouches for the person."""
    external_subject: Mapped[str | None] = mapped_column(Text, unique=True, default=None)
    """``issuer|subject`` of the identity provider; an address may change hands, this does not."""
    roles: Mapped[list[Role]] = mapped_column(ARRAY(words(Role, "roles", checked=False)), default_factory=list[Role])
    disabled_at: Mapped[datetime | None] = mapped_column(default=None)
