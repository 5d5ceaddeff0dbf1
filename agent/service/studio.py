"""The graph as LangGraph's own tools open it (``langgraph.json``): the same nodes, on the database and model of the settings."""

from datetime import timedelta
from typing import Any

from agent.language.client import ModelClient
from agent.service.desk import DatabaseDesk
from agent.service.graph import Steps, TurnGraph, build_graph
from agent.settings import AgentSettings
from db.engine import create_engine_from, session_factory
from db.settings import DatabaseSettings


def graph(config: Any = None) -> TurnGraph:
    """The turn graph without a checkpointer of its own: the tool that opens it brings one."""
    settings = AgentSettings()
    url = DatabaseSettings().database_url or "postgresql://127.0.0.1:5432/parley"
    engine = create_engine_from(url, pooled=False)
    desk = DatabaseDesk(session_factory(engine), follow_up_after=timedelta(hours=settings.follow_up_after_h))
    client = ModelClient(settings.model_url, timeout=settings.model_timeout_s, retries=settings.model_retries)
    return build_graph(Steps(client=client, desk=desk, settings=settings))
