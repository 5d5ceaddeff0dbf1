"""A run told to an MLflow server as well, by MLflow's REST interface; nothing of MLflow's has to be installed.

Decided here: that telling never costs a training anything. What the server does not take in time is logged and left out, and after a
failure nothing is sent for a minute; the run's own folder and the database have it all. A resumed run goes on with its run on the server,
whose id is kept in the run's folder.
"""

import math
import time
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import structlog

from db.vocabulary import RunState
from training.files import put
from training.runs.events import Checked, Event, Measured
from training.runs.plan import Plan
from training.settings import TrainingSettings

RUN_ID = "mlflow.txt"
_TIMEOUT_S = 5.0
_SILENT_S = 60.0
_FAILURES = (httpx.HTTPError, ValueError, KeyError)
"""Nobody there, a refusal, or an answer that is none."""
_AT_ONCE = 100
"""MLflow takes so many parameters in one request, and ten times as many metrics."""
_MOST_CHARS = 500
_ENDED = {RunState.DONE: "FINISHED", RunState.STOPPED: "KILLED", RunState.FAILED: "FAILED"}
_log = structlog.get_logger(__name__)


class Tracker:
    """Of one run. Off where ``PARLEY_TRAINING_MLFLOW_URL`` is not set."""

    def __init__(self, folder: Path, plan: Plan, settings: TrainingSettings | None = None) -> None:
        """Nothing is asked of the server yet."""
        self._settings = settings or TrainingSettings()
        self._folder, self._plan = folder, plan
        self._run: str | None = None
        self._client: httpx.Client | None = None
        self._silent_until = 0.0

    def begin(self) -> None:
        """Open the run on the server, or go on with it."""
        url = self._settings.mlflow_url
        if url is None:
            return
        token = self._settings.mlflow_token
        headers = {} if token is None else {"Authorization": f"Bearer {token.get_secret_value()}"}
        self._client = httpx.Client(base_url=f"{url.rstrip('/')}/api/2.0/mlflow/", headers=headers, timeout=_TIMEOUT_S)
        kept = self._folder / RUN_ID
        try:
            if kept.is_file():
                self._run = kept.read_text(encoding="utf-8")
                self._ask("runs/update", run_id=self._run, status="RUNNING")
                return
            made = self._ask(
                "runs/create",
                experiment_id=self._experiment(),
                start_time=_now_ms(),
                run_name=f"{self._plan.objective} {self._folder.name}",
                tags=[{"key": key, "value": value} for key, value in self._tags().items()],
            )
            self._run = str(made["run"]["info"]["run_id"])
            put(kept, self._run)
        except _FAILURES as error:
            _log.warning("mlflow.away", run=str(self._plan.id), url=url, error=type(error).__name__)
            self._run = None

    def tell(self, events: list[Event]) -> None:
        """Settings and figures of what has happened."""
        if self._run is None or time.monotonic() < self._silent_until:
            return
        now = _now_ms()
        metrics = [
            {"key": name, "value": float(value), "timestamp": now, "step": event.step}
            for event in events
            if isinstance(event, Measured)
            for name, value in event.values.items()
            if isinstance(value, int | float) and math.isfinite(value)
        ]
        params = [
            {"key": key, "value": str(value)[:_MOST_CHARS]}
            for event in events
            if isinstance(event, Checked)
            for key, value in event.settings.items()
        ]
        try:
            for start in range(0, max(len(metrics), len(params)), _AT_ONCE):
                end = start + _AT_ONCE
                self._ask("runs/log-batch", run_id=self._run, metrics=metrics[start:end], params=params[start:end])
        except _FAILURES as error:
            _log.warning("mlflow.not_told", run=str(self._plan.id), error=type(error).__name__)
            self._silent_until = time.monotonic() + _SILENT_S

    def end(self, state: RunState) -> None:
        """Say how it ended."""
        if self._run is not None:
            try:
                self._ask("runs/update", run_id=self._run, status=_ENDED[state], end_time=_now_ms())
            except _FAILURES as error:
                _log.warning("mlflow.not_told", run=str(self._plan.id), error=type(error).__name__)
        if self._client is not None:
            self._client.close()

    def _experiment(self) -> str:
        name = self._settings.mlflow_experiment
        assert self._client is not None
        found = self._client.get("experiments/get-by-name", params={"experiment_name": name})
        if found.status_code != HTTPStatus.NOT_FOUND:
            return str(found.raise_for_status().json()["experiment"]["experiment_id"])
        return str(self._ask("experiments/create", name=name)["experiment_id"])

    def _tags(self) -> Mapping[str, str]:
        plan = self._plan
        return {
            "parley.run": str(plan.id),
            "parley.objective": plan.objective,
            "parley.snapshot": plan.snapshot_sha256,
            "parley.reward_spec": f"{plan.reward_spec.version}-{plan.reward_spec.digest[:12]}",
            "parley.seed": str(plan.seed),
            "parley.git": plan.git_revision or "",
        }

    def _ask(self, path: str, **body: Any) -> dict[str, Any]:
        assert self._client is not None
        return self._client.post(path, json=body).raise_for_status().json()


def _now_ms() -> int:
    return round(time.time() * 1000)
