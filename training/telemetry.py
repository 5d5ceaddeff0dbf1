"""Gauges of training for Prometheus, read from the database whenever somebody looks.

Not counted where it happens: a run changes its process with every resume, and the database knows it in any case. Every worker shows the
same figures, so a dashboard takes their maximum. Where the database does not answer, that is what is told.
"""

import math
from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from agent.telemetry import TelemetrySettings, start_telemetry
from agent.telemetry.metrics import REGISTRY
from db.engine import SessionFactory
from db.errors import ParleyError
from db.repositories import gauges
from db.vocabulary import RetrainState

_RUN = ("run", "objective")


class TrainingCollector(Collector):
    """Retrains by state, and of every training that runs: its step, its newest figures, and how long it has been silent."""

    def __init__(self, sessions: Callable[[], SessionFactory] | None) -> None:
        """``sessions`` is asked at every look; None: the names of the gauges and no figures."""
        self._sessions = sessions

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What Prometheus asks for."""
        up = GaugeMetricFamily("parley_training_database_up", "1 where the database answers.")
        retrains = GaugeMetricFamily("parley_retrains", "Retrains, by state.", labels=["state"])
        step = GaugeMetricFamily("parley_training_step", "Step that a running training has come to.", labels=_RUN)
        steps = GaugeMetricFamily("parley_training_steps", "Steps of a running training; 0 where not known yet.", labels=_RUN)
        silent = GaugeMetricFamily("parley_training_silent_seconds", "Time since a running training was heard of.", labels=_RUN)
        figure = GaugeMetricFamily(
            "parley_training_figure", "Newest figure of a running training: reward by component, KL, loss …", labels=(*_RUN, "figure")
        )
        families = (retrains, step, steps, silent, figure)
        if self._sessions is not None:
            try:
                with self._sessions()() as session:
                    counts = gauges.count_retrains_by_state(session)
                    for state in RetrainState:
                        retrains.add_metric([state], counts.get(state, 0))
                    for run in gauges.list_running_trainings(session):
                        labels = [str(run.run_id), run.objective]
                        step.add_metric(labels, run.step)
                        steps.add_metric(labels, run.steps)
                        silent.add_metric(labels, run.silent_s)
                        for name, value in gauges.newest_figures(session, run.run_id).items():
                            if isinstance(value, int | float) and math.isfinite(value):
                                figure.add_metric([*labels, name], value)
                up.add_metric([], 1)
            except ParleyError:
                # Told as a figure: whoever watches must not lose the rest of the page.
                up.add_metric([], 0)
        yield up
        yield from families


def start_worker_telemetry(service: str, sessions: Callable[[], SessionFactory], settings: TelemetrySettings | None = None) -> None:
    """Log lines, traces and, where ``PARLEY_WORKER_METRICS_PORT`` is set, metrics of a worker with the gauges of training.

    Raises MetricsPortTaken.
    """
    chosen = settings or TelemetrySettings()
    if chosen.worker_metrics_port is not None:
        REGISTRY.register(TrainingCollector(sessions))
    start_telemetry(service, metrics_port=chosen.worker_metrics_port, settings=chosen)
