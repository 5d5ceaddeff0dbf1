"""The page of one negotiation in this process, where the work on it ends at an awkward moment. Chromium sees the rest."""

from threading import Event
from typing import Any
from uuid import UUID

import pytest
from page_app import OpenPage, id_of, words
from sqlalchemy import select
from web_site import add_tickets

from agent.service.views import ConversationView
from db.engine import SessionFactory
from db.models import Ticket
from db.vocabulary import Counterpart, Mode, Role
from webapp import backend

SAID = "Hello, this is Bea in person. I will call you at ten."


@pytest.fixture
def taken_over(open_page: OpenPage, web_database: SessionFactory) -> UUID:
    """A conversation in which a person speaks."""
    del open_page  # the people are its
    add_tickets(web_database, rooms=("Deluxe Double",), hotel="Casa Handover")
    person = id_of(web_database, Role.BD)
    with web_database() as session:
        ticket = session.scalars(select(Ticket.id)).one()
    service = backend.negotiations()
    opened = service.open(ticket_ids=[ticket], mode=Mode.COPILOT, counterpart=Counterpart.HUMAN, actor=person, key="open")
    service.take_over(opened, actor=person, key="take")
    return opened


def test_words_that_go_out_while_the_page_reads_the_talk_are_on_it(
    taken_over: UUID, open_page: OpenPage, web_database: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, desk, person = backend.negotiations(), backend.desk(), id_of(web_database, Role.BD)
    has_read = Event()
    read = service.view

    def work() -> Any:
        assert has_read.wait(30)
        yield from service.say(taken_over, SAID, actor=person, key="say")

    job = desk.start(taken_over, work, key="say")

    def read_just_before_the_end(conversation_id: UUID) -> ConversationView:
        view = read(conversation_id)
        has_read.set()
        list(job.follow())
        return view

    monkeypatch.setattr(service, "view", read_just_before_the_end)
    assert SAID in words(open_page("negotiation", role=Role.BD, id=str(taken_over)))
