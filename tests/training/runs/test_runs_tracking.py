"""What an MLflow server is told of a run, and that it cannot hurt one. The server here answers as MLflow 3 does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from db.embedded import free_port
from db.vocabulary import RunState
from training.rewards.spec import shipped_spec
from training.runs.events import Checked, Measured
from training.runs.plan import Plan
from training.runs.tracking import RUN_ID, Tracker
from training.settings import TrainingSettings

Asked = list[tuple[str, dict[str, Any], str | None]]


@pytest.fixture
def server() -> Iterator[tuple[str, Asked]]:
    asked: Asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(404, {"error_code": "RESOURCE_DOES_NOT_EXIST"}, {})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answers: dict[str, dict[str, Any]] = {
                "experiments/create": {"experiment_id": "7"},
                "runs/create": {"run": {"info": {"run_id": "abc"}}},
            }
            self._answer(200, answers.get(self.path.removeprefix("/api/2.0/mlflow/"), {}), body)

        def _answer(self, status: int, answer: dict[str, Any], body: dict[str, Any]) -> None:
            asked.append((self.path.removeprefix("/api/2.0/mlflow/"), body, self.headers.get("Authorization")))
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            del format, args

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{serving.server_address[1]}", asked
    serving.shutdown()
    serving.server_close()
    thread.join()


def plan() -> Plan:
    return Plan.model_construct(
        id=UUID(int=9),
        objective="repo",
        settings={"seed": 7},
        snapshot_sha256="5" * 64,
        git_revision=None,
        spec=shipped_spec().model_dump(mode="json"),
    )


def test_that_settings_figures_and_the_end_are_told_and_a_resumed_run_goes_on(server: tuple[str, Asked], tmp_path: Path) -> None:
    url, asked = server
    settings = TrainingSettings(mlflow_url=url, mlflow_token=SecretStr("secret-token"))
    tracker = Tracker(tmp_path, plan(), settings)
    tracker.begin()
    tracker.tell([Checked(settings={"steps": 4, "beta": 0.05}, steps=4, processes=1)])
    tracker.tell([Measured(step=3, values={"reward/total": 0.5, "kl": 0.01, "note": "x", "loss": None, "nan": float("nan")})])
    tracker.end(RunState.STOPPED)
    told = {path: body for path, body, _ in asked}
    assert [path for path, _, _ in asked][:3] == ["experiments/get-by-name?experiment_name=parley", "experiments/create", "runs/create"]
    assert {authorization for _, _, authorization in asked} == {"Bearer secret-token"}
    assert {tag["key"]: tag["value"] for tag in told["runs/create"]["tags"]}["parley.objective"] == "repo"
    params, metrics = [body for path, body, _ in asked if path == "runs/log-batch"]
    assert {param["key"]: param["value"] for param in params["params"]} == {"steps": "4", "beta": "0.05"}
    assert {(metric["key"], metric["value"], metric["step"]) for metric in metrics["metrics"]} == {
        ("reward/total", 0.5, 3),
        ("kl", 0.01, 3),
    }
    assert told["runs/update"]["status"] == "KILLED"
    assert (tmp_path / RUN_ID).read_text() == "abc"

    asked.clear()
    again = Tracker(tmp_path, plan(), settings)
    again.begin()
    again.end(RunState.DONE)
    assert [(path, body["run_id"], body["status"]) for path, body, _ in asked] == [
        ("runs/update", "abc", "RUNNING"),
        ("runs/update", "abc", "FINISHED"),
    ]


def test_that_a_server_which_is_away_costs_a_log_line_and_nothing_else(tmp_path: Path) -> None:
    tracker = Tracker(tmp_path, plan(), TrainingSettings(mlflow_url=f"http://127.0.0.1:{free_port()}"))
    with capture_logs() as lines:
        tracker.begin()
        tracker.tell([Measured(step=1, values={"kl": 0.1})])
        tracker.end(RunState.DONE)
    assert [line["event"] for line in lines] == ["mlflow.away"]
    assert not (tmp_path / RUN_ID).exists()


def test_that_nobody_is_told_unless_a_server_is_named(tmp_path: Path) -> None:
    tracker = Tracker(tmp_path, plan(), TrainingSettings(mlflow_url=None))
    tracker.begin()
    tracker.tell([Measured(step=1, values={"kl": 0.1})])
    tracker.end(RunState.DONE)
    assert not any(tmp_path.iterdir())
