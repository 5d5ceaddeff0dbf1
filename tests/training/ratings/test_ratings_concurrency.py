"""Many raters at once, on connections of their own: nothing is handed out too often, lost, or counted twice, whoever dies when."""

import os
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import pytest
from rating_scenes import FOUR, Scenes, key

from db.engine import SessionFactory, create_engine_from, session_factory
from db.settings import DatabaseSettings
from db.vocabulary import JudgementKind, Preferred, QueuePolicy
from training.ratings import queues
from training.ratings.desk import RatingDesk
from training.ratings.errors import AlreadyJudged, LeaseLost, UndoTooLate
from training.ratings.views import Judgement

RATERS = 20
PATIENCE_S = 120
ROOT = Path(__file__).resolve().parents[3]
COUNTING = """
SELECT i.id, count(r.id), q.raters_per_item, i.open_places, i.state,
       (SELECT count(*) FROM rating_assignment a WHERE a.item_id = i.id AND a.state = 'reserved' AND NOT a.adjudicates)
FROM rating_item i JOIN rating_queue q ON q.id = i.queue_id
LEFT JOIN rating r ON r.item_id = i.id AND NOT r.withdrawn AND NOT r.adjudicates
                  AND NOT EXISTS (SELECT FROM rating n WHERE n.supersedes_id = r.id)
WHERE i.gold_answer_id IS NULL GROUP BY i.id, q.raters_per_item
"""
EITHER = [Judgement(preferred=side, strength=3) for side in (Preferred.FIRST, Preferred.SECOND)]
T = TypeVar("T")


@pytest.fixture
def many(database_url: str) -> Iterator[SessionFactory]:
    """As many connections as there are raters."""
    engine = create_engine_from(database_url, settings=DatabaseSettings(database_pool_size=RATERS, database_lock_timeout_s=60))
    yield session_factory(engine)
    engine.dispose()


def together(raters: list[UUID], act: Callable[[UUID], T]) -> list[T]:
    """Let every rater act on a thread of their own, all starting at one instant; what they return, or the first that they raise."""
    barrier = threading.Barrier(len(raters))

    def start(rater: UUID) -> T:
        barrier.wait(PATIENCE_S)
        return act(rater)

    with ThreadPoolExecutor(len(raters)) as pool:
        return list(pool.map(start, raters))


def hold_true(scenes: Scenes) -> None:
    """Places, leases and judgements of every item add up, and nobody has judged one twice."""
    for item, judged, asked, free, state, reserved in scenes.ask(COUNTING):
        assert judged + reserved + free == asked, f"{item}: {judged} judged, {reserved} reserved, {free} free, {asked} asked for"
        assert (state == "open") == (judged < asked), f"{item} is {state} with {judged} of {asked}"
    assert (
        scenes.ask("""
        SELECT item_id, rater_id FROM rating r WHERE NOT withdrawn AND NOT EXISTS (SELECT FROM rating n WHERE n.supersedes_id = r.id)
        GROUP BY item_id, rater_id HAVING count(*) > 1
    """)
        == []
    )


@pytest.mark.parametrize("asked", [1, 3])
def test_twenty_at_once_get_each_item_as_often_as_was_asked(scenes: Scenes, many: SessionFactory, asked: int) -> None:
    scenes.replies(40)
    scenes.queue(raters_per_item=asked)
    desk = RatingDesk(many, dry_s=0)
    raters = scenes.raters(RATERS)

    def work(rater: UUID) -> list[UUID]:
        done: list[UUID] = []
        while tasks := desk.next(rater):
            for task in tasks:
                desk.save(rater, task.assignment_id, FOUR, key=key())
                done.append(task.item_id)
        return done

    done = together(raters, work)
    assert all(len(set(items)) == len(items) for items in done)
    # A rater may have left while others still held the last places; nothing is handed out beyond what was asked for.
    assert max(Counter(item for items in done for item in items).values()) == asked
    for rater in raters:
        work(rater)
    hold_true(scenes)
    assert scenes.ask("SELECT count(*) FROM rating") == [40 * asked]


def test_one_who_works_in_many_windows_holds_no_more_than_they_may(scenes: Scenes, many: SessionFactory) -> None:
    scenes.replies(60)
    scenes.queue()
    ada = scenes.rater()
    desk = RatingDesk(many, dry_s=0)
    windows = together([ada] * RATERS, lambda rater: frozenset(task.assignment_id for task in desk.next(rater, n=3)))
    assert len(set(windows)) == 1
    assert scenes.ask("SELECT count(*) FROM rating_assignment") == [3]
    hold_true(scenes)


def test_the_same_save_from_many_windows_is_one_judgement(scenes: Scenes, many: SessionFactory) -> None:
    scenes.replies(1)
    scenes.queue(raters_per_item=2)
    ada = scenes.rater()
    desk = RatingDesk(many, dry_s=0)
    (task,) = desk.next(ada)
    saved = together([ada] * RATERS, lambda rater: desk.save(rater, task.assignment_id, FOUR, key="once").rating_id)
    assert len(set(saved)) == 1
    hold_true(scenes)
    assert scenes.ask("SELECT count(*) FROM rating") == [1]


def test_whatever_everybody_does_at_once_the_places_add_up(scenes: Scenes, many: SessionFactory) -> None:
    scenes.replies(25)
    for position in range(5):
        scenes.pair(f"One {position}", f"Two {position}")
    scenes.queue(raters_per_item=2, gold_share=Decimal(0), adjudicate_over=2, size=10)
    scenes.queue(kind=JudgementKind.COMPARISON, policy=QueuePolicy.RANDOM, raters_per_item=2, size=3)
    desk = RatingDesk(many, dry_s=0)

    def work(rater: UUID) -> None:
        rng = random.Random(str(rater))
        for _ in range(30):
            match rng.choice(("save", "save", "save", "skip", "undo", "release", "run out", "decide")):
                case "save":
                    for task in desk.next(rater)[:1]:
                        said = Judgement(stars=rng.choice((1, 5))) if task.kind is JudgementKind.TURN else None
                        with suppress(LeaseLost, AlreadyJudged):
                            desk.save(rater, task.assignment_id, said or rng.choice(EITHER), key=key())
                case "skip":
                    for task in desk.next(rater)[:1]:
                        with suppress(AlreadyJudged):
                            desk.skip(rater, task.assignment_id, "no idea", key=key())
                case "undo":
                    with suppress(UndoTooLate):
                        desk.undo(rater)
                case "release":
                    desk.release(rater)
                case "decide":
                    task = desk.next_dispute(rater)
                    if task is not None and rng.random() < 0.7:
                        with suppress(LeaseLost, AlreadyJudged):
                            said = Judgement(stars=3) if task.kind is JudgementKind.TURN else EITHER[0]
                            desk.save(rater, task.assignment_id, said, key=key())
                case _:
                    with many.begin() as session:
                        session.connection().exec_driver_sql(
                            "UPDATE rating_assignment SET expires_at = now() WHERE id = (SELECT id FROM rating_assignment "
                            "WHERE state = 'reserved' LIMIT 1 FOR UPDATE SKIP LOCKED)"
                        )
                    desk.sweep()

    together(scenes.raters(RATERS), work)
    hold_true(scenes)
    assert scenes.ask("SELECT count(*) FROM rating")[0] > 50
    scenes.run_out()
    RatingDesk(many).sweep()
    assert scenes.ask("SELECT count(*) FROM rating_assignment WHERE state = 'reserved'") == [0]
    hold_true(scenes)


def test_twenty_who_find_a_queue_empty_fill_it_together(scenes: Scenes, many: SessionFactory) -> None:
    scenes.queue(size=60)
    scenes.replies(60)
    desk = RatingDesk(many, dry_s=0)
    held = together(scenes.raters(RATERS), lambda rater: [task.item_id for task in desk.next(rater)])
    items = [item for each in held for item in each]
    assert len(items) == len(set(items))
    assert scenes.ask("SELECT count(*), count(DISTINCT turn_id) FROM rating_item") == [(60, 60)]
    hold_true(scenes)


FORKS = """
import os, sys
from uuid import UUID
from sqlalchemy import event
from db.engine import create_engine_from, session_factory
from training.ratings.desk import RatingDesk
from training.ratings.views import Judgement

url, rater = sys.argv[1], UUID(sys.argv[2])

def save(dies_at):
    sent = 0

    def count(*_):
        nonlocal sent
        sent += 1
        if sent == dies_at:
            os._exit(9)

    engine = create_engine_from(url, pooled=False)
    desk = RatingDesk(session_factory(engine))
    (task,) = desk.next(rater, n=1)
    event.listen(engine, "before_cursor_execute", count)
    event.listen(engine, "commit", count)
    desk.save(rater, task.assignment_id, Judgement(stars=4), key="k1")
    print("acknowledged", flush=True)
    os._exit(0)

for line in sys.stdin:
    child = os.fork()
    if not child:
        save(int(line))
    print("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Reads at which statement of its save the next process is to die, and says how it ended."""


@pytest.fixture
def saver(database_url: str) -> Iterator[Callable[[UUID, int], list[str]]]:
    """Saves for a rater in a process that dies at that statement (a commit counts as one); what was said until it ended."""
    started: list[subprocess.Popen[str]] = []

    def run(rater: UUID, dies_at: int) -> list[str]:
        if not started:
            command = [sys.executable, "-c", FORKS, database_url, str(rater)]
            environment = os.environ | {"PYTHONPATH": str(ROOT)}
            piped = subprocess.PIPE
            started.append(subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdin=piped, stdout=piped))
        harness = started[0]
        assert harness.stdin is not None
        assert harness.stdout is not None
        harness.stdin.write(f"{dies_at}\n")
        harness.stdin.flush()
        said: list[str] = []
        while not said or not said[-1].startswith("ended"):
            line = harness.stdout.readline()
            assert line, "the process that saves could not start"
            said.append(line.strip())
        return said

    yield run
    for harness in started:
        harness.communicate()


def test_a_process_killed_at_any_statement_of_a_save_loses_and_doubles_nothing(
    scenes: Scenes, saver: Callable[[UUID, int], list[str]]
) -> None:
    scenes.replies(1)
    scenes.queue()
    ada, bob = scenes.raters(2)
    desk = RatingDesk(scenes.sessions, dry_s=0)
    died = 0
    while (said := saver(ada, died + 1)) == ["ended 9"]:
        died += 1
        # Nothing was acknowledged and nothing is there; the item is still in hand, and nobody else gets it.
        assert scenes.ask("SELECT count(*) FROM rating") == [0]
        assert desk.next(bob) == []
        hold_true(scenes)
    assert died >= 8, "every statement of a save, and its commit, has been the last one"
    assert said == ["acknowledged", "ended 0"]
    (lease,) = scenes.ask("SELECT id FROM rating_assignment")
    desk.save(ada, lease, FOUR, key="k1")
    assert scenes.ask("SELECT count(*) FROM rating") == [1]
    hold_true(scenes)


def test_what_a_killed_process_held_is_free_when_its_time_is_over(scenes: Scenes, saver: Callable[[UUID, int], list[str]]) -> None:
    scenes.replies(1)
    scenes.queue()
    ada, bob = scenes.raters(2)
    assert saver(ada, 1) == ["ended 9"]
    desk = RatingDesk(scenes.sessions, dry_s=0)
    assert desk.next(bob) == []
    scenes.run_out()
    (task,) = desk.next(bob)
    desk.save(bob, task.assignment_id, FOUR, key=key())
    hold_true(scenes)


def test_a_hand_out_is_not_held_up_by_whoever_works_on_other_items(scenes: Scenes, many: SessionFactory) -> None:
    scenes.replies(2)
    queue = scenes.queue()
    ada = scenes.rater()
    with many.begin() as session:
        session.connection().exec_driver_sql("SELECT FROM rating_item ORDER BY position LIMIT 1 FOR UPDATE")
        (task,) = RatingDesk(many, dry_s=0).next(ada)
    assert task.replies == ("Reply 0",)
    with many() as session:
        assert queues.progress_of(session, queue.id).open == 2
