"""The cookie and the form token: what they carry and how they are signed.

The session cookie holds a random token and its signature, nothing about the person. A form token is bound to a second random cookie
(double submit), so that another site can neither read nor forge one.
"""

import hashlib
import hmac
import secrets

from itsdangerous import BadSignature, Signer

SESSION_COOKIE = "parley_session"
FORM_COOKIE = "parley_form"


def new_token() -> str:
    """A random session token, 256 bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What Postgres keeps of a session token: its SHA-256 in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def seal(token: str, *, key: str) -> str:
    """Cookie value for a session token."""
    return _signer(key).sign(token).decode()


def unseal(cookie: str | None, *, key: str) -> str | None:
    """The session token in a cookie value; None where it is missing or not signed by us."""
    if not cookie:
        return None
    try:
        return _signer(key).unsign(cookie).decode()
    except (BadSignature, UnicodeError):
        return None


def form_token(nonce: str, *, key: str) -> str:
    """The hidden field that goes with a form cookie."""
    return hmac.new(key.encode(), b"parley-form:" + nonce.encode(), hashlib.sha256).hexdigest()


def form_token_fits(nonce: str | None, token: str, *, key: str) -> bool:
    """Whether a posted form came from a page that we served to this browser."""
    return bool(nonce) and hmac.compare_digest(form_token(nonce or "", key=key).encode(), token.encode("utf-8", "replace"))


def _signer(key: str) -> Signer:
    return Signer(key, salt="parley-session", digest_method=hashlib.sha256)
