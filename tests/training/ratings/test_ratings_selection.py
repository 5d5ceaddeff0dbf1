"""What each policy chooses, for each kind of judgement, and what it leaves out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from rating_scenes import EVERY_TURN, Scenes, key

from db.models import PolicyVersion, Rating
from db.repositories import deployments, policy_versions
from db.vocabulary import DeploymentRole, DraftOrigin, DraftStatus, JudgementKind, JudgementSource, QueuePolicy, Stage
from training.ratings import gold, queues

TURN, COMPARISON, DIALOGUE = JudgementKind


def chosen(scenes: Scenes, kind: JudgementKind, policy: QueuePolicy, **changed: object) -> list[UUID]:
    """What a new queue takes in, in the order in which it is handed out: turns, second drafts, or conversations."""
    queue = scenes.queue(kind=kind, policy=policy, **changed)
    column = {TURN: "turn_id", COMPARISON: "second_draft_id", DIALOGUE: "conversation_id"}[kind]
    return scenes.ask(f"SELECT {column} FROM rating_item WHERE queue_id = :queue ORDER BY priority, position, id", queue=queue.id)


def rate(scenes: Scenes, turn: UUID, stars: int, *, replaces: UUID | None = None) -> UUID:
    (conversation,) = scenes.ask("SELECT conversation_id FROM turn WHERE id = :turn", turn=turn)
    rater = scenes.rater() if replaces is None else scenes.ask("SELECT rater_id FROM rating WHERE id = :id", id=replaces)[0]
    with scenes.sessions.begin() as session:
        rating = Rating(
            kind=TURN,
            rater_id=rater,
            conversation_id=conversation,
            turn_id=turn,
            stars=stars,
            idempotency_key=key(),
            supersedes_id=replaces,
            source=JudgementSource.SIMULATED,
        )
        session.add(rating)
        return rating.id


def a_version(scenes: Scenes, name: str) -> UUID:
    with scenes.sessions.begin() as session:
        return policy_versions.create(session, PolicyVersion(name=name, base_model="parley-starter"))[0].id


def close_all(scenes: Scenes) -> None:
    scenes.execute("UPDATE conversation SET closed_at = created_at")


def test_newest_turns_of_ours_come_first(scenes: Scenes) -> None:
    oldest, middle, newest = scenes.replies(3)
    assert chosen(scenes, TURN, QueuePolicy.NEWEST) == [newest, middle, oldest]


def test_a_queue_holds_a_turn_once_and_fills_to_its_size(scenes: Scenes) -> None:
    scenes.replies(4)
    queue = scenes.queue(size=3)
    with scenes.sessions.begin() as session:
        assert queues.top_up(session, queue.id) == 0
    queues.change(scenes.sessions, queue.id, replace(queue.settings, size=100), actor=None)
    with scenes.sessions.begin() as session:
        assert queues.top_up(session, queue.id, limit=0) == 0
        assert queues.top_up(session, queue.id) == 1
        assert queues.top_up(session, queue.id) == 0
    assert scenes.ask("SELECT count(*), count(DISTINCT turn_id) FROM rating_item") == [(4, 4)]


def test_random_turns_are_in_the_order_that_was_drawn_for_them(scenes: Scenes) -> None:
    scenes.replies(8)
    drawn = scenes.ask("SELECT id FROM turn WHERE speaker = 'bd' ORDER BY sample_point")
    assert chosen(scenes, TURN, QueuePolicy.RANDOM) == drawn
    assert chosen(scenes, TURN, QueuePolicy.RANDOM, size=3) == drawn[:3]


def test_uncertain_turns_are_those_where_the_guard_or_the_template_stepped_in(scenes: Scenes) -> None:
    scenes.replies(2)
    conversation = scenes.conversation()
    refused = scenes.draft(conversation, 1, 1)
    scenes.objection(refused)
    scenes.objection(refused, "length")
    rewritten = scenes.draft(conversation, 1, 2, origin=DraftOrigin.REWRITE, status=DraftStatus.APPROVED)
    objected = scenes.reply(conversation, 1, draft_id=rewritten)
    other = scenes.conversation()
    template = scenes.draft(other, 1, 1, origin=DraftOrigin.TEMPLATE, status=DraftStatus.APPROVED, fallback_reason="promise")
    fallback = scenes.reply(other, 1, draft_id=template)
    assert set(chosen(scenes, TURN, QueuePolicy.UNCERTAIN)) == {objected, fallback}
    close_all(scenes)
    assert set(chosen(scenes, DIALOGUE, QueuePolicy.UNCERTAIN)) == {conversation, other}
    assert chosen(scenes, COMPARISON, QueuePolicy.UNCERTAIN) == [rewritten]


def test_the_canarys_turns_are_those_of_the_version_that_is_on_trial_now(scenes: Scenes) -> None:
    live, canary = a_version(scenes, "policy-v1"), a_version(scenes, "policy-v2")
    conversation = scenes.conversation(policy_version_id=canary)
    tried = scenes.reply(conversation, 1, policy_version_id=canary)
    usual = scenes.conversation(policy_version_id=live)
    scenes.reply(usual, 1, policy_version_id=live)
    close_all(scenes)
    assert chosen(scenes, TURN, QueuePolicy.CANARY) == []
    with scenes.sessions.begin() as session:
        deployments.deploy(session, live, DeploymentRole.LIVE)
        deployments.deploy(session, canary, DeploymentRole.CANARY, share=Decimal("0.1"))
    assert chosen(scenes, TURN, QueuePolicy.CANARY) == [tried]
    assert chosen(scenes, DIALOGUE, QueuePolicy.CANARY) == [conversation]
    assert chosen(scenes, TURN, QueuePolicy.CANARY, policy_version_id=live) == []
    with scenes.sessions.begin() as session:
        deployments.end_active(session, DeploymentRole.CANARY)
    assert chosen(scenes, TURN, QueuePolicy.CANARY) == []


def test_bad_case_candidates_were_rejected_edited_or_rated_low(scenes: Scenes) -> None:
    good, low, changed = scenes.replies(3)
    rate(scenes, good, 4)
    rate(scenes, low, 2)
    rate(scenes, changed, 5, replaces=rate(scenes, changed, 1))
    edited_in, rejected_in = scenes.conversation(), scenes.conversation()
    edit = scenes.draft(edited_in, 1, 1, status=DraftStatus.EDITED, edited_text="Could you?")
    edited = scenes.reply(edited_in, 1, draft_id=edit)
    scenes.draft(rejected_in, 1, 1, status=DraftStatus.REJECTED)
    taken = scenes.draft(rejected_in, 1, 2, status=DraftStatus.APPROVED)
    instead = scenes.reply(rejected_in, 1, draft_id=taken)
    assert set(chosen(scenes, TURN, QueuePolicy.BAD_CASE)) == {low, edited, instead}
    assert chosen(scenes, COMPARISON, QueuePolicy.BAD_CASE) == [taken]
    close_all(scenes)
    (low_in,) = scenes.ask("SELECT conversation_id FROM turn WHERE id = :low", low=low)
    assert set(chosen(scenes, DIALOGUE, QueuePolicy.BAD_CASE)) == {low_in, edited_in, rejected_in}


def test_a_pair_reads_differently_and_has_a_part_of_the_policys(scenes: Scenes) -> None:
    earlier, later = scenes.pair()
    scenes.pair("The same words.", "The same words.")
    by_hand = scenes.conversation()
    scenes.draft(by_hand, 1, 1, "one", origin=DraftOrigin.PERSON)
    scenes.draft(by_hand, 1, 2, "two", origin=DraftOrigin.TEMPLATE, status=DraftStatus.APPROVED)
    waiting = scenes.conversation()
    scenes.draft(waiting, 1, 1, "one")
    scenes.draft(waiting, 1, 2, "two", status=DraftStatus.PENDING)
    scenes.queue(kind=COMPARISON, policy=QueuePolicy.NEWEST)
    assert scenes.ask("SELECT first_draft_id, second_draft_id FROM rating_item") == [(earlier, later)]
    assert chosen(scenes, COMPARISON, QueuePolicy.RANDOM) == [later]


def test_every_attempt_is_compared_with_every_earlier_one(scenes: Scenes) -> None:
    conversation = scenes.conversation()
    one, two, three = (scenes.draft(conversation, 1, attempt) for attempt in (1, 2, 3))
    scenes.queue(kind=COMPARISON, policy=QueuePolicy.NEWEST)
    assert set(scenes.ask("SELECT first_draft_id, second_draft_id FROM rating_item")) == {(one, two), (one, three), (two, three)}


def test_dialogues_are_those_that_have_ended(scenes: Scenes) -> None:
    scenes.replies(1)
    ended = scenes.conversation(closed_at=datetime.now(UTC))
    scenes.reply(ended, 1)
    opened_by_hotel = scenes.conversation(closed_at=datetime.now(UTC) - timedelta(days=1))
    scenes.hotel_turn(opened_by_hotel, 1)
    scenes.reply(opened_by_hotel, 2)
    twice_ours = scenes.conversation(closed_at=datetime.now(UTC) - timedelta(days=2))
    scenes.reply(twice_ours, 1)
    scenes.reply(twice_ours, 2)
    assert chosen(scenes, DIALOGUE, QueuePolicy.NEWEST) == [ended, opened_by_hotel, twice_ours]
    assert set(chosen(scenes, DIALOGUE, QueuePolicy.RANDOM)) == {ended, opened_by_hotel, twice_ours}


def test_filters_narrow_what_is_chosen(scenes: Scenes) -> None:
    version = a_version(scenes, "policy-v1")
    chinese = scenes.conversation(language="zh", policy_version_id=version, closed_at=datetime.now(UTC))
    here = scenes.reply(chinese, 1, stage_before=Stage.CLOSING, policy_version_id=version)
    scenes.draft(chinese, 1, 1, policy_version_id=version)
    pair = scenes.draft(chinese, 1, 2, policy_version_id=version)
    scenes.pair()
    close_all(scenes)
    scenes.execute("UPDATE conversation SET stage = 'closing' WHERE id = :id", id=chinese)
    now = datetime.now(UTC)
    for kind, found in ((TURN, here), (COMPARISON, pair), (DIALOGUE, chinese)):
        for policy in (QueuePolicy.NEWEST, QueuePolicy.RANDOM):
            for narrowed in ({"language": "zh"}, {"stage": Stage.CLOSING}, {"policy_version_id": version}):
                assert chosen(scenes, kind, policy, **narrowed) == [found], (kind, narrowed)
            assert len(chosen(scenes, kind, policy, since=now - timedelta(hours=1), until=now + timedelta(hours=1))) == 2
            assert chosen(scenes, kind, policy, since=now + timedelta(hours=1)) == []
            assert chosen(scenes, kind, policy, until=now - timedelta(hours=1)) == []


@pytest.mark.parametrize("policy", QueuePolicy)
def test_a_turn_with_a_known_answer_is_no_ordinary_item(scenes: Scenes, policy: QueuePolicy) -> None:
    conversation = scenes.conversation()
    draft = scenes.draft(conversation, 1, 1, status=DraftStatus.EDITED, edited_text="x")
    scenes.objection(draft)
    turn = scenes.reply(conversation, 1, draft_id=draft)
    gold.add_gold(scenes.sessions, turn, stars_from=1, stars_to=2, actor=None)
    assert chosen(scenes, TURN, policy) == []


def test_every_kind_and_policy_can_be_chosen_from_an_empty_database(scenes: Scenes) -> None:
    for kind in JudgementKind:
        for policy in QueuePolicy:
            assert chosen(scenes, kind, policy, language="en", stage=Stage.CLOSING) == []
    assert EVERY_TURN.gold_share == 0
