"""What a turn costs each process, in processor seconds: ``python -m benchmarks.capacity [--conversations N] [--json]``.

Simulated hotels are negotiated with on autopilot, eight at once, through the service. Counted is the processor time of our own process,
of PostgreSQL and of the model server, and how many bytes the database grows by, each a reply of ours. Processor time hardly depends on
what else the machine does, so that the figures can be multiplied (``docs/scaling.md``); waiting is not in them. The traces' cost is the
same work again with a collector that throws everything away. ``--scripted`` leaves the model out: a script answers in its place, as fast
as it is asked, in the moves that are open.
"""

import argparse
import itertools
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from rich.console import Console
from rich.table import Table

from agent.language.client import Completion, ModelClient
from agent.service import Negotiations, connect
from agent.service.batch import Job, run_job, simulated_jobs
from agent.settings import AgentSettings
from agent.telemetry import TelemetrySettings, start_tracing
from agent.telemetry.tracing import stop_tracing
from benchmarks.throwaway import throwaway
from db.engine import psycopg_url
from db.vocabulary import Speaker

AT_ONCE = 8
_NOBODY = "http://127.0.0.1:9/v1"
_TERMS = ("room", "net", "selling", "dates")
_BLANKS = {"ask": ("net",), "accept": _TERMS, "confirm": _TERMS}
_OPENINGS = ("Hello from our side", "Thank you for the answer", "One more thought", "We value your rooms", "That helps us to go on")


class _Script(ModelClient):
    """Never reads, so that the rules do, and writes the first open move with the blanks that it needs."""

    def __init__(self) -> None:
        super().__init__(_NOBODY)
        self._number = itertools.count()

    def complete_json(self, **asked: Any) -> Completion:
        """No reading."""
        del asked
        return Completion(text="", is_cut=False)

    def stream_json(self, *, schema: dict[str, Any], **asked: Any) -> Iterator[str]:
        """A whole reply at once."""
        del asked
        move = schema.get("anyOf", [schema])[0]["properties"]["move"]["enum"][0]
        blanks = " ".join(f"{{{name}}}" for name in _BLANKS.get(move, ()))
        words = _OPENINGS[next(self._number) % len(_OPENINGS)]
        yield json.dumps({"move": move, "text": f"{words}, could we settle {blanks}?" if blanks else f"{words}?"})


class _Nowhere(SpanExporter):
    """Takes spans as a collector does, and keeps none."""

    def export(self, spans: object) -> SpanExportResult:
        """Say that all is well."""
        del spans
        return SpanExportResult.SUCCESS


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--conversations", type=int, default=16)
    parser.add_argument("--url", default="", help="a model server of ours that runs on this machine, instead of one of the benchmark's own")
    parser.add_argument("--scripted", action="store_true", help="without a model server")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    today = datetime.now(UTC).date()
    with (
        throwaway(model=not (arguments.url or arguments.scripted)) as parley,
        connect(
            parley.database_url,
            settings=AgentSettings(model_url=arguments.url or parley.model_url or _NOBODY),
            client=_Script() if arguments.scripted else None,
        ) as negotiations,
    ):
        model = None if arguments.scripted else _model_server(urlsplit(arguments.url or parley.model_url).port)
        database = _postmaster(parley.database_url)
        run_job(negotiations, next(simulated_jobs(n=1, seed=99, today=today)), seed=99)

        def measured(seed: int) -> dict[str, float]:
            jobs = list(simulated_jobs(n=arguments.conversations, seed=seed, today=today))
            return _measured(negotiations, jobs, parley.database_url, model, database)

        figures = measured(1)
        start_tracing("parley-benchmark", settings=TelemetrySettings(otlp_endpoint=None), exporter=_Nowhere())
        traced = measured(2)
        stop_tracing()
    figures["traced_own_cpu_ms"] = traced["own_cpu_ms"]
    if arguments.json:
        print(json.dumps(figures))
        return
    table = Table("figure", "a reply of ours")
    for name, value in figures.items():
        table.add_row(name, f"{value:,}")
    Console().print(table)


def _measured(
    negotiations: Negotiations, jobs: Sequence[Job], url: str, model: psutil.Process | None, database: psutil.Process
) -> dict[str, float]:
    before = (time.process_time(), _cpu(database), _cpu(model), _size(url))
    started = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(lambda job: run_job(negotiations, job, seed=1), jobs))
    seconds = time.monotonic() - started
    after = (time.process_time(), _cpu(database), _cpu(model), _size(url))
    views = [outcome.view for outcome in outcomes if outcome.view is not None]
    replies = sum(turn.speaker is Speaker.BD for view in views for turn in view.turns)
    own, postgres, served, size = (then - now for now, then in zip(before, after, strict=True))
    return {
        "replies": replies,
        "failed": sum(bool(outcome.error) for outcome in outcomes),
        "own_cpu_ms": round(own / replies * 1000, 1),
        "postgres_cpu_ms": round(postgres / replies * 1000, 1),
        "model_cpu_ms": round(served / replies * 1000, 1),
        "database_bytes": round(size / replies),
        "replies_a_conversation": round(replies / max(len(views), 1), 1),
        "seconds": round(seconds, 1),
    }


def _model_server(port: int | None) -> psutil.Process:
    for process in psutil.process_iter():
        with suppress(psutil.AccessDenied, psutil.NoSuchProcess):
            if process.environ().get("PARLEY_MODEL_PORT") == str(port) and "agent.serving.server" in process.cmdline():
                return process
    raise SystemExit(f"No model server of ours listens on port {port} of this machine.")


def _postmaster(url: str) -> psutil.Process:
    with psycopg.connect(psycopg_url(url)) as connection:
        found = connection.execute("SHOW data_directory").fetchone()
    assert found is not None
    with open(f"{found[0]}/postmaster.pid", encoding="utf-8") as file:
        return psutil.Process(int(file.readline()))


def _cpu(process: psutil.Process | None) -> float:
    """Processor seconds of a process and its children, those that have ended among them."""
    if process is None:
        return 0.0
    own = process.cpu_times()
    return (
        own.user
        + own.system
        + own.children_user
        + own.children_system
        + sum(times.user + times.system for child in process.children(recursive=True) for times in [child.cpu_times()])
    )


def _size(url: str) -> int:
    with psycopg.connect(psycopg_url(url)) as connection:
        found = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    assert found is not None
    return int(found[0])


if __name__ == "__main__":
    main()
