"""``/metrics`` of the web process: what is told, and to whom."""

from datetime import date

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from agent.service.demo import seed_demo
from agent.service.opening import open_conversation
from agent.service.routing import ensure_first_version
from agent.telemetry import TelemetrySettings
from db.embedded import free_port
from db.engine import SessionFactory, create_engine_from, session_factory
from db.repositories import tickets
from db.vocabulary import Counterpart, Mode
from webapp.auth.gate import Gate
from webapp.metrics import metrics_route

TOKEN = "a token of twenty-four or so"


def app(sessions: SessionFactory, token: str | None = None) -> Starlette:
    settings = TelemetrySettings(metrics_token=SecretStr(token) if token else None)
    return Starlette(routes=[metrics_route(lambda: sessions, settings)], middleware=[Middleware(Gate)])


def asked(sessions: SessionFactory, *, host: str, token: str | None = None, **headers: str) -> tuple[int, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with TestClient(app(sessions, token), client=(host, 40_000)) as browser:
        answer = browser.get("/metrics", headers=named)
    return answer.status_code, answer.text


def test_that_open_conversations_are_told_by_version(sessions: SessionFactory) -> None:
    with sessions.begin() as session:
        version = ensure_first_version(session, "parley-starter")
        seed_demo(session, today=date(2027, 1, 1))
        ticket = tickets.find_by_reference(session, "DEMO-101")
        assert ticket is not None
        open_conversation(
            session,
            ticket_ids=[ticket.id],
            mode=Mode.COPILOT,
            counterpart=Counterpart.HUMAN,
            actor=None,
            key="1",
            persona=None,
            seed=None,
            language="en",
            model_name="parley-starter",
        )
    status, page = asked(sessions, host="127.0.0.1")
    assert (status, version is not None) == (200, True)
    assert 'parley_open_conversations{version="' in page
    assert "parley_database_up 1.0" in page
    assert "parley_turns_total" in page


@pytest.mark.parametrize(
    ("host", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("10.0.0.9", {}, 404),
        ("testclient", {}, 404),
        # A proxy on this machine speaks for somebody else.
        ("127.0.0.1", {"x_forwarded_for": "203.0.113.9"}, 404),
    ],
)
def test_that_without_a_token_only_this_machine_may_read(sessions: SessionFactory, host: str, headers: dict[str, str], status: int) -> None:
    assert asked(sessions, host=host, **headers)[0] == status


@pytest.mark.parametrize(("authorization", "status"), [(f"Bearer {TOKEN}", 200), (f"Basic {TOKEN}", 404), ("Bearer wrong", 404), ("", 404)])
def test_that_a_token_lets_in_from_anywhere_and_nothing_else_does(sessions: SessionFactory, authorization: str, status: int) -> None:
    assert asked(sessions, host="10.0.0.9", token=TOKEN, authorization=authorization)[0] == status
    assert asked(sessions, host="127.0.0.1", token=TOKEN)[0] == 404


def test_that_a_database_which_is_away_is_told_and_hides_nothing() -> None:
    def away() -> SessionFactory:
        return session_factory(create_engine_from(f"postgresql://parley:none@127.0.0.1:{free_port()}/parley"))

    settings = TelemetrySettings(metrics_token=None)
    with TestClient(Starlette(routes=[metrics_route(away, settings)]), client=("127.0.0.1", 40_000)) as browser:
        page = browser.get("/metrics").text
    assert "parley_database_up 0.0" in page
    assert "parley_turns_total" in page
