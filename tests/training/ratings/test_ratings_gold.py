"""Items whose answer is known: mixed in unseen, given to everybody once, told of afterwards."""

import random
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from rating_scenes import FOUR, Scenes, key

from db.repositories.gold_answers import GoldNotFound
from db.vocabulary import IssueTag, Severity, Stage
from training.ratings import gold, queues
from training.ratings.desk import RatingDesk
from training.ratings.errors import GoldWrong
from training.ratings.views import Judgement, Tag, Task

HALF = Decimal("0.5")
RIGHT = Judgement(stars=2, tags=(Tag(tag=IssueTag.PRESSURE, severity=Severity.MINOR),))


class Loaded(random.Random):
    """Draws gold whenever it can."""

    def random(self) -> float:
        return 0.0


def add(scenes: Scenes, turn: UUID) -> UUID:
    return gold.add_gold(scenes.sessions, turn, stars_from=1, stars_to=2, tags=[IssueTag.PRESSURE], explanation="It pushes.", actor=None)


def gold_task(desk: RatingDesk, rater: UUID) -> Task:
    (task,) = desk.next(rater, n=1)
    return task


def test_gold_is_mixed_in_and_says_what_was_right(scenes: Scenes) -> None:
    known, *_ = scenes.replies(4)
    add(scenes, known)
    scenes.queue(gold_share=HALF)
    desk = RatingDesk(scenes.sessions, rng=Loaded())
    ada, bob = scenes.raters(2)
    for rater, said, right in ((ada, RIGHT, True), (bob, FOUR, False)):
        task = gold_task(desk, rater)
        assert task.replies == ("Reply 0",)
        saved = desk.save(rater, task.assignment_id, said, key="k1")
        assert saved.gold is not None
        assert (saved.gold.right, saved.gold.stars_from, saved.gold.stars_to) == (right, 1, 2)
        assert (saved.gold.tags, saved.gold.explanation) == ((IssueTag.PRESSURE,), "It pushes.")
        assert desk.save(rater, task.assignment_id, said, key="k1") == saved
        assert desk.next(rater, n=1)[0].replies != ("Reply 0",)
    assert scenes.ask("SELECT state, open_places FROM rating_item WHERE gold_answer_id IS NOT NULL") == [("open", 1)]


@pytest.mark.parametrize(
    ("said", "right"),
    [
        (Judgement(stars=2), False),
        (Judgement(stars=3, tags=RIGHT.tags), False),
        (Judgement(stars=1, tags=(*RIGHT.tags, Tag(tag=IssueTag.REPROACH, severity=Severity.MAJOR))), True),
    ],
)
def test_the_stars_must_be_in_range_and_no_fault_missed(scenes: Scenes, said: Judgement, *, right: bool) -> None:
    known, _ = scenes.replies(2)
    add(scenes, known)
    scenes.queue(gold_share=HALF)
    desk = RatingDesk(scenes.sessions, rng=Loaded())
    ada = scenes.rater()
    saved = desk.save(ada, gold_task(desk, ada).assignment_id, said, key=key())
    assert saved.gold is not None
    assert saved.gold.right is right


def test_skipping_undoing_and_running_out_leave_gold_as_it_is(scenes: Scenes) -> None:
    known, _ = scenes.replies(2)
    add(scenes, known)
    scenes.queue(gold_share=HALF)
    desk = RatingDesk(scenes.sessions, rng=Loaded())
    ada, bob, eve = scenes.raters(3)
    desk.skip(ada, gold_task(desk, ada).assignment_id, "no idea", key=key())
    again = desk.undo(ada)
    assert again is not None
    desk.save(ada, again.assignment_id, RIGHT, key=key())
    once_more = desk.undo(ada)
    assert once_more is not None
    late = gold_task(desk, bob)
    scenes.run_out()
    assert desk.sweep() == 2
    assert desk.save(bob, late.assignment_id, RIGHT, key=key()).gold is not None
    gold_task(desk, eve)
    assert desk.release(eve) == 1
    assert scenes.ask("SELECT state, open_places FROM rating_item WHERE gold_answer_id IS NOT NULL") == [("open", 1)]


def test_nobody_is_left_with_gold_alone(scenes: Scenes) -> None:
    known, other = scenes.replies(2)
    add(scenes, known)
    add(scenes, other)
    scenes.queue(gold_share=HALF)
    assert RatingDesk(scenes.sessions, rng=Loaded(), dry_s=0).next(scenes.rater()) == []


def test_about_the_share_that_was_set_is_gold(scenes: Scenes) -> None:
    for turn in scenes.replies(60)[:30]:
        add(scenes, turn)
    scenes.queue(gold_share=Decimal("0.25"), raters_per_item=20)
    desk = RatingDesk(scenes.sessions, rng=random.Random(7))
    drawn = 0
    for rater in scenes.raters(10):
        items = [task.item_id for task in desk.next(rater, n=20)]
        assert len(items) == 20
        drawn += scenes.ask("SELECT count(*) FROM rating_item WHERE id = ANY(:ids) AND gold_answer_id IS NOT NULL", ids=items)[0]
    assert 34 <= drawn <= 66, "200 draws at 0.25 give 50, and four in five thousand samples lie outside 34 to 66"


def test_a_known_answer_comes_into_queues_that_are_there(scenes: Scenes) -> None:
    known, *_ = scenes.replies(2)
    scenes.queue(name="with", gold_share=HALF)
    scenes.queue(name="without")
    scenes.queue(name="another stage", gold_share=HALF, stage=Stage.CLOSING)
    scenes.queue(name="another language", gold_share=HALF, language="zh")
    desk = RatingDesk(scenes.sessions)
    ada = scenes.rater()
    placed = "SELECT q.name FROM rating_item i JOIN rating_queue q ON q.id = i.queue_id WHERE gold_answer_id IS NOT NULL"
    # In the first queue it is being judged already, and comes in when that is done.
    add(scenes, known)
    assert scenes.ask(placed) == []
    for task in desk.next(ada, n=4):
        desk.save(ada, task.assignment_id, FOUR, key=key())
    assert desk.next(ada) == []
    assert scenes.ask(placed) == ["with"]


def test_a_retired_answer_is_handed_out_no_more(scenes: Scenes) -> None:
    known, *_ = scenes.replies(3)
    first = add(scenes, known)
    queue = scenes.queue(gold_share=HALF)
    desk = RatingDesk(scenes.sessions, rng=Loaded())
    ada, bob = scenes.raters(2)
    held = gold_task(desk, ada)
    assert gold.retire_gold(scenes.sessions, first, actor=None)
    assert not gold.retire_gold(scenes.sessions, first, actor=None)
    assert gold_task(desk, bob).replies != ("Reply 0",)
    desk.release(bob)
    second = add(scenes, known)
    with scenes.sessions.begin() as session:
        queues.top_up(session, queue.id)
    assert scenes.ask("SELECT gold_answer_id FROM rating_item WHERE gold_answer_id IS NOT NULL") == [second]
    assert gold_task(desk, bob).replies == ("Reply 0",)
    assert desk.save(ada, held.assignment_id, RIGHT, key=key()).gold is not None
    assert scenes.ask("SELECT action FROM audit_event WHERE subject_type = 'gold_answer' ORDER BY created_at") == [
        "gold_answer.add",
        "gold_answer.retire",
        "gold_answer.add",
    ]


def test_a_known_answer_must_be_of_a_reply_of_ours_and_in_order(scenes: Scenes) -> None:
    (known,) = scenes.replies(1)
    (hotels,) = scenes.ask("SELECT id FROM turn WHERE speaker = 'hotel'")
    for turn in (hotels, uuid4()):
        with pytest.raises(GoldWrong, match="not a reply of ours"):
            add(scenes, turn)
    for lower, upper in ((3, 2), (0, 2), (4, 6)):
        with pytest.raises(GoldWrong, match="the lower one first"):
            gold.add_gold(scenes.sessions, known, stars_from=lower, stars_to=upper, actor=None)
    with pytest.raises(GoldWrong, match="shorten it"):
        gold.add_gold(scenes.sessions, known, stars_from=1, stars_to=2, explanation="x" * 5_000, actor=None)
    add(scenes, known)
    with pytest.raises(GoldWrong, match="already"):
        add(scenes, known)
    with pytest.raises(GoldNotFound):
        gold.retire_gold(scenes.sessions, uuid4(), actor=None)
