"""The web room's settings: what an operator may choose about sign-in, sessions and the address people see.

Everything has a working default. The signing key is made once and kept beside the other state where none is given.
"""

import os
import secrets
from functools import cache
from pathlib import Path

from platformdirs import user_data_dir
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from db.errors import ParleyError
from db.vocabulary import Role


class SecretKeyUnusable(ParleyError):
    """The signing key could not be read or is too short to sign with."""


class WebSettings(BaseSettings):
    """Environment variables start with ``PARLEY_``."""

    model_config = SettingsConfigDict(env_prefix="PARLEY_", env_ignore_empty=True, extra="ignore", use_attribute_docstrings=True)

    home: Path = Field(default_factory=lambda: Path(user_data_dir("parley")))
    """Folder of this instance's state; the signing key lives here when ``secret_key`` is not set."""
    secret_key: SecretStr | None = None
    """Signs cookies and form tokens. Set it when several web replicas serve one database; at least 32 characters."""
    session_hours: float = Field(default=12.0, gt=0)
    """How long a sign-in lasts."""
    cookie_secure: bool = False
    """Send cookies over HTTPS only. Set it whenever the site is reached by https."""
    login_failures_per_account: int = Field(default=5, ge=1)
    """Wrong passwords for one e-mail from one address before a pause."""
    login_failures_per_address: int = Field(default=50, ge=1)
    """Wrong passwords from one network address before a pause."""
    login_window_minutes: float = Field(default=15.0, gt=0)
    """How far back wrong passwords are counted, and so the longest pause."""
    public_url: str = ""
    """The address people type, such as ``https://parley.example.com``; needed for single sign-on behind a proxy."""
    oidc_issuer: str = ""
    """Issuer of an OpenID Connect provider; single sign-on is offered when this, the id and the secret are set."""
    oidc_client_id: str = ""
    """Client id at the provider."""
    oidc_client_secret: SecretStr | None = None
    """Client secret at the provider."""
    oidc_name: str = "single sign-on"
    """What the button on the sign-in page calls the provider."""
    oidc_new_people: tuple[Role, ...] = ()
    """Roles given to someone who arrives by single sign-on for the first time. Empty: an admin must add them first."""

    @property
    def has_oidc(self) -> bool:
        """True where single sign-on is fully configured."""
        return bool(self.oidc_issuer and self.oidc_client_id and self.oidc_client_secret)

    def signing_key(self) -> str:
        """The key that signs cookies, made on first use.

        Raises:
            SecretKeyUnusable: the key is too short, or its file cannot be read or written.
        """
        if self.secret_key is not None:
            key, origin = self.secret_key.get_secret_value(), "PARLEY_SECRET_KEY"
        else:
            path = self.home / "web-secret.key"
            key, origin = _kept_key(path), str(path)
        if len(key) < 32:
            raise SecretKeyUnusable(f"The signing key in {origin} has {len(key)} characters; it needs at least 32. Set a longer one.")
        return key


def _kept_key(path: Path) -> str:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Another process may start at the same moment: whoever creates the file first decides, the other reads it.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("ascii").strip()
    except OSError as error:
        raise SecretKeyUnusable(
            f"The signing key cannot be kept in {path}: {error.strerror}. Make the folder writable or set PARLEY_SECRET_KEY."
        ) from error
    with os.fdopen(handle, "w") as file:
        key = secrets.token_urlsafe(48)
        file.write(key)
    return key


@cache
def web_settings() -> WebSettings:
    """The settings of this process, read once."""
    return WebSettings()
