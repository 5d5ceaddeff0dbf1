"""The dashboard asks for nothing that Parley does not show."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from agent.telemetry.metrics import REGISTRY, names
from training.telemetry import TrainingCollector
from webapp.metrics import ConversationCollector

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
_PROMETHEUS = {"process_resident_memory_bytes", "process_cpu_seconds_total"}
_VLLM = {"vllm:num_requests_running", "vllm:num_requests_waiting"}
_WORDS = re.compile(r"\{[^}]*\}|\[[^\]]*\]|\bby \([^)]*\)|\"[^\"]*\"")
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_FUNCTIONS = {"sum", "rate", "max", "min", "histogram_quantile", "clamp_min"}


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    return json.loads((DEPLOY / "grafana" / "parley.json").read_text())


@pytest.fixture(scope="module")
def shown() -> set[str]:
    """Every series of every process."""
    ours = CollectorRegistry()
    ours.register(TrainingCollector(None))
    ours.register(ConversationCollector(None))
    return names((REGISTRY, ours))


def expressions(dashboard: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


def test_that_every_series_it_asks_for_is_shown_and_every_one_of_ours_is_asked_for(dashboard: dict[str, Any], shown: set[str]) -> None:
    asked: set[str] = set()
    for title, expression in expressions(dashboard):
        found = set(_NAME.findall(_WORDS.sub(" ", expression))) - _FUNCTIONS
        assert found, title
        assert found <= shown | _PROMETHEUS | _VLLM, (title, found - shown)
        asked |= found
    ours = {name.removesuffix("_total") for name in shown if name.startswith("parley_") and not name.endswith(("_count", "_sum"))}
    assert ours == {name.removesuffix("_total") for name in asked if name.startswith("parley_")}


def test_that_the_labels_it_groups_by_are_the_ones_that_are_told(dashboard: dict[str, Any]) -> None:
    told = {"le", "job", "instance", "run", "objective", "figure", "state"}
    for collector in list(REGISTRY._collector_to_names):  # pyright: ignore[reportPrivateUsage]
        told |= set(getattr(collector, "_labelnames", ()))
    for title, expression in expressions(dashboard):
        for group in re.findall(r"\bby \(([^)]*)\)", expression):
            assert {label.strip() for label in group.split(",")} <= told, title


def test_that_panels_do_not_lie_on_each_other(dashboard: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not taken & cells, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_that_prometheus_is_told_of_processes_that_are_there() -> None:
    jobs = yaml.safe_load((DEPLOY / "prometheus.yaml").read_text())["scrape_configs"]
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    for job in jobs:
        host, port = job["static_configs"][0]["targets"][0].split(":")
        assert port in json.dumps([services[host].get("environment", {}), services[host]["command"]]), job
        assert job["job_name"].startswith("parley")
