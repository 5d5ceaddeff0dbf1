"""How the tests of the pages fill a database, sign in, wait for a page and keep what it looks like."""

import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from contrast import hard_to_read
from playwright.sync_api import Page

from db.engine import SessionFactory
from db.models import Hotel, Ticket
from db.repositories import users
from db.vocabulary import Role
from webapp.auth.passwords import hash_password

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "screenshots"
PASSWORD = "four unrelated words"


@dataclass(frozen=True, slots=True)
class Site:
    """A running web process."""

    url: str
    sessions: SessionFactory
    log: Path


StartSite = Callable[..., Site]
"""What the ``start_site`` fixture gives: keyword arguments are settings of the process."""


@cache
def _hashed() -> str:
    return hash_password(PASSWORD)


def add_people(sessions: SessionFactory) -> None:
    """One person a role, named after it: ``bd@parley.test`` and so on, all with ``PASSWORD``."""
    hashed = _hashed()
    with sessions.begin() as session:
        for role in Role:
            users.create(session, email=f"{role}@parley.test", name=f"Pat {role.title()}", roles=[role], password_hash=hashed)


def add_tickets(sessions: SessionFactory, *, rooms: tuple[str, ...], hotel: str, city: str = "Lisbon", net: str = "200") -> None:
    """Open tickets of one hotel, one a room; target 12 % and ceiling 6 % below the present net price."""
    price = Decimal(net)
    with sessions.begin() as session:
        house = Hotel(name=hotel, city=city, country="Portugal")
        session.add(house)
        session.flush()
        for room in rooms:
            session.add(
                Ticket(
                    hotel_id=house.id,
                    reference=f"PC-{uuid.uuid4().hex[:6]}",
                    room_type=room,
                    check_in=date(2027, 3, 1),
                    check_out=date(2027, 3, 31),
                    currency="EUR",
                    current_net=price,
                    commission=Decimal("0.15"),
                    competitor_price=price * Decimal("1.05"),
                    competitor_source="Agoda",
                    competitor_seen_on=date(2027, 1, 20),
                    breakfast=True,
                    tax_included=True,
                    target=price * Decimal("0.88"),
                    ceiling=price * Decimal("0.94"),
                    opening_ask=price * Decimal("0.85"),
                )
            )


def sign_in(window: Page, site: Site, role: Role = Role.BD, *, path: str = "/") -> None:
    """Sign in as the person of that role, and wait for the page."""
    window.goto(site.url + path)
    window.fill("#email", f"{role}@parley.test")
    window.fill("#password", PASSWORD)
    window.click("button[type=submit]")
    settle(window)


def settle(window: Page, *, timeout_s: float = 60) -> None:
    """Wait until the page's script has run to its end, and stays there."""
    quiet = 0
    deadline = time.monotonic() + timeout_s
    while quiet < 3:
        assert time.monotonic() < deadline, f"the page was still busy after {timeout_s:g} s"
        state = window.locator('[data-testid="stApp"]').get_attribute("data-test-script-state")
        quiet = quiet + 1 if state == "notRunning" else 0
        window.wait_for_timeout(120)


def tick_row(window: Page, row: int) -> None:
    """Tick a row of the page's first table; it is a canvas, so there is nothing to find but its place."""
    box = window.get_by_test_id("stDataFrame").first.bounding_box()
    assert box is not None
    window.mouse.click(box["x"] + 17, box["y"] + 38 + 38 * row + 19)
    window.wait_for_timeout(300)
    settle(window)


def take_screenshot(window: Page, name: str) -> None:
    """Keep what the page looks like, for people, who can read all of it."""
    SCREENSHOTS.mkdir(exist_ok=True)
    window.screenshot(path=SCREENSHOTS / f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}.png")
    faint = hard_to_read(window)
    assert not faint, f"{name}: {faint}"


def assert_no_traceback(window: Page) -> None:
    """Nothing on the page looks like Python."""
    text = window.inner_text("body")
    for trace in ("Traceback", 'File "', "Error:", "psycopg", "sqlalchemy"):
        assert trace not in text, text
