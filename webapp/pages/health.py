"""How everything that Parley runs on is doing: the database, the workers with what waits for them, and the model servers.

Each is asked when the page is drawn, with little patience; what does not answer is told, and the others are shown all the same.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from html import escape

import streamlit as st

from agent.serving import ModelServer, ModelServerUnavailable
from db.errors import ParleyError
from db.models import Retrain
from db.repositories import deployments, retrain_schedules, retrains
from db.vocabulary import RetrainState
from webapp import backend, database, workers
from webapp.components.retrain_views import STEP_WORDS, retrain_words
from webapp.components.run_words import span_words
from webapp.shell import places
from webapp.shell.signed_in import reader_zone, signed_in
from webapp.workers import BrokerAway, Workers

_EVERY = "15s"
_MOST = 20
_SILENT_S = 90
"""A retrain whose worker has said nothing for longer is being looked for."""


def show() -> None:
    """Draw the page."""
    signed_in(*places.HEALTH.roles)
    st.html('<div class="p-title"><h1>Health</h1><p class="p-sub">What Parley runs on, asked anew every quarter of a minute.</p></div>')
    _look()


@st.fragment(run_every=_EVERY)
def _look() -> None:
    signed_in(*places.HEALTH.roles)
    with ThreadPoolExecutor(3) as threads:
        asked = threads.submit(_workers)
        served = threads.submit(_servers)
        stored = _database()
        with st.spinner("Asking …", show_time=False):
            found, models = asked.result(), served.result()
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Database")
        st.html(_list([stored]))
        st.subheader("Model servers")
        st.html(_list(models))
    with right:
        st.subheader("Workers")
        st.html(_list(found))
        _at_work()
    st.caption(f"Asked at {datetime.now(reader_zone()):%H:%M:%S}.")


Line = tuple[str, bool, str]
"""Name, whether it is well, and a remark."""


def _list(lines: Sequence[Line]) -> str:
    return "".join(
        f'<section class="p-card"><header><h4>{escape(name)}</h4>'
        f'<span class="p-chip {"p-good" if well else "p-bad"}">{"well" if well else "look here"}</span></header>'
        f'<p class="p-sub">{escape(remark)}</p></section>'
        for name, well, remark in lines
    )


def _database() -> Line:
    begun = time.perf_counter()
    with database.sessions().begin() as session:
        retrain_schedules.now(session)
        version = session.connection().dialect.server_version_info or ()
    took = (time.perf_counter() - begun) * 1000
    return "PostgreSQL", True, f"Version {'.'.join(map(str, version))}, answers in {took:.0f} ms."


def _workers() -> list[Line]:
    try:
        found = workers.look()
    except BrokerAway as error:
        return [("Broker", False, str(error))]
    return [*_each(found), _queues(found)]


def _each(found: Workers) -> list[Line]:
    if not found.workers:
        return [
            ("No worker", False, "None answers: retrains wait. “parley up” starts one, “python -m training.jobs.worker” a further one.")
        ]
    return [(one.name, True, f"{', '.join(one.queues)}; at {one.busy} {'task' if one.busy == 1 else 'tasks'}.") for one in found.workers]


def _queues(found: Workers) -> Line:
    waiting = ", ".join(f"{name} {count:,}" for name, count in found.waiting.items())
    return "Queues", sum(found.waiting.values()) < 1_000, f"Messages that wait: {waiting}."


def _servers() -> list[Line]:
    with database.sessions().begin() as session:
        needed = [one.policy_version.name for one in deployments.list_active(session) if one.policy_version.adapter_path is not None]
    try:
        servers = backend.fleet().servers
    except ParleyError as error:
        return [("Model server", False, str(error))]
    return [_guarded(server.base_url, lambda server=server: _server(server, needed)) for server in servers]


def _server(server: ModelServer, needed: Sequence[str]) -> Line:
    if not server.healthy():
        return server.base_url, False, "Does not answer: replies wait or come from the safe templates. Its log says why."
    loaded = server.loaded()
    missing = sorted(set(needed) - loaded)
    held = ", ".join(sorted(loaded)) or "the base model only"
    lost = f" It has lost {', '.join(missing)}: the next tick loads them again." if missing else ""
    return server.base_url, not missing, f"Serves {held}.{lost}"


def _guarded(name: str, ask: Callable[[], Line]) -> Line:
    try:
        return ask()
    except ModelServerUnavailable as error:
        return name, False, str(error)


def _at_work() -> None:
    with database.sessions().begin() as session:
        now = retrain_schedules.now(session)
        found = retrains.list_newest(session, states=[RetrainState.QUEUED, RetrainState.RUNNING, RetrainState.CANARY], limit=_MOST)
    st.subheader("At work")
    if not found:
        st.caption("No retrain is at work, and none waits.")
        return
    st.html(_list([_work(one, now) for one in found]))


def _work(retrain: Retrain, now: datetime) -> Line:
    name = retrain_words(retrain)
    if retrain.state is RetrainState.QUEUED:
        return name, True, f"Waits for {span_words(now - retrain.created_at)}."
    if retrain.state is RetrainState.CANARY:
        return name, True, "Its canary is out."
    silent = now - (retrain.heartbeat_at or retrain.started_at or datetime.now(UTC))
    step = STEP_WORDS[retrain.step] if retrain.step is not None else "beginning"
    return name, silent.total_seconds() < _SILENT_S, f"{step}, by {retrain.lease_owner}; last heard of {span_words(silent)} ago."
