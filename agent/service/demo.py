"""Demo hotels and tickets, so that a first start has something to negotiate. Every name is invented."""

from datetime import date, timedelta
from importlib.resources import files

from sqlalchemy.orm import Session

from agent.service.intake import TicketForm, import_tickets, parse_csv

_WRITTEN_ON = date(2026, 2, 5)
"""The day on which the file's dates were written: they are moved along with the calendar."""


def demo_tickets(today: date) -> tuple[TicketForm, ...]:
    """The demo tickets with stays in the weeks after ``today``."""
    intake = parse_csv(files("agent.service").joinpath("demo_tickets.csv").read_bytes())
    assert not intake.errors, intake.errors
    shift = today - _WRITTEN_ON
    return tuple(_moved(form, shift) for form in intake.rows)


def seed_demo(session: Session, *, today: date) -> int:
    """Add the demo tickets that are missing; returns how many were added."""
    added, _ = import_tickets(session, demo_tickets(today), actor=None)
    return added


def _moved(form: TicketForm, shift: timedelta) -> TicketForm:
    seen = form.competitor_seen_on + shift if form.competitor_seen_on else None
    return form.model_copy(update={"check_in": form.check_in + shift, "check_out": form.check_out + shift, "competitor_seen_on": seen})
