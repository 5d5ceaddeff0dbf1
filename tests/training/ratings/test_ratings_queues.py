"""Defining, changing and closing queues, and how far they have come."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from rating_scenes import EVERY_TURN, FOUR, Scenes, key

from db.repositories.rating_queues import QueueNotFound
from db.vocabulary import JudgementKind, QueuePolicy, Role, Stage
from training.ratings import queues
from training.ratings.desk import RatingDesk
from training.ratings.errors import QueueNameTaken, QueueSettingsWrong
from training.ratings.views import Judgement

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_queue_is_stored_as_it_was_defined(scenes: Scenes) -> None:
    lead = scenes.rater(roles=(Role.OPS,))
    settings = replace(
        EVERY_TURN,
        name="  Closing   well ",
        policy=QueuePolicy.RANDOM,
        raters_per_item=3,
        priority=-2,
        gold_share=Decimal("0.1"),
        language="EN",
        stage=Stage.CLOSING,
        policy_version_id=uuid4(),
        since=NOW,
        until=NOW + timedelta(days=7),
    )
    queue = queues.define(scenes.sessions, settings, actor=lead)
    assert queue.settings == replace(settings, name="Closing well", language="en")
    with scenes.sessions() as session:
        assert queues.list_queues(session) == (queue,)
        assert queues.queue_of(session, queue.id) == queue
        with pytest.raises(QueueNotFound):
            queues.queue_of(session, lead)
    assert scenes.ask(
        "SELECT actor_id, after->>'name', after->>'raters_per_item' FROM audit_event WHERE action = 'rating_queue.define'"
    ) == [(lead, "Closing well", "3")]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"name": "  "}, "a name of 1 to 120"),
        ({"name": "x" * 121}, "a name of 1 to 120"),
        ({"raters_per_item": 0}, "choose 1 to 20"),
        ({"reservation_s": 10}, "choose 30 to 86,400"),
        ({"priority": 5_000}, "choose -1,000 to 1,000"),
        ({"adjudicate_over": 5}, "choose 1 to 4"),
        ({"size": 0}, "choose 1 to 1,000,000"),
        ({"gold_share": Decimal("0.51")}, "choose 0 to 0.5"),
        ({"gold_share": Decimal("NaN")}, "share"),
        ({"gold_share": Decimal("0.1"), "kind": JudgementKind.DIALOGUE}, "single replies only"),
        ({"since": datetime(2026, 3, 1)}, "no time zone"),
        ({"since": NOW, "until": NOW}, "nothing lies from"),
    ],
)
def test_settings_that_cannot_work_are_refused(scenes: Scenes, changed: dict[str, Any], why: str) -> None:
    with pytest.raises(QueueSettingsWrong, match=why):
        queues.define(scenes.sessions, replace(EVERY_TURN, **changed), actor=None)
    assert scenes.ask("SELECT count(*) FROM rating_queue") == [0]


def test_a_name_is_used_once(scenes: Scenes) -> None:
    one, other = scenes.queue(name="one"), scenes.queue(name="other")
    with pytest.raises(QueueNameTaken, match="'one'"):
        scenes.queue(name="one")
    with pytest.raises(QueueNameTaken, match="'one'"):
        queues.change(scenes.sessions, other.id, replace(other.settings, name="one"), actor=None)
    assert queues.change(scenes.sessions, one.id, one.settings, actor=None) == one
    assert scenes.ask("SELECT count(*) FROM audit_event WHERE action = 'rating_queue.change'") == [0]


def test_a_change_is_audited_with_what_was_changed(scenes: Scenes) -> None:
    queue = scenes.queue(name="one", language="zh")
    changed = queues.change(scenes.sessions, queue.id, replace(queue.settings, priority=5, language=None), actor=None)
    assert (changed.settings.priority, changed.settings.language) == (5, None)
    assert scenes.ask("SELECT before, after FROM audit_event WHERE action = 'rating_queue.change'") == [
        ({"priority": 0, "language": "zh"}, {"priority": 5})
    ]
    with pytest.raises(QueueSettingsWrong, match="define a new queue"):
        queues.change(scenes.sessions, queue.id, replace(changed.settings, kind=JudgementKind.DIALOGUE), actor=None)


def test_a_closed_queue_hands_out_nothing_until_it_is_opened_again(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.replies(3)
    queue = scenes.queue()
    ada, bob = scenes.raters(2)
    (held,) = desk.next(ada, n=1)
    assert queues.close(scenes.sessions, queue.id, actor=None).closed_at is not None
    queues.close(scenes.sessions, queue.id, actor=None)
    assert desk.next(bob) == []
    assert desk.progress(bob).waiting == 0
    assert [task.assignment_id for task in desk.next(ada)] == [held.assignment_id]
    desk.save(ada, held.assignment_id, FOUR, key=key())
    with scenes.sessions.begin() as session:
        assert queues.top_up(session, queue.id) == 0
    assert queues.reopen(scenes.sessions, queue.id, actor=None).closed_at is None
    assert len(desk.next(bob)) == 2
    assert scenes.ask("SELECT action FROM audit_event WHERE action LIKE 'rating_queue.%o%e%' AND action <> 'rating_queue.define'") == [
        "rating_queue.close",
        "rating_queue.reopen",
    ]


def test_progress_counts_items_and_what_each_person_did(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.replies(4)
    queue = scenes.queue(raters_per_item=2)
    ada, bob = scenes.rater("Ada"), scenes.rater("Bob")
    of_ada, of_bob = desk.next(ada, n=4), desk.next(bob, n=3)
    for task in of_ada[:3]:
        desk.save(ada, task.assignment_id, FOUR, key=key())
    desk.save(bob, of_bob[0].assignment_id, FOUR, key=key())
    desk.save(bob, of_bob[1].assignment_id, Judgement(stars=1), key=key())
    desk.skip(bob, of_bob[2].assignment_id, "no idea", key=key())
    with scenes.sessions() as session:
        progress = queues.progress_of(session, queue.id)
    assert (progress.open, progress.judged, progress.disputed, progress.adjudicated, progress.judgements) == (2, 1, 1, 0, 5)
    assert [(rater.name, rater.judged, rater.skipped, rater.reserved) for rater in progress.raters] == [("Ada", 3, 0, 1), ("Bob", 2, 1, 0)]


def test_several_who_find_a_queue_empty_fill_it_once(scenes: Scenes, desk: RatingDesk) -> None:
    queue = scenes.queue(size=3)
    scenes.replies(9)
    ada = scenes.rater()
    with scenes.sessions.begin() as session:
        assert queues.fill_for(session, queue.id, ada)
    with scenes.sessions.begin() as session:
        assert queues.fill_for(session, queue.id, ada)
    assert scenes.ask("SELECT count(*) FROM rating_item") == [9], "twenty are chosen for one who waits, and there are nine"
    assert len(desk.next(ada, n=9)) == 9
