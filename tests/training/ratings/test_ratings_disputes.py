"""Where people differ by more than the queue allows, somebody decides."""

from uuid import UUID

import pytest
from rating_scenes import FOUR, Scenes, key

from db.vocabulary import JudgementKind, Preferred, QueuePolicy
from training.ratings import queues
from training.ratings.desk import RatingDesk
from training.ratings.errors import AlreadyJudged, LeaseLost, UndoTooLate
from training.ratings.views import Judgement


def judged_by_two(scenes: Scenes, desk: RatingDesk, one: Judgement, other: Judgement) -> tuple[UUID, UUID]:
    ada, bob = scenes.raters(2)
    for rater, said in ((ada, one), (bob, other)):
        (task,) = desk.next(rater)
        scenes.execute("UPDATE rating_assignment SET swapped = false WHERE id = :id", id=task.assignment_id)
        desk.save(rater, task.assignment_id, said, key=key())
    return ada, bob


@pytest.mark.parametrize(
    ("lower", "higher", "over", "state"), [(1, 4, 2, "disputed"), (2, 4, 2, "judged"), (2, 4, 1, "disputed"), (1, 5, 4, "judged")]
)
def test_stars_further_apart_than_allowed_are_a_dispute(
    scenes: Scenes, desk: RatingDesk, lower: int, higher: int, over: int, state: str
) -> None:
    scenes.replies(1)
    scenes.queue(raters_per_item=2, adjudicate_over=over)
    judged_by_two(scenes, desk, Judgement(stars=lower), Judgement(stars=higher))
    assert scenes.ask("SELECT state FROM rating_item") == [state]


@pytest.mark.parametrize(
    ("one", "other", "state"),
    [
        ((Preferred.FIRST, 2), (Preferred.SECOND, 2), "disputed"),
        ((Preferred.FIRST, 1), (Preferred.SECOND, 4), "judged"),
        ((Preferred.FIRST, 4), (Preferred.FIRST, 2), "judged"),
        ((Preferred.FIRST, 4), (Preferred.TIE, None), "judged"),
    ],
)
def test_opposite_preferences_are_a_dispute_unless_one_is_negligible(
    scenes: Scenes,
    desk: RatingDesk,
    one: tuple[Preferred, int | None],
    other: tuple[Preferred, int | None],
    state: str,
) -> None:
    scenes.pair()
    scenes.queue(kind=JudgementKind.COMPARISON, policy=QueuePolicy.NEWEST, raters_per_item=2)
    said = [Judgement(preferred=preferred, strength=strength) for preferred, strength in (one, other)]
    judged_by_two(scenes, desk, *said)
    assert scenes.ask("SELECT state FROM rating_item") == [state]


def disputed(scenes: Scenes, desk: RatingDesk) -> tuple[UUID, UUID]:
    scenes.replies(1)
    scenes.queue(name="Daily", raters_per_item=2)
    return judged_by_two(scenes, desk, Judgement(stars=1, comment="rude"), Judgement(stars=5))


def test_a_dispute_is_decided_by_somebody_who_had_no_part_in_it(scenes: Scenes, desk: RatingDesk) -> None:
    ada, bob = disputed(scenes, desk)
    lead, other = scenes.raters(2)
    (waiting,) = desk.disputes()
    assert (waiting.queue, waiting.stars, waiting.in_hand) == ("Daily", (1, 5), False)
    assert desk.next_dispute(ada) is None
    task = desk.next_dispute(lead)
    assert task is not None
    assert [said.stars for said in task.adjudication] == [1, 5]
    assert task.adjudication[0].comment == "rude"
    assert desk.next(lead) == []
    again = desk.next_dispute(lead)
    assert again is not None
    assert again.assignment_id == task.assignment_id
    assert desk.next_dispute(other) is None
    assert desk.disputes()[0].in_hand
    saved = desk.save(lead, task.assignment_id, Judgement(stars=2), key="d1")
    assert scenes.ask("SELECT state, open_places FROM rating_item") == [("adjudicated", 0)]
    assert scenes.ask("SELECT id FROM rating WHERE adjudicates") == [saved.rating_id]
    assert scenes.ask("SELECT actor_id FROM audit_event WHERE action = 'rating.adjudicate'") == [lead]
    assert desk.disputes() == ()
    with pytest.raises(UndoTooLate, match="has been decided"):
        desk.undo(bob)


def test_what_is_being_decided_cannot_be_undone_below(scenes: Scenes, desk: RatingDesk) -> None:
    _, bob = disputed(scenes, desk)
    lead = scenes.rater()
    task = desk.next_dispute(lead)
    assert task is not None
    with pytest.raises(UndoTooLate, match="is deciding it"):
        desk.undo(bob)
    desk.skip(lead, task.assignment_id, "too close to it", key="s1")
    assert scenes.ask("SELECT state, open_places FROM rating_item") == [("disputed", 0)]
    assert desk.next_dispute(lead) is None
    undone = desk.undo(bob)
    assert undone is not None
    assert scenes.ask("SELECT state FROM rating_item") == ["open"]
    desk.save(bob, undone.assignment_id, Judgement(stars=2), key=key())
    assert scenes.ask("SELECT state FROM rating_item") == ["judged"]


def test_a_decision_can_be_taken_back(scenes: Scenes, desk: RatingDesk) -> None:
    disputed(scenes, desk)
    lead, other = scenes.raters(2)
    task = desk.next_dispute(lead)
    assert task is not None
    desk.save(lead, task.assignment_id, FOUR, key="d1")
    again = desk.undo(lead)
    assert again is not None
    assert again.taken_back == FOUR
    assert len(again.adjudication) == 2
    assert scenes.ask("SELECT state FROM rating_item") == ["disputed"]
    assert desk.next_dispute(other) is None
    desk.save(lead, again.assignment_id, Judgement(stars=3), key="d2")
    assert scenes.ask("SELECT state FROM rating_item") == ["adjudicated"]


def test_a_decision_that_comes_too_late_is_taken_while_nobody_else_decides(scenes: Scenes, desk: RatingDesk) -> None:
    disputed(scenes, desk)
    lead, other = scenes.raters(2)
    late = desk.next_dispute(lead)
    assert late is not None
    scenes.run_out()
    assert desk.sweep() == 1
    assert scenes.ask("SELECT state, open_places FROM rating_item") == [("disputed", 0)]
    taken = desk.next_dispute(other)
    assert taken is not None
    with pytest.raises(LeaseLost):
        desk.save(lead, late.assignment_id, FOUR, key="d1")
    assert desk.release(other) == 1
    desk.save(lead, late.assignment_id, FOUR, key="d1")
    assert scenes.ask("SELECT state FROM rating_item") == ["adjudicated"]


def test_a_late_rater_never_decides_the_dispute_of_others(scenes: Scenes, desk: RatingDesk) -> None:
    scenes.replies(1)
    scenes.queue(raters_per_item=2)
    eve = scenes.rater()
    (late,) = desk.next(eve)
    desk.release(eve)
    judged_by_two(scenes, desk, Judgement(stars=1), Judgement(stars=5))
    with pytest.raises(LeaseLost):
        desk.save(eve, late.assignment_id, FOUR, key=key())
    assert scenes.ask("SELECT state FROM rating_item") == ["disputed"]


def test_a_revision_can_settle_or_start_a_dispute_but_not_touch_a_decision(scenes: Scenes, desk: RatingDesk) -> None:
    ada, _ = disputed(scenes, desk)
    (rating,) = scenes.ask("SELECT id FROM rating WHERE rater_id = :rater", rater=ada)
    milder = desk.revise(ada, rating, FOUR, key="r1")
    assert scenes.ask("SELECT state FROM rating_item") == ["judged"]
    harsher = desk.revise(ada, milder.rating_id, Judgement(stars=1), key="r2")
    assert scenes.ask("SELECT state FROM rating_item") == ["disputed"]
    lead = scenes.rater()
    task = desk.next_dispute(lead)
    assert task is not None
    desk.revise(ada, harsher.rating_id, FOUR, key="r3")
    assert scenes.ask("SELECT state FROM rating_item") == ["disputed"]
    desk.save(lead, task.assignment_id, FOUR, key="d1")
    with pytest.raises(AlreadyJudged):
        desk.save(lead, task.assignment_id, FOUR, key="d2")
    assert scenes.ask("SELECT state FROM rating_item") == ["adjudicated"]


def test_disputes_are_chosen_by_queue(scenes: Scenes, desk: RatingDesk) -> None:
    disputed(scenes, desk)
    other = scenes.queue(name="Other")
    lead = scenes.rater()
    assert desk.next_dispute(lead, queue_id=other.id) is None
    assert desk.disputes(queue_id=other.id) == ()
    with scenes.sessions() as session:
        daily = next(queue for queue in queues.list_queues(session) if queue.settings.name == "Daily")
    assert len(desk.disputes(queue_id=daily.id)) == 1
    assert desk.next_dispute(lead, queue_id=daily.id) is not None
