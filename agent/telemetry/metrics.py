"""What is counted for Prometheus, and how a process without web pages shows it.

Every metric of the agent's room stands here by name, in one registry of our own, so that a dashboard can be checked against it
(``names``). Where something is counted is decided by the module that does it. Counts are of this process since its start; what is true of
the whole installation (open conversations, training runs) is read from the database when somebody looks, by collectors of the rooms above.
"""

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, start_http_server
from prometheus_client.metrics_core import Metric

REGISTRY = CollectorRegistry(auto_describe=True)
ProcessCollector(registry=REGISTRY)

_STEPS_S = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
_MODEL_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)

TURNS = Counter("parley_turns", "Turns written.", ["speaker"], registry=REGISTRY)
DRAFTS = Counter(
    "parley_drafts", "Drafts, by who wrote them: the policy, its rewrite, or the template.", ["origin", "version"], registry=REGISTRY
)
VIOLATIONS = Counter(
    "parley_guard_violations", "Breaches that the guard found in drafts.", ["rule", "severity", "version"], registry=REGISTRY
)
FALLBACKS = Counter("parley_fallbacks", "Times that something safer was fallen back on.", ["kind"], registry=REGISTRY)
STEP_SECONDS = Histogram("parley_step_seconds", "Time that a step of a turn took.", ["step"], buckets=_STEPS_S, registry=REGISTRY)
MODEL_SECONDS = Histogram(
    "parley_model_request_seconds",
    "Time of a request to the model server, to its last word.",
    ["operation"],
    buckets=_MODEL_S,
    registry=REGISTRY,
)
FIRST_TOKEN_SECONDS = Histogram(
    "parley_model_first_token_seconds", "Time from a request to the first word of its answer.", buckets=_MODEL_S, registry=REGISTRY
)
MODEL_FAULTS = Counter(
    "parley_model_faults", "Requests to the model server that failed, by the error's class.", ["error"], registry=REGISTRY
)
MODEL_RETRIES = Counter("parley_model_retries", "Requests to the model server that were tried again.", registry=REGISTRY)


def names(registries: Sequence[CollectorRegistry] = (REGISTRY,)) -> set[str]:
    """Every series that a dashboard may ask for, with the endings that Prometheus gives to counters and histograms."""
    found: set[str] = set()
    for registry in registries:
        for metric in registry.collect():
            found |= set(_series(metric))
    return found


def _series(metric: Metric) -> Iterable[str]:
    match metric.type:
        case "counter":
            yield f"{metric.name}_total"
        case "histogram":
            yield from (f"{metric.name}_{ending}" for ending in ("bucket", "count", "sum"))
        case _:
            yield metric.name


def serve_metrics(port: int, *, host: str = "127.0.0.1", registry: CollectorRegistry = REGISTRY) -> None:
    """Show the registry at ``http://host:port/metrics`` for as long as the process lives; for processes without web pages.

    Raises OSError where the port is taken.
    """
    start_http_server(port, addr=host, registry=registry)
