"""Kill -9 where it hurts: ``python -m benchmarks.crash [--turns N] [--kills N] [--seed N] [--json]``.

A real instance (`parley up`) in a folder of its own, a client process that says the hotels' words through the service as the web app does,
and a hand that kills the client, the web app, the model server, the database or everything at random moments. Afterwards every message
that was acknowledged must be there exactly once, no reply sent twice, no turn without its other half, and every conversation must go on.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from rich.console import Console
from sqlalchemy import text

from agent.service import Negotiations, connect
from agent.service.demo import demo_tickets
from agent.service.errors import ConversationEnded
from agent.service.events import Ended, Received, Sent
from agent.service.intake import import_tickets
from agent.settings import AgentSettings
from db.errors import ParleyError
from db.repositories import tickets
from db.vocabulary import Counterpart, Mode, Speaker
from webapp.instance.record import Home

LINES = (
    "Hello, yes, I look after the rates.",
    "We are about half full in these weeks.",
    "That is too low for us.",
    "ok let me see",
    "We could do a bit, what do you need exactly?",
    "",
    "What is in it for us?",
    "We are not happy with the last campaign, honestly.",
    "Sorry, that does not work either.",
    "Can you send me the details again?",
)
VICTIMS = ("client", "web", "model", "postgres", "everything")
CONVERSATIONS = 10
WAIT_S = 240.0

T = TypeVar("T")


def drive(home: Home, journal: Path, turns: int) -> None:
    """The client: says every line once, with its key, and writes down what was acknowledged. Started again, it goes on."""
    done = {entry["key"] for entry in _journal(journal) if entry["event"] == "done"}
    with journal.open("a") as out:

        def note(event: str, **what: Any) -> None:
            out.write(json.dumps({"event": event, **what}) + "\n")
            out.flush()
            os.fsync(out.fileno())

        with _connected(home) as negotiations:
            conversations = [_retried(lambda number=number: _open(negotiations, number)) for number in range(CONVERSATIONS)]
            for conversation in conversations:
                _retried(lambda conversation=conversation: [None for _ in negotiations.resume(conversation)])
            for number in range(turns // 2):
                conversation = conversations[number % CONVERSATIONS]
                key = f"line-{number}"
                if key not in done:
                    _retried(lambda c=conversation, k=key, n=number: _say(negotiations, c, k, LINES[n // CONVERSATIONS % len(LINES)], note))
        note("finished")


def _say(negotiations: Negotiations, conversation: UUID, key: str, words: str, note: Any) -> None:
    try:
        for event in negotiations.receive(conversation, words, key=key, actor=None):
            match event:
                case Received():
                    note("acknowledged", key=key, conversation=str(conversation), number=event.turn_number)
                case Sent():
                    note("sent", conversation=str(conversation), number=event.turn_number, text=event.text)
                case Ended():
                    note("ended", conversation=str(conversation))
                case _:
                    pass
    except ConversationEnded:
        note("over", key=key)
    note("done", key=key)


def _retried(act: Callable[[], T]) -> T:
    """As a patient client: the same request with the same key until it is answered."""
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            return act()
        except ParleyError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


@contextmanager
def _connected(home: Home) -> Generator[Negotiations]:
    record = home.read()
    assert record is not None, "the instance has been started"
    settings = AgentSettings(model_url=record.model_url, model_retries=0, model_timeout_s=20)
    with ExitStack() as stack:
        yield _retried(lambda: stack.enter_context(connect(record.database_url, settings=settings)))


def _open(negotiations: Negotiations, number: int) -> UUID:
    forms = demo_tickets(datetime.now(UTC).date())
    form = forms[number % len(forms)].model_copy(update={"reference": f"CRASH-{number}"})
    with negotiations.transaction() as session:
        import_tickets(session, [form], actor=None)
        ticket = tickets.find_by_reference(session, form.reference)
        assert ticket is not None
    return negotiations.open(ticket_ids=[ticket.id], mode=Mode.AUTOPILOT, counterpart=Counterpart.HUMAN, actor=None, key=f"crash:{number}")


def _journal(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        for line in path.read_text().splitlines():
            with suppress(json.JSONDecodeError):  # the line that the kill cut off was never acknowledged
                yield json.loads(line)


def run(*, turns: int, kills: int, seed: int, victims: tuple[str, ...] = VICTIMS, console: Console | None = None) -> dict[str, Any]:
    """Start, drive, kill, check; the figures, with ``faults`` naming everything that is wrong."""
    out = console or Console()
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="parley-crash-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        home = Home(folder / "home")
        environment = os.environ | {"PARLEY_HOME": str(home.path)}
        for variable in ("PARLEY_DATABASE_URL", "PARLEY_MODEL_URL", "PARLEY_BROKER_URL", "PARLEY_WEB_PORT"):
            environment.pop(variable, None)
        journal = folder / "journal"
        killed: Counter[str] = Counter()
        _up(environment)
        client = _client(environment, journal, turns)
        try:
            while not _finished(journal):
                time.sleep(rng.uniform(2.0, 7.0))
                if sum(killed.values()) < kills:
                    victim = victims[sum(killed.values()) % len(victims)] if kills <= len(victims) else rng.choice(victims)
                    killed[victim] += 1
                    out.print(f"kill -9 {victim}", highlight=False)
                    _kill(victim, home, client, environment)
                if client.poll() is not None and not _finished(journal):
                    client = _client(environment, journal, turns)
            return {"turns": turns, "kills": dict(killed), **_check(home, journal)}
        finally:
            client.kill()
            client.wait()
            subprocess.run([sys.executable, "-m", "parley", "down"], env=environment, check=False, capture_output=True)


def _up(environment: Mapping[str, str]) -> None:
    done = subprocess.run([sys.executable, "-m", "parley", "up", "--detach"], env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"parley up failed ({done.returncode}): {done.stdout[-2000:]} {done.stderr[-2000:]}")


def _client(environment: Mapping[str, str], journal: Path, turns: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "benchmarks.crash", "--drive", str(journal), "--turns", str(turns)]
    return subprocess.Popen(command, env=environment)


def _kill(victim: str, home: Home, client: subprocess.Popen[bytes], environment: Mapping[str, str]) -> None:
    record = home.read()
    assert record is not None
    if victim == "client":
        client.kill()
        client.wait()
    elif victim == "everything":
        for pid in (record.pid, *record.pids.values()):
            _kill_pid(pid)
        client.kill()
        client.wait()
        _up(environment)
    elif victim in record.pids:
        _kill_pid(record.pids[victim])


def _kill_pid(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _finished(journal: Path) -> bool:
    return any(entry["event"] == "finished" for entry in _journal(journal))


def _check(home: Home, journal: Path) -> dict[str, Any]:
    """Hold the tables against what the client was told."""
    faults: list[str] = []
    entries = list(_journal(journal))
    with _connected(home) as negotiations:
        with negotiations.transaction() as session:
            rows = session.execute(
                text("SELECT conversation_id, number, speaker, text, idempotency_key FROM turn ORDER BY conversation_id, number")
            ).all()
        keys = Counter(row.idempotency_key for row in rows if row.idempotency_key)
        acknowledged = {entry["key"] for entry in entries if entry["event"] == "acknowledged"}
        faults += [f"acknowledged message {key} is there {keys[key]} times" for key in acknowledged if keys[key] != 1]
        by_conversation: dict[UUID, list[Any]] = {}
        for row in rows:
            by_conversation.setdefault(row.conversation_id, []).append(row)
        for conversation, said in by_conversation.items():
            if [row.number for row in said] != list(range(1, len(said) + 1)):
                faults.append(f"{conversation} has a gap or a double number")
            speakers = [row.speaker for row in said]
            if any(a == b == Speaker.BD for a, b in pairwise(speakers)):
                faults.append(f"{conversation} has two replies to one message")
        sent = {(entry["conversation"], entry["number"]): entry["text"] for entry in entries if entry["event"] == "sent"}
        there = {(str(row.conversation_id), row.number): row.text for row in rows if row.speaker == Speaker.BD}
        faults += [f"reply {place} was announced and is not there" for place, words in sent.items() if there.get(place) != words]
        continued = ended = 0
        for conversation in by_conversation:
            if negotiations.view(conversation).is_end:
                ended += 1
                continue
            events = _retried(lambda c=conversation: list(negotiations.receive(c, "Hello, are you there?", key="last", actor=None)))
            if any(isinstance(event, Sent) for event in events):
                continued += 1
            else:
                faults.append(f"{conversation} does not go on")
    return {
        "messages_acknowledged": len(acknowledged),
        "turns_in_database": len(rows),
        "conversations_continued": continued,
        "conversations_ended": ended,
        "faults": faults,
    }


def main() -> None:
    """Run, or be the client that is killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--drive", type=Path, default=None, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.drive is not None:
        drive(Home(Path(os.environ["PARLEY_HOME"])), arguments.drive, arguments.turns)
        return
    figures = run(turns=arguments.turns, kills=arguments.kills, seed=arguments.seed)
    Console().print(figures)
    if arguments.json:
        print(json.dumps(figures))
    sys.exit(1 if figures["faults"] else 0)


if __name__ == "__main__":
    main()
