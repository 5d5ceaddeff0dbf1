"""People in the corner of the page: name, address, roles."""

from collections.abc import Iterable
from html import escape

from db.vocabulary import Role
from webapp.components.words import ROLE_WORDS


def who_html(name: str, email: str, roles: Iterable[Role]) -> str:
    """The signed-in person."""
    words = ", ".join(ROLE_WORDS[role] for role in sorted(roles)) or "no role yet"
    return f'<div class="p-who"><b>{escape(name)}</b><small>{escape(email)}</small><small>{escape(words)}</small></div>'
