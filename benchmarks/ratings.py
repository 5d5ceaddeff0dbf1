"""How fast the rating desk hands out and saves: ``python -m benchmarks.ratings [--turns N] [--ratings N] [--raters N] [--pace S]``.

A throwaway PostgreSQL (fsync on) is filled with conversations, turns, drafts, queues, items, leases and judgements. Then as many raters as
are asked for work at once, each on a connection of their own: ask for two tasks, think for ``pace`` seconds on average, save, and so on.
What is timed is the desk's own call, commit included, as the web server makes it. ``--pace 0`` has nobody think: the desk saturated.

All raters are threads of this one process, as they are in the web server. Times depend on what else the machine does, so what one call
costs is told beside them, for one rater alone: SQL statements, milliseconds of CPU in Python, and in the database's process.
"""

import argparse
import json
import os
import platform
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar
from uuid import UUID

import psutil
from rich.console import Console
from sqlalchemy import Engine, event, text

from benchmarks.throwaway import throwaway
from db.engine import create_engine_from, session_factory
from db.settings import DatabaseSettings
from db.vocabulary import JudgementKind, QueuePolicy
from training.ratings import queues
from training.ratings.desk import RatingDesk
from training.ratings.queues import QueueSettings
from training.ratings.views import Judgement

TURNS_OF_A_CONVERSATION = 10
RATERS_IN_DATABASE = 40
OLD_QUEUES = 10
WARM_UP = 8
"""Saves of each rater that are not timed: plans are made and connections opened."""

T = TypeVar("T")

FILL = """
INSERT INTO app_user (id, email, name, roles)
    SELECT md5('rater' || i)::uuid, 'rater' || i || '@example.com', 'Rater ' || i, '{annotator}' FROM generate_series(1, :raters) i;
INSERT INTO hotel (id, name, city, country, timezone)
    SELECT md5('hotel' || i)::uuid, 'Hotel ' || i, 'City ' || i % 100, 'PT', 'UTC' FROM generate_series(1, 2000) i;
INSERT INTO policy_version (id, name, base_model, status, note)
    SELECT md5('policy' || i)::uuid, 'policy-v' || i, 'parley-starter', 'published', '{}' FROM generate_series(1, 5) i;
INSERT INTO ticket (id, hotel_id, reference, room_type, check_in, check_out, currency, current_net, commission, rooms, evidence,
                    target, ceiling, opening_ask, tactic, exponent, max_rounds, status)
    SELECT md5('ticket' || i)::uuid, md5('hotel' || 1 + i % 2000)::uuid, 'PC-' || i, 'Deluxe', '2026-03-01', '2026-03-02', 'EUR', 440, 0.15,
           1, '{"The room was sold for less last week."}', 410, 425, 395, 'boulware', 3, 6, 'declined'
    FROM generate_series(1, :conversations) i;
INSERT INTO conversation (id, hotel_id, mode, counterpart, language, stage, state, turn_count, policy_version_id, idempotency_key,
                          created_at, closed_at)
    SELECT md5('conversation' || i)::uuid, md5('hotel' || 1 + i % 2000)::uuid, 'copilot', 'human', 'en', 'declined', '{}', :length,
           md5('policy' || 1 + i % 5)::uuid, 'c' || i, now() - i * interval '1 minute', now() - i * interval '1 minute'
    FROM generate_series(1, :conversations) i;
INSERT INTO conversation_ticket (id, conversation_id, ticket_id, label)
    SELECT gen_random_uuid(), md5('conversation' || i)::uuid, md5('ticket' || i)::uuid, 1 FROM generate_series(1, :conversations) i;
INSERT INTO draft (id, conversation_id, for_turn, attempt, origin, text, status, rules_checked, policy_version_id, created_at)
    SELECT gen_random_uuid(), md5('conversation' || i)::uuid, number, attempt, CASE attempt WHEN 1 THEN 'policy' ELSE 'rewrite' END,
           'Would ' || 400 + number + attempt || ' net be possible for these dates, given what guests see elsewhere?',
           CASE WHEN attempt = attempts THEN 'approved' ELSE 'superseded' END, '{}', md5('policy' || 1 + i % 5)::uuid,
           now() - i * interval '1 minute' + number * interval '1 second'
    FROM generate_series(1, :conversations) i, generate_series(1, :length, 2) number,
         LATERAL (SELECT CASE WHEN (i + number) % 10 = 0 THEN 2 ELSE 1 END AS attempts) a, generate_series(1, attempts) attempt;
INSERT INTO guard_verdict (id, draft_id, rule, severity, message, of_edit, created_at)
    SELECT gen_random_uuid(), id, 'promises', 'minor', '', false, created_at FROM draft WHERE status = 'superseded';
INSERT INTO turn (id, conversation_id, number, speaker, text, stage_before, move, draft_id, policy_version_id, created_at)
    SELECT gen_random_uuid(), conversation_id, for_turn, 'bd', text, 'proposal', '{"kind": "ask"}', id, policy_version_id, created_at
    FROM draft WHERE status = 'approved';
INSERT INTO turn (id, conversation_id, number, speaker, text, stage_before, idempotency_key, created_at)
    SELECT gen_random_uuid(), md5('conversation' || i)::uuid, number + 1, 'hotel', 'We could do 430, on weekdays only.', 'proposal',
           'k' || number, now() - i * interval '1 minute' + (number + 1) * interval '1 second'
    FROM generate_series(1, :conversations) i, generate_series(1, :length, 2) number;
INSERT INTO rating_queue (id, name, kind, policy, raters_per_item, reservation_s, priority, gold_share, adjudicate_over, size, filters)
    SELECT md5('queue' || i)::uuid, 'Queue ' || i, 'turn', 'newest', 2, 900, 0, 0, 2, 200, '{}' FROM generate_series(1, :queues) i;
INSERT INTO rating_item (id, queue_id, conversation_id, turn_id, open_places, priority, position, state)
    SELECT gen_random_uuid(), md5('queue' || 1 + n % :queues)::uuid, conversation_id, id, 0, 0, -extract(epoch FROM created_at), 'judged'
    FROM (SELECT id, conversation_id, created_at, row_number() OVER (ORDER BY created_at DESC, id DESC) AS n
          FROM turn WHERE speaker = 'bd' ORDER BY created_at DESC, id DESC LIMIT :items) chosen;
INSERT INTO rating_assignment (id, item_id, rater_id, expires_at, state, swapped, adjudicates, created_at, ended_at)
    SELECT gen_random_uuid(), id, md5('rater' || 1 + (n + second * 7) % :raters)::uuid, moment, 'done', false, false, moment, moment
    FROM (SELECT id, row_number() OVER () AS n, now() - interval '1 day' - row_number() OVER () * interval '10 seconds' AS moment
          FROM rating_item) i, generate_series(0, 1) second;
INSERT INTO rating (id, kind, rater_id, conversation_id, turn_id, item_id, idempotency_key, withdrawn, adjudicates, source, stars,
                    excellent, comment, decided_by, seconds, created_at)
    SELECT gen_random_uuid(), 'turn', a.rater_id, i.conversation_id, i.turn_id, i.id, a.id::text, false, false, 'desk',
           1 + floor(random() * 5)::int, false, '', '', 20, a.created_at
    FROM rating_assignment a JOIN rating_item i ON i.id = a.item_id;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Milliseconds of one kind of call."""

    calls: int
    median: float
    p95: float
    p99: float
    worst: float


def timed(seconds: Sequence[float]) -> Timed:
    """Percentiles of what was measured; the value at rank ``ceil(share * n)``."""
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 2)

    return Timed(calls=len(ordered), median=at(0.5), p95=at(0.95), p99=at(0.99), worst=at(1.0))


def fill(engine: Engine, *, turns: int, ratings: int) -> None:
    """Load the database and let the server look at it."""
    values = {
        "raters": RATERS_IN_DATABASE,
        "conversations": max(1, turns // TURNS_OF_A_CONVERSATION),
        "length": TURNS_OF_A_CONVERSATION,
        "queues": OLD_QUEUES,
        "items": ratings // 2,
    }
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        for statement in FILL.strip().split(";\n"):
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            connection.execute(text(statement.rstrip(";").replace("::", "\\:\\:")), used)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE"))


def work(desk: RatingDesk, raters: Sequence[UUID], *, seconds: float, pace: float) -> tuple[list[float], list[float], int]:
    """Let everybody work at once; what hand-outs and saves took, and how many items went to more raters than was asked for."""
    handed: list[float] = []
    saved: list[float] = []
    failures: list[BaseException] = []
    barrier = threading.Barrier(len(raters))

    def one(rater: UUID) -> None:
        rng = random.Random(str(rater))
        try:
            for _ in range(WARM_UP):
                for task in desk.next(rater)[:1]:
                    desk.save(rater, task.assignment_id, Judgement(stars=4, seconds=1.0), key=str(task.assignment_id))
            barrier.wait()
            until = time.perf_counter() + seconds
            time.sleep(rng.random() * pace)  # people do not start on one beat
            while time.perf_counter() < until:
                start = time.perf_counter()
                tasks = desk.next(rater)
                handed.append(time.perf_counter() - start)
                assert tasks, "the queue is large enough for everybody"
                time.sleep(rng.uniform(0.5, 1.5) * pace)
                start = time.perf_counter()
                desk.save(rater, tasks[0].assignment_id, Judgement(stars=rng.randint(1, 5), seconds=pace), key=str(tasks[0].assignment_id))
                saved.append(time.perf_counter() - start)
        except BaseException as error:
            failures.append(error)
            barrier.abort()
            raise

    threads = [threading.Thread(target=one, args=(rater,)) for rater in raters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return handed, saved, len(saved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one call takes, whatever else the machine does."""

    statements: float
    python_cpu_ms: float
    database_cpu_ms: float


def costs(url: str, rater: UUID, *, calls: int = 300) -> dict[str, Cost]:
    """The mean cost of a hand-out and of a save, of one rater who works alone on one connection."""
    engine = create_engine_from(url, settings=DatabaseSettings(database_pool_size=1, database_pool_overflow=0))
    desk = RatingDesk(session_factory(engine))
    with engine.connect() as connection:
        backend = psutil.Process(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
    sent = 0

    def count(*_: object) -> None:
        nonlocal sent
        sent += 1

    event.listen(engine, "before_cursor_execute", count)
    spent = {"hand_out": [0.0, 0.0, 0.0], "save": [0.0, 0.0, 0.0]}

    def counted(what: str, act: Callable[[], T]) -> T:
        before = (sent, time.thread_time(), sum(backend.cpu_times()[:2]))
        done = act()
        after = (sent, time.thread_time(), sum(backend.cpu_times()[:2]))
        spent[what] = [total + now - then for total, now, then in zip(spent[what], after, before, strict=True)]
        return done

    for number in range(WARM_UP + calls):
        if number == WARM_UP:
            spent = {what: [0.0, 0.0, 0.0] for what in spent}
        task = counted("hand_out", lambda: desk.next(rater))[0]
        lease, said = task.assignment_id, Judgement(stars=4, seconds=1.0)
        counted("save", lambda lease=lease, said=said: desk.save(rater, lease, said, key=str(lease)))
    desk.release(rater)
    engine.dispose()
    return {
        what: Cost(
            statements=round(statements / calls, 2),
            python_cpu_ms=round(python / calls * 1000, 2),
            database_cpu_ms=round(database / calls * 1000, 2),
        )
        for what, (statements, python, database) in spent.items()
    }


def faults(engine: Engine) -> list[str]:
    """Items whose judgements, leases and free places do not add up to what was asked for."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT i.id, i.open_places, q.raters_per_item, count(a.id) AS taken "
                "FROM rating_item i JOIN rating_queue q ON q.id = i.queue_id "
                "LEFT JOIN rating_assignment a ON a.item_id = i.id AND a.state IN ('reserved', 'done') "
                "WHERE i.gold_answer_id IS NULL GROUP BY i.id, q.raters_per_item HAVING i.open_places + count(a.id) <> q.raters_per_item"
            )
        ).all()
    return [f"{row.id}: {row.taken} taken and {row.open_places} free of {row.raters_per_item}" for row in rows]


def run(*, turns: int, ratings: int, raters: int, seconds: float, pace: float, console: Console) -> dict[str, object]:
    """Fill, work, check; the figures."""
    with throwaway(model=False) as services:
        settings = DatabaseSettings(database_pool_size=raters + 2)
        engine = create_engine_from(services.database_url, settings=settings)
        start = time.perf_counter()
        fill(engine, turns=turns, ratings=ratings)
        console.print(f"filled with {turns:,} turns and {ratings:,} ratings in {time.perf_counter() - start:.0f} s")
        sessions = session_factory(engine)
        topped: dict[str, float] = {}
        for policy in QueuePolicy:
            start = time.perf_counter()
            queues.define(sessions, QueueSettings(name=f"New {policy}", kind=JudgementKind.TURN, policy=policy, priority=1), actor=None)
            topped[policy] = round((time.perf_counter() - start) * 1000, 1)
        with engine.begin() as connection:
            connection.execute(text("UPDATE rating_queue SET closed_at = now() WHERE priority = 1"))
        queue = queues.define(
            sessions,
            QueueSettings(name="Now", kind=JudgementKind.TURN, policy=QueuePolicy.NEWEST, raters_per_item=2, priority=2, size=2_000),
            actor=None,
        )
        with engine.connect() as connection:
            people = list(connection.scalars(text("SELECT id FROM app_user ORDER BY id LIMIT :raters"), {"raters": raters}))
        cost = costs(services.database_url, people[0])
        desk = RatingDesk(sessions)
        before = os.getloadavg()[0]
        handed, saved, judged = work(desk, people, seconds=seconds, pace=pace)
        start = time.perf_counter()
        progress = desk.progress(people[0])
        asked = round((time.perf_counter() - start) * 1000, 1)
        with sessions() as session:
            done = queues.progress_of(session, queue.id).judgements
        figures: dict[str, object] = {
            "turns": turns,
            "ratings": ratings,
            "raters": raters,
            "pace_s": pace,
            "seconds": seconds,
            "saves_a_second": round(judged / seconds, 1),
            "hand_out_ms": asdict(timed(handed)),
            "save_ms": asdict(timed(saved)),
            "cost_of_a_call": {what: asdict(each) for what, each in cost.items()},
            "define_ms": topped,
            "progress_ms": asked,
            "judged_by_the_first": progress.judged,
            "judgements": done,
            "faults": faults(engine),
            "load_before_and_after": (before, os.getloadavg()[0]),
            "cores": os.cpu_count(),
            "machine": platform.machine(),
        }
        engine.dispose()
        return figures


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=1_000_000)
    parser.add_argument("--ratings", type=int, default=200_000)
    parser.add_argument("--raters", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30.0, help="How long everybody works.")
    parser.add_argument("--pace", type=float, default=1.0, help="Seconds of thought a judgement, on average; 0 for none.")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    console = Console(stderr=arguments.json)
    figures = run(
        turns=arguments.turns,
        ratings=arguments.ratings,
        raters=arguments.raters,
        seconds=arguments.seconds,
        pace=arguments.pace,
        console=console,
    )
    console.print(figures)
    if arguments.json:
        print(json.dumps(figures, default=str))


if __name__ == "__main__":
    main()
