"""How long a turn takes, beside the bare model server in the same run: ``python -m benchmarks.turn [--conversations N] [--json]``.

Three things are measured against simulated hotels on autopilot, one conversation after another and then eight at once: the time of
everything but the model, the time to the first words of a draft, and whole turns a second. The bare server gets the very prompts that the
turns sent, one after another and eight at once, so that the difference is what Parley adds.
"""

import argparse
import json
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from agent.language.client import Completion, ModelClient
from agent.service import connection
from agent.service.batch import Job, run_job, simulated_jobs, ticket_ids_of
from agent.service.events import Drafted, Ended, Received, Writing
from agent.service.negotiations import Negotiations
from agent.settings import AgentSettings
from benchmarks.throwaway import throwaway
from db.vocabulary import Counterpart, Mode

AT_ONCE = 8
MOST_REPLAYED = 300


@dataclass(slots=True)
class ModelCall:
    """One request to the model server."""

    streamed: bool
    arguments: dict[str, Any]
    seconds: float
    first_s: float


@dataclass(slots=True)
class TurnTime:
    """One turn, from the hotel's words to the draft."""

    total_s: float
    model_s: float
    """Meaningful only where one conversation runs at a time."""
    first_words_s: float | None


class TimedClient(ModelClient):
    """The real client, with a clock: how long it waited for the model, and what it asked."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.calls: list[ModelCall] = []

    def waited(self) -> float:
        """Seconds that were spent on the model so far, by all threads together (a graph's step may run in any)."""
        return sum(call.seconds for call in self.calls)

    def complete_json(self, **arguments: Any) -> Completion:
        """As the client's own."""
        started = time.perf_counter()
        answer = super().complete_json(**arguments)
        self._note(streamed=False, arguments=arguments, started=started, first=time.perf_counter() - started)
        return answer

    def complete_many(self, **arguments: Any) -> list[Completion]:
        """As the client's own."""
        started = time.perf_counter()
        answers = super().complete_many(**arguments)
        self._note(streamed=False, arguments=arguments, started=started, first=time.perf_counter() - started)
        return answers

    def stream_json(self, **arguments: Any) -> Iterator[str]:
        """As the client's own; only the time inside the client counts."""
        started = time.perf_counter()
        first = None
        for piece in super().stream_json(**arguments):
            first = time.perf_counter() - started if first is None else first
            yield piece
        self._note(streamed=True, arguments=arguments, started=started, first=first or 0.0)

    def _note(self, *, streamed: bool, arguments: dict[str, Any], started: float, first: float) -> None:
        seconds = time.perf_counter() - started
        self.calls.append(ModelCall(streamed=streamed, arguments=arguments, seconds=seconds, first_s=first))


@dataclass(slots=True)
class Measured:
    """One way of running the conversations."""

    turns: list[TurnTime] = field(default_factory=list[TurnTime])
    errors: int = 0
    seconds: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


def play(negotiations: Negotiations, client: TimedClient, job: Job, measured: Measured) -> None:
    """One conversation to its end, every turn timed."""
    conversation = negotiations.open(
        ticket_ids=ticket_ids_of(negotiations, job.forms),
        mode=Mode.AUTOPILOT,
        counterpart=Counterpart.SIMULATED,
        actor=None,
        key=job.key,
        seed=job.number,
    )
    for _ in negotiations.resume(conversation):
        pass
    ended = False
    while not ended:
        started = waited = 0.0
        first: float | None = None
        for event in negotiations.hear_simulated(conversation):
            now = time.perf_counter()
            match event:
                case Received():
                    started, waited = now, client.waited()
                case Writing() if first is None:
                    first = now - started
                case Drafted():
                    with measured.lock:
                        measured.turns.append(TurnTime(total_s=now - started, model_s=client.waited() - waited, first_words_s=first))
                case Ended():
                    ended = True
                case _:
                    pass


def measure(negotiations: Negotiations, client: TimedClient, jobs: Sequence[Job], *, at_once: int) -> Measured:
    """Play the conversations, ``at_once`` of them at the same time."""
    measured = Measured()
    started = time.perf_counter()
    with ThreadPoolExecutor(max_workers=at_once) as pool:
        for future in [pool.submit(play, negotiations, client, job, measured) for job in jobs]:
            measured.errors += future.exception() is not None
    measured.seconds = time.perf_counter() - started
    return measured


def bare(client: ModelClient, calls: Sequence[ModelCall], *, at_once: int) -> tuple[list[float], list[float], float]:
    """The same requests without Parley: seconds to the first piece of streams, seconds of whole requests, and of all of them."""
    firsts: list[float] = []
    wholes: list[float] = []

    def one(call: ModelCall) -> None:
        started = time.perf_counter()
        if "copies" in call.arguments:
            client.complete_many(**call.arguments)
        elif not call.streamed:
            client.complete_json(**call.arguments)
        else:
            for number, _ in enumerate(client.stream_json(**call.arguments)):
                if number == 0:
                    firsts.append(time.perf_counter() - started)
        wholes.append(time.perf_counter() - started)

    started = time.perf_counter()
    with ThreadPoolExecutor(max_workers=at_once) as pool:
        list(pool.map(one, calls))
    return firsts, wholes, time.perf_counter() - started


def _ms(values: Sequence[float], share: float = 0.5) -> float:
    if not values:
        return 0.0
    return round(1000 * statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1], 1) if len(values) > 1 else 0.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=12)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    today = datetime.now(UTC).date()
    with throwaway() as parley:
        settings = AgentSettings(model_url=parley.model_url)
        client = TimedClient(settings.model_url, timeout=settings.model_timeout_s, retries=0)
        with connection.connect(parley.database_url, settings=settings, client=client) as negotiations:
            run_job(negotiations, next(simulated_jobs(n=1, seed=99, today=today)), seed=99)  # warm up
            client.calls.clear()
            alone = measure(negotiations, client, list(simulated_jobs(n=arguments.conversations, seed=1, today=today)), at_once=1)
            calls = client.calls[:MOST_REPLAYED]
            together = measure(
                negotiations, client, list(simulated_jobs(n=2 * arguments.conversations, seed=2, today=today)), at_once=AT_ONCE
            )
            bare_first, bare_whole, bare_alone_s = bare(client, calls, at_once=1)
            _, _, bare_together_s = bare(client, calls, at_once=AT_ONCE)
    own = [turn.total_s - turn.model_s for turn in alone.turns]
    figures = {
        "turns_alone": len(alone.turns),
        "own_ms_p50": _ms(own),
        "own_ms_p95": _ms(own, 0.95),
        "first_words_ms_p50": _ms([turn.first_words_s for turn in alone.turns if turn.first_words_s is not None]),
        "first_words_ms_p95": _ms([turn.first_words_s for turn in alone.turns if turn.first_words_s is not None], 0.95),
        "turn_ms_p50": _ms([turn.total_s for turn in alone.turns]),
        "turn_ms_p95": _ms([turn.total_s for turn in alone.turns], 0.95),
        "bare_first_piece_ms_p50": _ms(bare_first),
        "bare_request_ms_p50": _ms(bare_whole),
        "bare_requests_per_s_alone": round(len(calls) / bare_alone_s, 2),
        "bare_requests_per_s_8_at_once": round(len(calls) / bare_together_s, 2),
        "turns_per_s_alone": round(len(alone.turns) / alone.seconds, 2),
        "turns_8_at_once": len(together.turns),
        "turns_per_s_8_at_once": round(len(together.turns) / together.seconds, 2),
        "turn_8_at_once_ms_p50": _ms([turn.total_s for turn in together.turns]),
        "errors_8_at_once": together.errors,
        "errors_alone": alone.errors,
    }
    table = Table("figure", "value", title="A turn of Parley, beside the bare model server")
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), str(value))
    Console().print(table)
    if arguments.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
