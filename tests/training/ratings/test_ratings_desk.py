"""Handing out and taking back, one person at a time."""

from datetime import timedelta
from uuid import uuid4

import pytest
from rating_scenes import FOUR, SECRET, Scenes, key

from db.repositories.rating_assignments import RaterNotFound
from db.vocabulary import IssueTag, ItemState, JudgementKind, MoveKind, Severity, Speaker, Stage
from training.ratings.desk import RatingDesk
from training.ratings.errors import AlreadyJudged, JudgementWrong, KeyTaken, LeaseLost, LeaseUnknown
from training.ratings.views import Judgement, Tag


def test_a_task_shows_the_conversation_up_to_the_reply_and_nothing_secret(scenes: Scenes, desk: RatingDesk) -> None:
    conversation = scenes.conversation()
    scenes.hotel_turn(conversation, 1, "Hello")
    scenes.reply(conversation, 2, "Could you do 420 net?")
    scenes.hotel_turn(conversation, 3, "No.")
    scenes.queue(name="Daily")
    (task,) = desk.next(scenes.rater())
    assert task.kind is JudgementKind.TURN
    assert task.queue == "Daily"
    assert [(line.number, line.speaker, line.text) for line in task.lines] == [(1, Speaker.HOTEL, "Hello")]
    assert task.replies == ("Could you do 420 net?",)
    assert (task.stage, task.move, task.topic) == (Stage.PROPOSAL, MoveKind.ASK, None)
    (facts,) = task.facts
    assert facts.current == "EUR 440 net, sold at EUR 517.65"
    assert facts.competitor == "sold at EUR 500 at a rival site"
    assert (facts.dates, facts.extras) == ("1 Mar 2026 to 31 Mar 2026", "1 room")
    assert str(SECRET) not in repr(task)


def test_what_is_held_comes_first_and_is_filled_up(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.replies(5)
    scenes.queue()
    ada = scenes.rater()
    two = desk.next(ada, n=2)
    assert [task.replies[0] for task in two] == ["Reply 4", "Reply 3"]
    assert [task.assignment_id for task in desk.next(ada, n=2)] == [task.assignment_id for task in two]
    three = desk.next(ada, n=3)
    assert [task.assignment_id for task in three[:2]] == [task.assignment_id for task in two]
    assert three[2].replies == ("Reply 2",)
    desk.save(ada, two[0].assignment_id, FOUR, key=key())
    assert [task.replies[0] for task in desk.next(ada, n=2)] == ["Reply 3", "Reply 2"]


def test_a_judgement_is_kept_with_its_faults_and_an_audit_event(scenes: Scenes, desk: RatingDesk) -> None:
    (turn,) = scenes.replies(1)
    scenes.queue()
    ada = scenes.rater()
    (task,) = desk.next(ada)
    said = Judgement(
        stars=2, tags=(Tag(tag=IssueTag.PRESSURE, severity=Severity.MAJOR),), comment=" too hard ", rewrite="May I ask …?", seconds=12.5
    )
    saved = desk.save(ada, task.assignment_id, said, key="k1")
    assert saved.gold is None
    assert scenes.ask("SELECT id, turn_id, stars, comment, rewrite, seconds, item_id FROM rating") == [
        (saved.rating_id, turn, 2, "too hard", "May I ask …?", 12.5, task.item_id)
    ]
    assert scenes.ask("SELECT tag, severity FROM rating_tag WHERE rating_id = :id", id=saved.rating_id) == [("pressure", "major")]
    assert scenes.ask(
        "SELECT action, actor_id, after->>'stars', after->'tags'->>'pressure' FROM audit_event WHERE subject_type = 'rating'"
    ) == [("rating.save", ada, "2", "major")]
    assert scenes.ask("SELECT state FROM rating_item") == [ItemState.JUDGED]
    assert desk.next(ada) == []


def test_the_same_save_twice_is_one_judgement(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.replies(2)
    scenes.queue()
    ada = scenes.rater()
    first, second = desk.next(ada)
    once = desk.save(ada, first.assignment_id, FOUR, key="k1")
    assert desk.save(ada, first.assignment_id, FOUR, key="k1") == once
    with pytest.raises(AlreadyJudged, match="undo it or revise it"):
        desk.save(ada, first.assignment_id, FOUR, key="k2")
    with pytest.raises(KeyTaken, match="'k1'"):
        desk.save(ada, second.assignment_id, FOUR, key="k1")
    assert scenes.ask("SELECT count(*) FROM rating") == [1]


def test_an_item_goes_to_as_many_people_as_are_asked_for_and_to_nobody_twice(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.replies(1)
    scenes.queue(raters_per_item=2)
    ada, bob, eve = scenes.raters(3)
    (of_ada,) = desk.next(ada)
    (of_bob,) = desk.next(bob)
    assert desk.next(eve) == []
    desk.save(ada, of_ada.assignment_id, FOUR, key=key())
    assert desk.next(ada) == []
    assert scenes.ask("SELECT state, open_places FROM rating_item") == [("open", 0)]
    desk.save(bob, of_bob.assignment_id, FOUR, key=key())
    assert scenes.ask("SELECT state FROM rating_item") == ["judged"]


def test_somebody_elses_task_and_an_unknown_one_are_refused(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.replies(1)
    scenes.queue()
    ada, bob = scenes.raters(2)
    (task,) = desk.next(ada)
    for rater, lease in ((bob, task.assignment_id), (ada, uuid4())):
        with pytest.raises(LeaseUnknown, match=str(lease)):
            desk.save(rater, lease, FOUR, key=key())
        with pytest.raises(LeaseUnknown):
            desk.skip(rater, lease, "no idea", key=key())
        with pytest.raises(LeaseUnknown):
            desk.undo(rater, assignment_id=lease)
    with pytest.raises(RaterNotFound):
        desk.next(uuid4())
    assert scenes.ask("SELECT count(*) FROM rating") == [0]


def test_what_ran_out_goes_to_somebody_else_and_the_late_judgement_is_refused(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.replies(1)
    scenes.queue()
    ada, bob = scenes.raters(2)
    (late,) = desk.next(ada)
    scenes.run_out()
    (task,) = desk.next(bob)
    assert task.item_id == late.item_id
    with pytest.raises(LeaseLost, match="others have judged it"):
        desk.save(ada, late.assignment_id, FOUR, key="late")
    desk.save(bob, task.assignment_id, FOUR, key=key())
    assert scenes.ask("SELECT rater_id FROM rating") == [bob]


@pytest.mark.parametrize("ended", ["run out", "swept", "released"])
def test_a_late_judgement_is_taken_while_its_place_is_free(scenes: Scenes, desk: RatingDesk, ended: str) -> None:
    scenes.replies(1)
    scenes.queue()
    ada = scenes.rater()
    (task,) = desk.next(ada)
    if ended == "released":
        assert desk.release(ada) == 1
    else:
        scenes.run_out()
        assert desk.sweep() == 1 if ended == "swept" else True
    desk.save(ada, task.assignment_id, FOUR, key="late")
    assert scenes.ask("SELECT state, open_places FROM rating_item") == [("judged", 0)]
    assert desk.progress(ada).judged == 1


def test_a_late_judgement_counts_for_the_new_lease_of_the_same_item(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.replies(1)
    scenes.queue(raters_per_item=2)
    ada = scenes.rater()
    (old,) = desk.next(ada)
    desk.release(ada)
    (new,) = desk.next(ada)
    saved = desk.save(ada, old.assignment_id, FOUR, key="late")
    assert desk.save(ada, new.assignment_id, FOUR, key="late") == saved
    assert scenes.ask("SELECT open_places FROM rating_item") == [1]


def test_whoever_asks_for_work_keeps_what_ran_out(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.replies(1)
    scenes.queue(reservation_s=600)
    ada, bob = scenes.raters(2)
    (task,) = desk.next(ada)
    scenes.run_out()
    (again,) = desk.next(ada)
    assert again.assignment_id == task.assignment_id
    assert again.expires_at > task.expires_at - timedelta(seconds=60)
    assert desk.next(bob) == []


def test_a_skip_frees_the_place_for_others_only(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.replies(1)
    scenes.queue()
    ada, bob = scenes.raters(2)
    (task,) = desk.next(ada)
    with pytest.raises(JudgementWrong, match="why you skip"):
        desk.skip(ada, task.assignment_id, "  ", key=key())
    desk.skip(ada, task.assignment_id, "not my language", key="s1")
    desk.skip(ada, task.assignment_id, "not my language", key="s1")
    assert scenes.ask("SELECT open_places FROM rating_item") == [1]
    assert desk.next(ada) == []
    with pytest.raises(AlreadyJudged, match="undo the skip"):
        desk.save(ada, task.assignment_id, FOUR, key=key())
    (of_bob,) = desk.next(bob)
    desk.save(bob, of_bob.assignment_id, FOUR, key=key())
    assert scenes.ask("SELECT action FROM audit_event WHERE action = 'rating.skip'") == ["rating.skip"]
    with pytest.raises(AlreadyJudged, match="undo the judgement first"):
        desk.skip(bob, of_bob.assignment_id, "changed my mind", key=key())


def test_a_release_gives_everything_back(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.replies(3)
    scenes.queue()
    ada, bob = scenes.raters(2)
    desk.next(ada, n=3)
    assert desk.next(bob) == []
    assert desk.release(ada) == 3
    assert desk.release(ada) == 0
    assert len(desk.next(bob, n=3)) == 3


def test_progress_counts_what_stands(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.replies(4)
    scenes.queue()
    ada = scenes.rater()
    first, second, *_ = desk.next(ada, n=3)
    desk.save(ada, first.assignment_id, FOUR, key=key())
    desk.skip(ada, second.assignment_id, "no idea", key=key())
    progress = desk.progress(ada)
    assert (progress.judged, progress.judged_today, progress.skipped, progress.waiting) == (1, 1, 1, 1)


def test_queues_come_by_priority_and_one_can_be_chosen(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.replies(1)
    low = scenes.queue(name="low", priority=1)
    scenes.queue(name="high", priority=2)
    ada, bob = scenes.raters(2)
    assert [task.queue for task in desk.next(ada)] == ["high", "low"]
    desk.release(ada)
    assert [task.queue for task in desk.next(bob, queue_id=low.id)] == ["low"]


def test_an_empty_queue_is_filled_when_somebody_asks(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.queue(size=2)
    ada = scenes.rater()
    assert desk.next(ada) == []
    scenes.replies(3)
    assert len(desk.next(ada, n=2)) == 2
    # Two were to be kept ready, and are in one person's hands: a person who waits gets more all the same.
    assert len(desk.next(ada, n=5)) == 3


def test_a_dry_queue_is_not_asked_again_at_once(scenes: Scenes) -> None:
    patient = RatingDesk(scenes.sessions, dry_s=3600)
    scenes.queue()
    ada = scenes.rater()
    assert patient.next(ada) == []
    scenes.replies(1)
    assert patient.next(ada) == []
    assert len(RatingDesk(scenes.sessions).next(ada)) == 1


def test_a_key_must_be_there(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.replies(1)
    scenes.queue()
    ada = scenes.rater()
    (task,) = desk.next(ada)
    with pytest.raises(JudgementWrong, match="key"):
        desk.save(ada, task.assignment_id, FOUR, key="")


def test_what_is_overdue_is_found_at_once_by_whoever_goes_short(scenes: Scenes) -> None:
    seldom = RatingDesk(scenes.sessions, dry_s=0, sweep_s=3600)
    scenes.replies(2)
    scenes.queue()
    ada, bob, eve = scenes.raters(3)
    seldom.next(ada, n=1)
    scenes.run_out()
    # One is free, and nobody looks for what is overdue until somebody wants more.
    assert len(seldom.next(bob, n=1)) == 1
    assert scenes.ask("SELECT count(*) FROM rating_assignment WHERE state = 'expired'") == [0]
    assert len(seldom.next(eve, n=1)) == 1
