"""Kill -9 among raters at work: ``python -m benchmarks.rating_kills [--raters N] [--browsers N] [--kills N] [--seed N] [--json]``.

The real web process on a throwaway PostgreSQL (fsync on), and as many raters as are asked for at once: processes that talk to the desk's
routes as the page does (``benchmarks.scripted_rater``), and real Chromium windows that are rated in by keyboard. At random moments the web
process is killed and started again, raters and whole browsers are killed and come back, or somebody else comes in their place, so that what
they held runs out. Afterwards every save that was acknowledged must be there exactly once, nothing may be judged twice by one person or by
more people than were asked, and no reservation may outlive its time.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console
from sqlalchemy import Engine, select, text

from benchmarks.browser_raters import BrowserRaters
from benchmarks.ratings import faults, fill
from benchmarks.scripted_rater import entries
from benchmarks.throwaway import throwaway
from db.embedded import free_port
from db.engine import create_engine_from, session_factory
from db.models import User
from db.vocabulary import JudgementKind, QueuePolicy
from training.ratings import queues
from training.ratings.desk import RatingDesk
from training.ratings.queues import QueueSettings
from webapp.auth.cookies import SESSION_COOKIE, seal
from webapp.auth.sign_in import start_session

ROOT = Path(__file__).resolve().parent.parent
SECRET_KEY = "a key of this benchmark alone, long enough"
RATERS_AN_ITEM = 2
RESERVATION_S = 30
"""The shortest that a queue may have."""
CALM_S = 10.0
"""Seconds of work after the last kill."""
SWEPT_WITHIN_S = 5.0
"""Seconds after its time within which a reservation must be free where somebody asks for work."""


class Web:
    """The web process, killed and started again on one port."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.address = f"http://127.0.0.1:{free_port()}"
        self._environment = os.environ | {
            "PARLEY_DATABASE_URL": database_url,
            "PARLEY_HOME": str(folder),
            "PARLEY_SECRET_KEY": SECRET_KEY,
        }
        self._log = (folder / "web.log").open("ab")
        self._start()

    def _start(self) -> None:
        command = [sys.executable, "-m", "webapp.server", "--port", self.address.rpartition(":")[2]]
        self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=self._log, stderr=self._log)

    def wait(self, *, patience_s: float = 600) -> None:
        """Until it answers."""
        deadline = time.monotonic() + patience_s
        while True:
            try:
                with urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=2):
                    return
            except (OSError, urllib.error.URLError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def kill(self) -> None:
        """With -9."""
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        """After a kill."""
        self.kill()
        self._start()

    def close(self) -> None:
        """End it."""
        self.kill()
        self._log.close()


class Crowd:
    """The scripted raters: so many at a time, of all who have a sign-in."""

    def __init__(self, address: str, cookies: dict[UUID, str], folder: Path, *, at_once: int, pace: float, rng: random.Random) -> None:
        self._address, self._cookies, self._folder, self._pace, self._rng = address, cookies, folder, pace, rng
        self._absent = list(cookies)
        self._starts = 0
        self._running: dict[UUID, subprocess.Popen[bytes]] = {}
        for _ in range(at_once):
            self._start(self._absent.pop(0))

    def journal(self, rater: UUID) -> Path:
        """What the person's browser remembers."""
        return self._folder / f"{rater}.jsonl"

    def _start(self, rater: UUID) -> None:
        self._starts += 1
        command = [sys.executable, "-m", "benchmarks.scripted_rater", self._address, f"{SESSION_COOKIE}={self._cookies[rater]}"]
        command += [str(self.journal(rater)), str(self._rng.getrandbits(32)), str(self._pace)]
        self._running[rater] = subprocess.Popen(command, cwd=ROOT)

    def revive(self) -> int:
        """Whoever has ended by themselves comes back; how many."""
        ended = [rater for rater, process in self._running.items() if process.poll() is not None]
        for rater in ended:
            self._start(rater)
        return len(ended)

    def kill_one(self, *, replaced: bool) -> None:
        """One is killed; with ``replaced`` another person comes in their place, and what the first one held runs out."""
        rater = self._rng.choice(list(self._running))
        self._end(rater)
        self._start(self._absent.pop(0) if replaced and self._absent else rater)

    def _end(self, rater: UUID) -> None:
        process = self._running.pop(rater)
        process.kill()
        process.wait()

    def close(self) -> None:
        """All are killed at once, with what they hold."""
        for process in self._running.values():
            process.kill()
        for rater in list(self._running):
            self._end(rater)


def trial(
    database_url: str, folder: Path, *, raters: int, browsers: int, kills: int, seed: int, turns: int, hurried: bool, console: Console
) -> dict[str, Any]:
    """Fill an empty migrated database, let raters work while kills happen, and check; ``faults`` names everything that is wrong.

    ``hurried``: at the end the reservations are made to run out instead of waiting for their time.
    """
    rng = random.Random(seed)
    engine = create_engine_from(database_url)
    cookies = _prepared(engine, turns=turns)
    windows = list(cookies)[:browsers]
    killed: Counter[str] = Counter()
    with ExitStack() as stack:
        stack.callback(engine.dispose)
        web = Web(database_url, folder)
        stack.callback(web.close)
        web.wait()
        rest = {rater: cookie for rater, cookie in cookies.items() if rater not in windows}
        crowd = Crowd(web.address, rest, folder, at_once=raters - browsers, pace=0.5, rng=rng)
        stack.callback(crowd.close)
        pages = BrowserRaters(web.address, {rater: cookies[rater] for rater in windows}, folder)
        stack.callback(pages.close)
        victims = ("web", "rater", "rater", "replaced", *(("browser",) if browsers else ()))
        for number in range(kills):
            time.sleep(rng.uniform(0.5, 6.0))
            victim = victims[number] if kills <= len(victims) else rng.choice(victims)
            killed[victim] += 1
            console.print(f"kill -9 {victim}", highlight=False)
            match victim:
                case "web":
                    web.restart()
                    if rng.random() < 0.7:  # else it is hit again while it starts
                        web.wait()
                case "browser":
                    pages.kill_one(rng)
                case _:
                    crowd.kill_one(replaced=victim == "replaced")
            killed["answer unread"] += crowd.revive()
        web.wait()
        time.sleep(CALM_S)
        crowd.close()
        pages.close()
        journals = [crowd.journal(rater) for rater in cookies]
        last = RatingDesk(session_factory(engine))
        freed_after = _freed(engine, last, list(cookies)[-1], hurried=hurried)
        return {
            "raters": raters,
            "browsers": browsers,
            "kills": dict(killed),
            **_checked(engine, dict(zip(cookies, journals, strict=True)), freed_after=freed_after),
            "load": round(os.getloadavg()[0], 1),
        }


def _prepared(engine: Engine, *, turns: int) -> dict[UUID, str]:
    """Conversations, one queue, and a session cookie for each person."""
    fill(engine, turns=turns, ratings=0)
    sessions = session_factory(engine)
    with sessions.begin() as session:
        session.execute(text("UPDATE rating_queue SET closed_at = now()"))
    settings = QueueSettings(
        name="Now",
        kind=JudgementKind.TURN,
        policy=QueuePolicy.RANDOM,
        raters_per_item=RATERS_AN_ITEM,
        reservation_s=RESERVATION_S,
        size=turns // 2,
    )
    queues.define(sessions, settings, actor=None)
    with sessions.begin() as session:
        people = session.scalars(select(User.id).order_by(User.id)).all()
        return {person: seal(start_session(session, person), key=SECRET_KEY) for person in people}


def _freed(engine: Engine, desk: RatingDesk, rater: UUID, *, hurried: bool) -> float:
    """Seconds from the end of the last reservation until all are free, as somebody who asks for work finds them; inf where some stay."""
    if hurried:
        with engine.begin() as connection:
            connection.execute(text("UPDATE rating_assignment SET expires_at = now() WHERE state = 'reserved'"))
    with engine.connect() as connection:
        left = connection.scalar(text("SELECT extract(epoch FROM max(expires_at) - now()) FROM rating_assignment WHERE state = 'reserved'"))
    time.sleep(max(0.0, float(left or 0)))
    over = time.monotonic()
    while time.monotonic() < over + 4 * SWEPT_WITHIN_S:
        desk.next(rater)
        desk.release(rater)
        with engine.connect() as connection:
            if not connection.scalar(text("SELECT count(*) FROM rating_assignment WHERE state = 'reserved'")):
                return time.monotonic() - over
        time.sleep(0.2)
    return float("inf")


def _checked(engine: Engine, journals: dict[UUID, Path], *, freed_after: float) -> dict[str, Any]:
    """Hold the tables against what the raters were told."""
    with engine.connect() as connection:
        stored = connection.execute(text("SELECT id, rater_id, item_id, idempotency_key FROM rating")).all()
        crowded = connection.execute(
            text("SELECT item_id FROM rating GROUP BY item_id HAVING count(*) > :most OR count(*) > count(DISTINCT rater_id)"),
            {"most": RATERS_AN_ITEM},
        ).all()
        expired, latest = connection.execute(
            text("SELECT count(*), extract(epoch FROM max(ended_at - expires_at)) FROM rating_assignment WHERE state = 'expired'")
        ).one()
    there = Counter((row.rater_id, row.idempotency_key) for row in stored)
    ids = {(row.rater_id, row.idempotency_key): str(row.id) for row in stored}
    wrong = faults(engine) + [f"item {row.item_id} was judged too often" for row in crowded]
    acknowledged = sent = 0
    refused: Counter[str] = Counter()
    for rater, journal in journals.items():
        written = list(entries(journal))
        keys = {entry["key"] for entry in written if entry["event"] == "sending" and entry["route"] == "save"}
        sent += len(keys)
        for entry in written:
            place = rater, entry["key"]
            if entry["event"] == "refused":
                refused[str(entry["code"])] += 1
            if entry["event"] == "acknowledged" and entry["route"] == "save":
                acknowledged += 1
                if there[place] != 1 or ids[place] != entry["rating"]:
                    wrong.append(f"the acknowledged save {entry['key']} is there {there[place]} times")
        wrong += [f"nobody sent the save {key}" for who, key in there if who == rater and key not in keys]
    if freed_after > SWEPT_WITHIN_S:
        wrong.append(f"{freed_after:.1f} s after their time reservations were still there")
    return {
        "saves_sent": sent,
        "saves_acknowledged": acknowledged,
        "judgements_in_the_database": len(stored),
        "there_though_the_answer_was_lost": len(stored) - acknowledged,
        "refused": dict(refused),
        "reservations_that_ran_out": expired,
        "longest_overdue_s": round(float(latest or 0), 1),
        "freed_after_the_last_s": round(freed_after, 1),
        "faults": wrong,
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raters", type=int, default=20)
    parser.add_argument("--browsers", type=int, default=2, help="How many of them are Chromium windows.")
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--turns", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    console = Console(stderr=arguments.json)
    with throwaway(model=False) as services:
        figures = trial(
            services.database_url,
            services.folder,
            raters=arguments.raters,
            browsers=arguments.browsers,
            kills=arguments.kills,
            seed=arguments.seed,
            turns=arguments.turns,
            hurried=False,
            console=console,
        )
    console.print(figures)
    if arguments.json:
        print(json.dumps(figures))
    sys.exit(1 if figures["faults"] else 0)


if __name__ == "__main__":
    main()
