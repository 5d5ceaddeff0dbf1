"""The same service on a PostgreSQL that somebody else runs, as in production."""

from datetime import date
from uuid import uuid4

import pytest

from agent.service import connect
from agent.service.demo import seed_demo
from agent.service.events import Drafted, Sent
from agent.settings import AgentSettings
from db.migrate import check, upgrade
from db.repositories import tickets
from db.vocabulary import Counterpart, Mode


@pytest.mark.production
@pytest.mark.model
def test_a_turn_is_conducted_on_a_foreign_server(production_postgres_url: str, agent_settings: AgentSettings) -> None:
    upgrade(production_postgres_url)
    for _ in range(2):  # a second process finds everything in place
        with connect(production_postgres_url, settings=agent_settings) as service:
            with service.transaction() as session:
                seed_demo(session, today=date(2027, 1, 1))
                ticket = tickets.find_by_reference(session, "DEMO-101")
                assert ticket is not None
            conversation = service.open(
                ticket_ids=[ticket.id], mode=Mode.COPILOT, counterpart=Counterpart.HUMAN, actor=None, key="production"
            )
            for event in list(service.resume(conversation)):
                if isinstance(event, Drafted):
                    assert isinstance(list(service.approve(event.draft_id, key=str(uuid4()), actor=None))[-1], Sent)
            assert len(service.view(conversation).turns) == 1
    check(production_postgres_url)  # LangGraph's tables, in a schema of their own, are no difference of ours
