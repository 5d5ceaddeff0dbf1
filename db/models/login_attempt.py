"""Attempts to sign in, for the rate limit."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class LoginAttempt(Base, kw_only=True):
    """One attempt, for an address that need not exist. Old ones are swept."""

    __tablename__ = "login_attempt"
    __table_args__ = (
        Index(None, "email", "created_at"),
        Index(None, "remote_address", "created_at"),
        Index(None, "created_at"),
    )

    email: Mapped[str]
    """As typed, lower case."""
    remote_address: Mapped[str | None] = mapped_column(default=None)
    succeeded: Mapped[bool] = mapped_column(default=False)
