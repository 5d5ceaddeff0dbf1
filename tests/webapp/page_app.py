"""A page of the app in this process, without a browser: who looks at it, under which address, and all the words that it shows."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from streamlit.testing.v1 import AppTest

from db.engine import SessionFactory
from db.repositories import users
from db.vocabulary import Role
from webapp.auth.identity import Identity

_SCRIPT = """
import streamlit as st
from webapp.shell import places
from webapp.shell.notes import show_notes
from webapp.shell.sections import SECTIONS
from webapp.shell.signed_in import signed_in

person = signed_in()
drawn = {{place.path: (place, draw) for pages in SECTIONS.values() for place, draw in pages}}
pages = {{path: places.page(place, draw, person=person) for path, (place, draw) in drawn.items()}}
places.register(pages)
st.navigation(list(pages.values()), position="hidden")
show_notes()
drawn[{path!r}][1]()
"""

OpenPage = Callable[..., AppTest]
"""``open_page("/audit", role=Role.OPS, id="…")``: further keywords are the query."""


def identity_of(sessions: SessionFactory, role: Role) -> Identity:
    """The person of that role, as ``web_site.add_people`` makes them."""
    with sessions.begin() as session:
        user = users.find_by_email(session, f"{role}@parley.test")
        assert user is not None
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        return Identity(user_id=user.id, name=user.name, email=user.email, roles=frozenset(user.roles), expires_at=tomorrow)


def id_of(sessions: SessionFactory, role: Role) -> UUID:
    """Their id."""
    return identity_of(sessions, role).user_id


def words(app: AppTest) -> str:
    """All that the page says, in its order, markup included."""
    assert not app.exception, app.exception
    return "\n".join(_said(app))


def _said(app: AppTest) -> list[str]:
    found: list[str] = []
    for element in app:
        proto = getattr(element, "proto", None)
        for name in ("body", "value", "label", "text"):
            said = getattr(proto, name, None)
            if isinstance(said, str):
                found.append(said)
    return found


def script(folder: Path, path: str) -> Path:
    """The script of one page."""
    file = folder / f"{path}.py"
    file.write_text(_SCRIPT.format(path=path), encoding="utf-8")
    return file
