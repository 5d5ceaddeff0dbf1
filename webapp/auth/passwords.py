"""How passwords are judged and kept: argon2id through pwdlib, and a floor on length rather than rules about characters."""

import secrets

from pwdlib import PasswordHash

from db.errors import ParleyError

SHORTEST = 10
"""Characters; long enough that the rate limit makes guessing hopeless."""
LONGEST = 200
"""Characters; a hash of more would only cost time."""

_HASHER = PasswordHash.recommended()
_NOBODY = _HASHER.hash(secrets.token_urlsafe(16))


class WeakPassword(ParleyError):
    """A password that must not be taken."""


def hash_password(password: str) -> str:
    """Argon2id hash of a password.

    Raises:
        WeakPassword: shorter than 10 or longer than 200 characters.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword(
            f"A password needs {SHORTEST} to {LONGEST} characters; this one has {len(password)}. A few unrelated words make a good one."
        )
    return _HASHER.hash(password)


def generate_password() -> str:
    """A random password that can be read aloud: four groups of four, about 79 bits."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def matches(password: str, password_hash: str | None) -> bool:
    """Whether a password is right. Takes as long for somebody unknown (no hash), so that timing tells nothing."""
    known = password_hash is not None
    right = _HASHER.verify(password[:LONGEST], password_hash or _NOBODY)
    return known and right
