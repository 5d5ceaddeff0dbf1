"""Taking back and saying something else: nothing is overwritten, and what others have built on it stays."""

from uuid import UUID

import pytest
from rating_scenes import FOUR, Scenes, key
from sqlalchemy.exc import DBAPIError

from db.repositories.ratings import RatingNotFound
from db.vocabulary import IssueTag, JudgementKind, Preferred, QueuePolicy, Severity
from training.ratings.desk import RatingDesk
from training.ratings.errors import JudgementWrong, KeyTaken, NotCurrent, NotYours, UndoTooLate
from training.ratings.views import Judgement, Tag

COUNTING = """
SELECT stars FROM rating r WHERE NOT withdrawn AND NOT EXISTS (SELECT FROM rating n WHERE n.supersedes_id = r.id) ORDER BY created_at
"""
HARSH = Judgement(stars=1, tags=(Tag(tag=IssueTag.PRESSURE, severity=Severity.SEVERE),), comment="much too hard", seconds=9.0)


def one_saved(scenes: Scenes, desk: RatingDesk, said: Judgement = FOUR) -> tuple[UUID, UUID, UUID]:
    """A rater, the lease of what they have saved, and the rating."""
    scenes.replies(1)
    scenes.queue()
    ada = scenes.rater()
    (task,) = desk.next(ada)
    return ada, task.assignment_id, desk.save(ada, task.assignment_id, said, key="k1").rating_id


def test_an_undone_save_does_not_count_and_is_to_be_judged_again(scenes: Scenes, desk: RatingDesk) -> None:
    ada, lease, rating = one_saved(scenes, desk, HARSH)
    task = desk.undo(ada)
    assert task is not None
    assert task.assignment_id != lease
    assert task.taken_back == HARSH
    assert scenes.ask(COUNTING) == []
    assert scenes.ask("SELECT withdrawn, supersedes_id FROM rating ORDER BY created_at, withdrawn") == [(False, None), (True, rating)]
    assert scenes.ask("SELECT state, open_places FROM rating_item") == [("open", 0)]
    assert scenes.ask("SELECT before->>'stars' FROM audit_event WHERE action = 'rating.undo'") == ["1"]
    assert desk.next(scenes.rater()) == []
    assert [held.taken_back for held in desk.next(ada)] == [HARSH]
    desk.save(ada, task.assignment_id, FOUR, key="k2")
    assert scenes.ask(COUNTING) == [4]
    assert desk.progress(ada).judged == 1


def test_the_same_undo_twice_undoes_once(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.replies(2)
    scenes.queue()
    ada = scenes.rater()
    first, second = desk.next(ada)
    desk.save(ada, first.assignment_id, FOUR, key="k1")
    desk.save(ada, second.assignment_id, FOUR, key="k2")
    once = desk.undo(ada, assignment_id=second.assignment_id)
    again = desk.undo(ada, assignment_id=second.assignment_id)
    assert once is not None
    assert again is not None
    assert once.assignment_id == again.assignment_id
    assert scenes.ask("SELECT count(*) FROM rating WHERE withdrawn") == [1]
    desk.save(ada, once.assignment_id, FOUR, key="k3")
    assert desk.undo(ada, assignment_id=second.assignment_id) is None
    assert len(scenes.ask(COUNTING)) == 2


def test_a_late_repeat_of_an_undone_save_brings_nothing_back(scenes: Scenes, desk: RatingDesk) -> None:
    ada, lease, rating = one_saved(scenes, desk)
    desk.undo(ada)
    assert desk.save(ada, lease, FOUR, key="k1").rating_id == rating
    assert scenes.ask(COUNTING) == []


def test_undo_goes_back_one_by_one_and_no_further_than_half_an_hour(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.replies(3)
    scenes.queue()
    ada = scenes.rater()
    tasks = desk.next(ada, n=3)
    for number, task in enumerate(tasks):
        desk.save(ada, task.assignment_id, FOUR, key=f"k{number}")
    scenes.execute("UPDATE rating_assignment SET ended_at = now() - interval '31 minutes' WHERE id = :id", id=tasks[0].assignment_id)
    undone = [desk.undo(ada), desk.undo(ada), desk.undo(ada), desk.undo(ada, assignment_id=tasks[0].assignment_id)]
    assert [task.item_id if task else None for task in undone] == [tasks[2].item_id, tasks[1].item_id, None, None]


def test_an_undone_skip_is_theirs_again(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.replies(1)
    scenes.queue()
    ada = scenes.rater()
    (task,) = desk.next(ada)
    desk.skip(ada, task.assignment_id, "no idea", key="s1")
    again = desk.undo(ada)
    assert again is not None
    # A late repeat of the skip speaks of the old lease and touches nothing.
    desk.skip(ada, task.assignment_id, "no idea", key="s1")
    desk.save(ada, again.assignment_id, FOUR, key="k1")
    assert scenes.ask("SELECT state, open_places FROM rating_item") == [("judged", 0)]
    assert scenes.ask("SELECT action FROM audit_event WHERE action LIKE 'rating.%skip' ORDER BY created_at") == [
        "rating.skip",
        "rating.undo_skip",
    ]


def test_a_skip_whose_place_others_have_filled_cannot_be_undone(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.replies(1)
    scenes.queue()
    ada, bob = scenes.raters(2)
    (task,) = desk.next(ada)
    desk.skip(ada, task.assignment_id, "no idea", key="s1")
    desk.next(bob)
    with pytest.raises(UndoTooLate, match="others have taken"):
        desk.undo(ada)


def test_a_late_save_can_be_undone_by_its_old_lease(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.replies(1)
    scenes.queue()
    ada = scenes.rater()
    (old,) = desk.next(ada)
    desk.release(ada)
    (new,) = desk.next(ada)
    desk.save(ada, old.assignment_id, FOUR, key="late")
    undone = desk.undo(ada, assignment_id=old.assignment_id)
    assert undone is not None
    assert undone.item_id == new.item_id
    assert scenes.ask(COUNTING) == []


def test_one_of_two_who_undoes_reopens_the_item_for_themselves_alone(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.replies(1)
    scenes.queue(raters_per_item=2)
    ada, bob, eve = scenes.raters(3)
    for rater in (ada, bob):
        desk.save(rater, desk.next(rater)[0].assignment_id, FOUR, key=key())
    task = desk.undo(ada)
    assert task is not None
    assert desk.next(eve) == []
    scenes.run_out()
    assert [each.item_id for each in desk.next(eve)] == [task.item_id]


def test_a_revision_is_a_new_version(scenes: Scenes, desk: RatingDesk) -> None:
    ada, _, rating = one_saved(scenes, desk)
    newer = desk.revise(ada, rating, HARSH, key="r1").rating_id
    assert desk.revise(ada, rating, HARSH, key="r1").rating_id == newer
    assert scenes.ask(COUNTING) == [1]
    assert scenes.ask("SELECT before->>'stars', after->>'stars' FROM audit_event WHERE action = 'rating.revise'") == [("4", "1")]
    with pytest.raises(NotCurrent):
        desk.revise(ada, rating, FOUR, key="r2")
    with pytest.raises(KeyTaken):
        desk.revise(ada, newer, FOUR, key="r1")
    with pytest.raises(NotYours):
        desk.revise(scenes.rater(), newer, FOUR, key="r3")
    with pytest.raises(RatingNotFound):
        desk.revise(ada, ada, FOUR, key="r4")
    with pytest.raises(JudgementWrong):
        desk.revise(ada, newer, Judgement(stars=6), key="r5")


def test_undoing_a_revised_judgement_takes_all_of_it_back(scenes: Scenes, desk: RatingDesk) -> None:
    ada, _, rating = one_saved(scenes, desk)
    desk.revise(ada, rating, HARSH, key="r1")
    task = desk.undo(ada)
    assert task is not None
    assert task.taken_back == HARSH
    assert scenes.ask(COUNTING) == []


def test_a_comparison_is_revised_in_the_order_that_was_shown(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.pair()
    scenes.queue(kind=JudgementKind.COMPARISON, policy=QueuePolicy.NEWEST)
    ada = scenes.rater()
    (task,) = desk.next(ada)
    scenes.execute("UPDATE rating_assignment SET swapped = true")
    saved = desk.save(ada, task.assignment_id, Judgement(preferred=Preferred.FIRST, strength=3), key="k1")
    assert scenes.ask("SELECT preferred FROM rating") == ["second"]
    desk.revise(ada, saved.rating_id, Judgement(preferred=Preferred.SECOND, strength=1), key="r1")
    assert scenes.ask("SELECT preferred FROM rating WHERE supersedes_id IS NOT NULL") == ["first"]
    task_again = desk.undo(ada)
    assert task_again is not None
    assert task_again.taken_back == Judgement(preferred=Preferred.SECOND, strength=1)


def test_a_judgement_cannot_be_changed_or_deleted_in_the_database(scenes: Scenes, desk: RatingDesk) -> None:
    one_saved(scenes, desk, HARSH)
    for statement in ("UPDATE rating SET stars = 5", "DELETE FROM rating", "DELETE FROM rating_tag", "TRUNCATE rating CASCADE"):
        with pytest.raises(DBAPIError, match="is refused"):
            scenes.execute(statement)
    assert scenes.ask(COUNTING) == [1]
