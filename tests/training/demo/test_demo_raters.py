"""Simulated experts rate what an instance has said: every reply once, always labelled so, and in a form that training learns from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from agent.service import Negotiations
from agent.service.batch import simulated_jobs, ticket_ids_of
from db.engine import SessionFactory
from db.models import Draft, Rating, RatingTag, Turn, User
from db.vocabulary import Counterpart, DraftOrigin, DraftStatus, JudgementKind, JudgementSource, Mode, Preferred, Speaker
from tests.training.data.data_scenes import ScriptedClient
from training.data.columns import Format
from training.demo.loop import TODAY
from training.demo.raters import compare_alternatives, rate_conversations
from training.dialogues.retelling import CannotRetell
from training.experts import panel
from training.ratings.alternatives import draw_alternatives
from training.snapshots import SnapshotSettings, Split, take

EXPERTS = panel(3, seed=9)


def test_each_expert_rates_each_reply_once(sessions: SessionFactory, held: list[UUID]) -> None:
    seen: list[tuple[int, int]] = []
    rated = rate_conversations(sessions, held, EXPERTS, progress=lambda done, of: seen.append((done, of)))
    again = rate_conversations(sessions, held, EXPERTS)
    assert again == rated
    assert seen == [(3, 3)]
    with sessions() as session:
        ours = session.scalars(select(func.count()).select_from(Turn).where(Turn.speaker == Speaker.BD)).one()
        found = session.scalars(select(Rating)).all()
        people = session.scalars(select(User)).all()
        tags = session.scalars(select(func.count()).select_from(RatingTag)).one()
    assert len(found) == 3 * ours
    assert sum(len(one.stars) for one in rated.values()) == ours
    assert {rating.source for rating in found} == {JudgementSource.SIMULATED}
    for conversation_id, one in rated.items():
        mean = sum(rating.stars or 0 for rating in found if rating.conversation_id == conversation_id) / 3
        assert mean == pytest.approx(sum(one.stars))
        assert one.rooms
    assert all(person.password_hash is None and "simulated" in person.name for person in people), "nobody can sign in as an expert"
    assert tags > 0, "a script of five sentences has faults"
    disliked = [rating for rating in found if (rating.stars or 0) < 4]
    assert disliked
    written = [rating for rating in disliked if rating.rewrite is not None]
    assert 0 < len(written) < len(disliked), "one of three writes"
    assert len({rating.turn_id for rating in written}) == len(written)
    assert all(rating.rewrite is None for rating in found if (rating.stars or 0) >= 4)


def test_a_snapshot_learns_from_what_they_would_have_said(sessions: SessionFactory, held: list[UUID], tmp_path: Path) -> None:
    rate_conversations(sessions, held, EXPERTS)
    snapshot = take(sessions, tmp_path / "snapshot", SnapshotSettings(judged_only=True, validation_share=0.0))
    assert snapshot.rows(Format.PREFERENCE, Split.TRAIN) > 10
    assert snapshot.rows("contexts", Split.TRAIN) > 10
    people = take(sessions, tmp_path / "people", SnapshotSettings(judged_only=True, validation_share=0.0, people_only=True))
    assert people.rows(Format.PREFERENCE, Split.TRAIN) == 0


def test_of_a_real_hotel_nobody_knows_the_truth(negotiations: Negotiations, sessions: SessionFactory) -> None:
    (job,) = simulated_jobs(n=1, seed=77, today=TODAY)
    tickets = ticket_ids_of(negotiations, job.forms)
    real = negotiations.open(ticket_ids=tickets, mode=Mode.COPILOT, counterpart=Counterpart.HUMAN, actor=None, key=str(uuid4()))
    with pytest.raises(CannotRetell, match="not held with a simulated hotel"):
        rate_conversations(sessions, [real], EXPERTS)


class Otherwise(ScriptedClient):
    """Says the same in other words."""

    def stream_json(self, **asked: Any) -> Iterator[str]:
        for piece in super().stream_json(**asked):
            yield piece.replace('"text":"', '"text":"Dear partner, ')


def test_second_drafts_are_drawn_and_compared_once(sessions: SessionFactory, held: list[UUID]) -> None:
    drawn = draw_alternatives(sessions, Otherwise(), held)
    assert drawn > 0
    assert draw_alternatives(sessions, Otherwise(), held) == 0, "each has another one by now"
    compared = compare_alternatives(sessions, held, EXPERTS)
    assert compare_alternatives(sessions, held, EXPERTS) == compared >= 3 * drawn
    with sessions() as session:
        found = session.scalars(select(Rating).where(Rating.kind == JudgementKind.COMPARISON)).all()
        others = session.scalars(select(Draft).where(Draft.status == DraftStatus.REJECTED, Draft.origin == DraftOrigin.POLICY)).all()
    assert len(found) == compared
    assert {rating.source for rating in found} == {JudgementSource.SIMULATED}
    assert all((rating.strength is None) == (rating.preferred is Preferred.TIE) for rating in found)
    assert len({(other.conversation_id, other.for_turn) for other in others}) == len(others) >= drawn
    assert all(other.attempt > 1 and other.decided_at is not None for other in others)
