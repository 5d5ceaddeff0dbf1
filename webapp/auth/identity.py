"""Who a cookie belongs to, asked on every request and every rerun: from Postgres, remembered for a few seconds.

The memory keeps the query out of the rerun path. A sign-in that is revoked or changed elsewhere is noticed within ``REMEMBERED_S``, one
that this process itself ends at once (``forget``).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from time import monotonic
from uuid import UUID

from db.repositories import user_sessions
from db.vocabulary import Role
from webapp import database
from webapp.auth.cookies import token_hash, unseal
from webapp.settings import web_settings

REMEMBERED_S = 10.0
_MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A signed-in person."""

    user_id: UUID
    name: str
    email: str
    roles: frozenset[Role]
    expires_at: datetime

    def may(self, *roles: Role) -> bool:
        """Whether the person has one of these roles; an administrator has them all."""
        return Role.ADMIN in self.roles or bool(self.roles.intersection(roles))


_remembered: dict[str, tuple[Identity, float]] = {}
_lock = Lock()


def identify(cookie: str | None) -> Identity | None:
    """The person whose browser sent this cookie; None where it is missing, forged, expired or revoked, or the person locked out.

    Raises:
        ParleyError: the database cannot be reached.
    """
    token = unseal(cookie, key=web_settings().signing_key())
    if token is None:
        return None
    hashed, now = token_hash(token), datetime.now(UTC)
    with _lock:
        found, until = _remembered.get(hashed, (None, 0.0))
    if found is None or until < monotonic():
        found = _look_up(hashed, now)
    return found if found is not None and found.expires_at > now else None


def forget(hashed: str) -> None:
    """Look this sign-in up anew the next time."""
    with _lock:
        _remembered.pop(hashed, None)


def forget_all() -> None:
    """Look everybody up anew: after roles changed, or a person was locked out."""
    with _lock:
        _remembered.clear()


def _look_up(hashed: str, now: datetime) -> Identity | None:
    with database.sessions().begin() as session:
        active = user_sessions.find_active(session, hashed, now=now)
        found = None
        if active is not None:
            user = active.user
            found = Identity(user_id=user.id, name=user.name, email=user.email, roles=frozenset(user.roles), expires_at=active.expires_at)
    with _lock:
        if found is None:
            _remembered.pop(hashed, None)
        else:
            if len(_remembered) >= _MOST:
                _remembered.clear()
            _remembered[hashed] = (found, monotonic() + REMEMBERED_S)
    return found
