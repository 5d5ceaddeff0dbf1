"""Who may come in: our own sign-in in front of the pages, and the accounts behind it."""

from webapp.auth.people import Credentials, ensure_first_admin

__all__ = ["Credentials", "ensure_first_admin"]
