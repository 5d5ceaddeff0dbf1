"""Schedules of retrains: each has a condition, a name of its own, and counts what is new."""

from datetime import timedelta
from uuid import UUID

import pytest
from db_rows import Rows
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from db.models import Rating, RetrainSchedule
from db.repositories import ratings, retrain_schedules
from db.repositories.retrain_schedules import ScheduleNotFound
from db.vocabulary import JudgementKind


def schedule(name: str = "nightly", cron: str | None = "0 3 * * *") -> RetrainSchedule:
    return RetrainSchedule(name=name, policy_line="main", plan={}, cron=cron)


def test_a_schedule_is_found_by_name_changed_and_removed(session: Session) -> None:
    row = retrain_schedules.add(session, schedule())
    assert retrain_schedules.get_by_name(session, "nightly") is row
    assert list(retrain_schedules.list_enabled_for_update(session)) == [row]
    retrain_schedules.change(session, row.id, enabled=False, min_ratings=10)
    assert list(retrain_schedules.list_enabled_for_update(session)) == []
    assert retrain_schedules.get(session, row.id).min_ratings == 10
    retrain_schedules.remove(session, row.id)
    assert list(retrain_schedules.list_all(session)) == []
    with pytest.raises(ScheduleNotFound, match="schedule list"):
        retrain_schedules.get_by_name(session, "nightly")
    with pytest.raises(ScheduleNotFound):
        retrain_schedules.get(session, uuid7())


def test_a_name_is_taken_once(session: Session) -> None:
    retrain_schedules.add(session, schedule())
    with pytest.raises(IntegrityError, match="uq_retrain_schedule_name"), session.begin_nested():
        retrain_schedules.add(session, schedule())


def test_a_schedule_without_a_condition_is_refused(session: Session) -> None:
    with pytest.raises(IntegrityError, match="ck_retrain_schedule_condition"), session.begin_nested():
        retrain_schedules.add(session, schedule(cron=None))


def test_what_is_new_is_counted(session: Session, rows: Rows) -> None:
    instant = retrain_schedules.now(session)
    assert retrain_schedules.count_ratings_since(session, None) == 0
    assert retrain_schedules.count_bad_cases_since(session, None) == 0
    conversation = rows.conversation(rows.ticket())
    turn = rows.bd_turn(conversation, 1)
    rater = rows.user()

    def rate(key: str, stars: int, supersedes: UUID | None = None) -> Rating:
        row = Rating(
            kind=JudgementKind.TURN,
            rater_id=rater.id,
            conversation_id=conversation.id,
            turn_id=turn.id,
            idempotency_key=key,
            stars=stars,
            supersedes_id=supersedes,
        )
        return ratings.add(session, row)

    rate("2", 3, supersedes=rate("1", 2).id)
    assert retrain_schedules.count_ratings_since(session, None) == 1
    assert retrain_schedules.count_ratings_since(session, instant - timedelta(seconds=1)) == 1
    assert retrain_schedules.count_ratings_since(session, instant + timedelta(seconds=1)) == 0
    assert retrain_schedules.count_bad_cases_since(session, instant + timedelta(seconds=1)) == 0
