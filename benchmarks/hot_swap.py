"""Swaps under load: ``python -m benchmarks.hot_swap [--requests N] [--at-once N] [--publishes N] [--rollbacks N] [--json FILE]``.

Chats go on against a real vLLM through the service, as from the web app, each request one reply of ours, while versions are published,
made live and rolled back one after the other. The versions betray themselves (``hot_swap_adapters``): each ends its replies with a greeting
that no other one says. Afterwards every draft must have been written by the version that it is logged under. The same load without swaps
comes before and after (``--quiet``). ``--requests 10000`` is the full proof, ``--requests 300`` a quick look.
"""

import argparse
import json
import re
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from rich.console import Console
from sqlalchemy import text

from agent.service import Negotiations, connect
from agent.service.demo import demo_tickets
from agent.service.events import Sent, TurnEvent, Writing
from agent.service.intake import import_tickets
from agent.serving import AdapterStore
from agent.settings import AgentSettings
from benchmarks.hot_swap_adapters import MARKS, marked_adapters
from benchmarks.throwaway import throwaway
from db.engine import SessionFactory, create_engine_from, session_factory
from db.errors import ParleyError
from db.repositories import deployments, tickets, users
from db.vocabulary import Counterpart, DeploymentRole, Mode, Role, TicketStatus
from training.release.fleet import Fleet
from training.release.publishing import publish
from training.release.settings import ReleaseSettings
from training.release.traffic import promote, roll_back, sweep

WORDS = ("Hello, yes, I look after the rates.", "We are about half full.", "That is too low for us.", "Which price do you need?")
_MARK = re.compile("|".join(re.escape(mark.rstrip(".")) for mark in MARKS), re.IGNORECASE)
_SOON = ReleaseSettings(drain_grace_s=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One reply that was asked for."""

    first_word_s: float | None
    """From the request to the first word; with a hotel's message the reading is in it. None where none came."""
    opening: bool
    failure: str = ""


@dataclass(slots=True, kw_only=True)
class Load:
    """Chats that go on until so many replies were asked for."""

    negotiations: Negotiations
    requests: int
    at_once: int
    done: list[Request] = field(default_factory=list[Request])
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def run(self) -> None:
        """To the end."""
        threads = [threading.Thread(target=self._chat, name=f"chat-{number}") for number in range(self.at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def wait_for(self, count: int) -> None:
        """Until so many have been answered."""
        with self._changed:
            self._changed.wait_for(lambda: len(self.done) >= count)

    def _chat(self) -> None:
        while len(self.done) < self.requests:
            conversation = _open(self.negotiations)
            self._ask(lambda held=conversation: self.negotiations.resume(held), opening=True)
            words = WORDS[conversation.int % len(WORDS)]
            self._ask(lambda held=conversation, said=words: self.negotiations.receive(held, said, key="said", actor=None), opening=False)

    def _ask(self, ask: Callable[[], Iterator[TurnEvent]], *, opening: bool) -> None:
        began, first, sent, failure = time.perf_counter(), None, False, ""
        try:
            for event in ask():
                if isinstance(event, Writing) and first is None:
                    first = time.perf_counter() - began
                sent |= isinstance(event, Sent)
        except ParleyError as error:
            failure = f"{type(error).__name__}: {error}"
        if not sent and not failure:
            failure = "no reply was sent"
        with self._changed:
            self.done.append(Request(first_word_s=first, opening=opening, failure=failure))
            self._changed.notify_all()


def _open(negotiations: Negotiations) -> UUID:
    forms = demo_tickets(datetime.now(UTC).date())
    form = forms[uuid4().int % len(forms)].model_copy(update={"reference": f"SWAP-{uuid4()}"})
    with negotiations.transaction() as session:
        import_tickets(session, [form], actor=None)
        ticket = tickets.find_by_reference(session, form.reference)
        assert ticket is not None
    key = f"swap:{form.reference}"
    return negotiations.open(ticket_ids=[ticket.id], mode=Mode.AUTOPILOT, counterpart=Counterpart.HUMAN, actor=None, key=key)


@dataclass(slots=True, kw_only=True)
class Mover:
    """Publishes, promotes and rolls back while the load goes on, and counts the seconds."""

    sessions: SessionFactory
    fleet: Fleet
    store: AdapterStore
    adapters: Sequence[Path]
    marks: dict[str, int] = field(default_factory=dict[str, int])
    """Which mark a version was taught, by its name."""
    live_s: list[float] = field(default_factory=list[float])
    back_s: list[float] = field(default_factory=list[float])
    unloaded: int = 0

    def bring(self) -> None:
        """The next version, from the gate to live."""
        number = len(self.marks)
        name = f"marked-v{number + 1}"
        self.marks[name] = number % len(self.adapters)
        began = time.perf_counter()
        adapter = self.adapters[self.marks[name]]
        version_id = publish(self.sessions, self.fleet, self.store, adapter, name=name, parent_id=None, note={})
        promote(self.sessions, self.fleet, version_id)
        self.live_s.append(time.perf_counter() - began)

    def back(self) -> None:
        """The live version goes."""
        with self.sessions() as session:
            live = deployments.find_active(session, DeploymentRole.LIVE)
        assert live is not None
        began = time.perf_counter()
        roll_back(self.sessions, self.fleet, reason="benchmark", version_id=live.policy_version_id)
        self.back_s.append(time.perf_counter() - began)

    def tidy(self) -> None:
        """What the tick does each minute."""
        self.unloaded += len(sweep(self.sessions, self.fleet, settings=_SOON).unloaded)


def swap(load: Load, mover: Mover, *, publishes: int, rollbacks: int, tell: Callable[[str], None]) -> None:
    """All moves, evenly spread over the load."""
    moves: list[Callable[[], None]] = [mover.bring] * publishes
    for number in range(rollbacks):
        moves.insert((number + 1) * (publishes // rollbacks) + number, mover.back)
    for number, move in enumerate(moves):
        load.wait_for(load.requests * (number + 1) // (len(moves) + 2))
        move()
        mover.tidy()
        tell(f"{len(load.done)} of {load.requests} requests, {number + 1} of {len(moves)} moves")


@contextmanager
def beside(act: Callable[[], None]) -> Generator[None]:
    """Run ``act`` in a thread for the length of the block, and raise what it raised."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join()
    if raised:
        raise raised[0]


def betrayals(sessions: SessionFactory, marks: dict[str, int]) -> dict[str, int]:
    """Of all drafts that the model wrote, how many say the mark of the version that they are logged under."""
    counted: Counter[str] = Counter({"own": 0, "none": 0, "another": 0, "turn logged otherwise": 0})
    with sessions() as session:
        rows = session.execute(
            text(
                "SELECT d.text, v.name, t.model FROM draft d JOIN policy_version v ON v.id = d.policy_version_id "
                "LEFT JOIN turn t ON t.draft_id = d.id WHERE d.origin IN ('policy', 'rewrite') AND d.text <> ''"
            )
        ).all()
    for words, name, model in rows:
        found = {mark.lower() for mark in _MARK.findall(words)}
        own = MARKS[marks[name]].rstrip(".").lower()
        counted["own" if found == {own} else "another" if found else "none"] += 1
        counted["turn logged otherwise"] += model is not None and model != name
    return dict(counted)


def cut_answers(sessions: SessionFactory) -> int:
    """Answers that broke off in the middle; none is to be one more under swaps than without."""
    with sessions() as session:
        return session.execute(text("SELECT count(*) FROM guard_verdict WHERE message LIKE '%cut off%'")).scalar_one()


def quantile(values: Sequence[float], q: float) -> float:
    """By the values in order, the nearest."""
    return sorted(values)[min(len(values) - 1, round(q * (len(values) - 1)))]


def waits(done: Sequence[Request]) -> dict[str, float]:
    """Seconds to the first word, at the median and the 99th percentile; openings by themselves, which have no reading before them."""
    found: dict[str, float] = {}
    for name, kind in (("opening", True), ("answer", False)):
        values = [one.first_word_s for one in done if one.first_word_s is not None and one.opening is kind]
        found |= {f"{name}_p50_s": round(statistics.median(values), 3), f"{name}_p99_s": round(quantile(values, 0.99), 3)}
    return found


def run(
    *, requests: int, quiet: int, at_once: int, publishes: int, rollbacks: int, adapters: Path, tell: Callable[[str], None]
) -> dict[str, object]:
    """The figures; ``failures`` names what should not have been."""
    marked = marked_adapters(adapters)
    settings = {"redraws": 0, "model_retries": 0, "model_timeout_s": 600}
    with throwaway() as place:
        engine = create_engine_from(place.database_url)
        sessions = session_factory(engine)
        chosen = AgentSettings.model_validate({**settings, "model_url": place.model_url})
        with connect(place.database_url, settings=chosen) as negotiations, Fleet([place.model_url]) as fleet:
            mover = Mover(sessions=sessions, fleet=fleet, store=AdapterStore(place.folder / "adapters"), adapters=marked)
            mover.bring()
            mover.live_s.clear()

            def phase(count: int) -> Load:
                return Load(negotiations=negotiations, requests=count, at_once=at_once)

            phase(2 * at_once).run()  # the first ones pay for what is compiled and cached
            before = phase(quiet // 2)
            before.run()
            cut_before = cut_answers(sessions)
            load = phase(requests)
            tell("swapping")
            with beside(load.run):
                swap(load, mover, publishes=publishes, rollbacks=rollbacks, tell=tell)
            cut = cut_answers(sessions) - cut_before
            after = phase(quiet // 2)
            after.run()
            cut_after = cut_answers(sessions) - cut - cut_before
            time.sleep(_SOON.drain_grace_s)
            _close_all(negotiations, sessions)
            mover.tidy()
            unswapped = [*before.done, *after.done]
            figures: dict[str, object] = {
                "requests": len(load.done),
                "requests_without_swaps": len(unswapped),
                "at_once": at_once,
                "publishes": publishes,
                "rollbacks": rollbacks,
                "failed": sum(bool(one.failure) for one in load.done),
                "failed_without_swaps": sum(bool(one.failure) for one in unswapped),
                "failures": dict(Counter(one.failure for one in (*load.done, *unswapped) if one.failure)),
                "cut": cut,
                "cut_without_swaps": cut_before + cut_after,
                "drafts_by_mark": betrayals(sessions, mover.marks),
                "first_word_under_swaps": waits(load.done),
                "first_word_without": waits(unswapped),
                "gate_to_live_s": [round(value, 2) for value in mover.live_s],
                "rollback_s": [round(value, 2) for value in mover.back_s],
                "unloaded": mover.unloaded,
                "left_loaded": sorted(*fleet.loaded().values()),
            }
        engine.dispose()
    return figures


def _close_all(negotiations: Negotiations, sessions: SessionFactory) -> None:
    with sessions() as session:
        opened = session.scalars(text("SELECT id FROM conversation WHERE closed_at IS NULL")).all()
        actor = session.scalars(text("SELECT id FROM app_user LIMIT 1")).first() or _somebody(sessions)
    for conversation in opened:
        negotiations.close(conversation, outcome=TicketStatus.DECLINED, actor=actor, key="over")


def _somebody(sessions: SessionFactory) -> UUID:
    with sessions.begin() as session:
        return users.create(session, email="benchmark@example.com", name="Benchmark", roles=[Role.BD])[0].id


def main() -> None:
    """Run and print; status 1 where a reply failed or was logged under another version than wrote it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument(
        "--quiet", type=int, default=None, help="requests without swaps, half of them before and half after; as many as with"
    )
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--publishes", type=int, default=20)
    parser.add_argument("--rollbacks", type=int, default=5)
    parser.add_argument("--adapters", type=Path, default=Path("build") / "hot-swap", help="where the marked adapters are kept")
    parser.add_argument("--json", type=Path, default=None, help="also write the figures here")
    asked = parser.parse_args()
    console = Console(stderr=True)
    figures = run(
        requests=asked.requests, quiet=asked.requests if asked.quiet is None else asked.quiet, at_once=asked.at_once,
        publishes=asked.publishes, rollbacks=asked.rollbacks, adapters=asked.adapters,
        tell=lambda said: console.print(said, highlight=False),
    )  # fmt: skip
    if asked.json is not None:
        asked.json.write_text(json.dumps(figures, indent=1) + "\n")
    Console().print(figures)
    drafts = figures["drafts_by_mark"]
    assert isinstance(drafts, dict)
    sys.exit(1 if figures["failed"] or drafts["another"] or drafts["turn logged otherwise"] else 0)


if __name__ == "__main__":
    main()
