"""LangGraph's own tools find the turn graph through ``langgraph.json``."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def test_the_graph_named_in_langgraph_json_is_the_turn(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_DATABASE_URL", database_url)
    path, _, name = json.loads((ROOT / "langgraph.json").read_text())["graphs"]["turn"].partition(":")
    spec = importlib.util.spec_from_file_location("studio_entry", ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    drawn = getattr(module, name)().get_graph()
    steps = {"read", "advance", "write", "guard", "record", "approve", "send"}
    assert steps <= set(drawn.nodes)
    edges = {(edge.source, edge.target) for edge in drawn.edges}
    assert {("guard", "write"), ("guard", "record"), ("record", "approve"), ("approve", "send")} <= edges
