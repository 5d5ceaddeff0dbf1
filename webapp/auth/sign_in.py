"""Signing in and out: the password check, the rate limit that protects it, and the session it makes.

The limit counts wrong passwords in Postgres, by account and by network address, so that it holds across restarts and replicas. One account
is checked by one thread at a time, so that a burst of guesses cannot slip past the count.
"""

from datetime import UTC, datetime, timedelta
from threading import Lock
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from db.errors import ParleyError
from db.repositories import audit_events, login_attempts, user_sessions, users
from webapp import database
from webapp.auth.cookies import new_token, token_hash, unseal
from webapp.auth.identity import forget
from webapp.auth.passwords import matches
from webapp.settings import web_settings

_LOG = structlog.get_logger("parley.web.auth")
_CHECKING = tuple(Lock() for _ in range(64))


class WrongCredentials(ParleyError):
    """E-mail and password do not go together; the same words whether or not the account exists."""


class TooManyAttempts(ParleyError):
    """The rate limit holds this account or this address back."""


def sign_in(email: str, password: str, *, address: str | None) -> str:
    """Check a password and start a session; the session token.

    Raises:
        WrongCredentials: unknown e-mail, wrong password, or a person who is locked out.
        TooManyAttempts: too many wrong passwords lately; nothing was checked.
    """
    settings = web_settings()
    if not users.normal_email(email) or "\0" in email:
        raise WrongCredentials(_WRONG)
    since = datetime.now(UTC) - timedelta(minutes=settings.login_window_minutes)
    with _CHECKING[hash(users.normal_email(email)) % len(_CHECKING)]:
        with database.sessions().begin() as session:
            _require_not_held_back(session, email, address, since=since)
            user = users.find_by_email(session, email)
        known = user is not None and user.disabled_at is None
        right = matches(password, user.password_hash if user is not None and known else None)
        with database.sessions().begin() as session:
            login_attempts.record(session, email=email, remote_address=address, succeeded=right)
            token = start_session(session, user.id) if user is not None and right else None
    if token is None:  # raised out here, so that the attempt above is kept
        _LOG.info("a sign-in was refused", address=address)
        raise WrongCredentials(_WRONG)
    return token


def start_session(session: Session, user_id: UUID) -> str:
    """Start a session for somebody who has proved who they are; the token."""
    now = datetime.now(UTC)
    token = new_token()
    user_sessions.start(
        session, user_id=user_id, token_hash=token_hash(token), expires_at=now + timedelta(hours=web_settings().session_hours)
    )
    audit_events.record(session, actor_id=user_id, action="user.sign_in", subject_type="app_user", subject_id=user_id)
    # What no limit and no sign-in looks at any more goes with the sign-ins that come after it.
    user_sessions.delete_expired(session, before=now - timedelta(days=30))
    login_attempts.delete_old(session, before=now - timedelta(days=1, minutes=web_settings().login_window_minutes))
    return token


def sign_out(cookie: str | None) -> None:
    """End the session that a cookie names; harmless where there is none."""
    token = unseal(cookie, key=web_settings().signing_key())
    if token is None:
        return
    with database.sessions().begin() as session:
        user_sessions.revoke(session, token_hash(token))
    forget(token_hash(token))


_WRONG = "This e-mail and password do not go together."


def _require_not_held_back(session: Session, email: str, address: str | None, *, since: datetime) -> None:
    settings = web_settings()
    minutes = f"{settings.login_window_minutes:g} minutes"
    if login_attempts.count_failures_by_email(session, email, since=since) >= settings.login_failures_per_account:
        _LOG.warning("an account is held back", address=address)
        raise TooManyAttempts(f"Too many wrong passwords for this account. Wait up to {minutes}, then try again.")
    if address and login_attempts.count_failures_by_address(session, address, since=since) >= settings.login_failures_per_address:
        _LOG.warning("an address is held back", address=address)
        raise TooManyAttempts(f"Too many wrong passwords from your network. Wait up to {minutes}, then try again.")
