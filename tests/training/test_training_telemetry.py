"""Gauges of training: what the database knows of running work, as Prometheus reads it from a worker."""

import urllib.request
from pathlib import Path

from prometheus_client import CollectorRegistry
from sqlalchemy import func, update
from uuid_utils.compat import uuid7

from agent.telemetry.metrics import serve_metrics
from db.embedded import free_port
from db.engine import SessionFactory, create_engine_from, session_factory
from db.models import TrainingMetric, TrainingRun
from db.vocabulary import RunState
from training.telemetry import TrainingCollector


def add_running(sessions: SessionFactory, folder: Path) -> str:
    run = TrainingRun(
        objective="repo",
        seed=7,
        config={},
        folder=str(folder),
        snapshot_sha256="5" * 64,
        spec_version=1,
        spec_digest="d" * 64,
        versions={},
        state=RunState.RUNNING,
        step=12,
        steps=40,
        lease_owner="host:1",
    )
    run.id = uuid7()
    with sessions.begin() as session:
        run.lease_expires_at = session.scalars(func.now().select()).one()
        session.add(run)
        session.flush()
        session.execute(update(TrainingRun).values(heartbeat_at=func.now() - func.make_interval(0, 0, 0, 0, 0, 0, 30)))
        for step, values in (
            (11, {"reward/total": 0.1}),
            (12, {"reward/total": 0.25, "reward/model": -0.5, "kl": 0.02, "note": "x", "loss": None}),
        ):
            session.add(TrainingMetric(run_id=run.id, step=step, values=values))
    return str(run.id)


def test_that_a_worker_tells_how_far_a_training_is_and_what_it_is_rewarded_for(sessions: SessionFactory, tmp_path: Path) -> None:
    run = add_running(sessions, tmp_path)
    registry = CollectorRegistry()
    registry.register(TrainingCollector(lambda: sessions))
    port = free_port()
    serve_metrics(port, registry=registry)
    page = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20).read().decode()
    labels = f'objective="repo",run="{run}"'
    assert f"parley_training_step{{{labels}}} 12.0" in page
    assert f"parley_training_steps{{{labels}}} 40.0" in page
    for figure, value in (("reward/total", 0.25), ("reward/model", -0.5), ("kl", 0.02)):
        assert f'parley_training_figure{{figure="{figure}",{labels}}} {value}' in page
    assert 'figure="note"' not in page
    assert 'figure="loss"' not in page
    assert 'parley_retrains{state="queued"} 0.0' in page
    (silent,) = (line for line in page.splitlines() if line.startswith("parley_training_silent_seconds{"))
    assert 30 <= float(silent.split()[-1]) < 90


def test_that_a_database_which_is_away_is_a_figure() -> None:
    def away() -> SessionFactory:
        return session_factory(create_engine_from(f"postgresql://parley:none@127.0.0.1:{free_port()}/parley"))

    registry = CollectorRegistry()
    registry.register(TrainingCollector(away))
    assert registry.get_sample_value("parley_training_database_up") == 0
