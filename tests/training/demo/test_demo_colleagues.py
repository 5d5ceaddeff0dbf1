"""A simulated colleague at the copilot: drafts are edited into better words, kept beside them, and learnt from."""

from pathlib import Path

from sqlalchemy import select

from agent.service import Negotiations
from agent.service.batch import simulated_jobs
from db.engine import SessionFactory
from db.models import Draft
from db.vocabulary import DraftStatus
from training.demo.colleagues import negotiate_with_a_colleague
from training.demo.loop import TODAY
from training.demo.raters import rate_conversations
from training.experts import panel
from training.snapshots import SnapshotSettings, Split, open_snapshot, take


def test_edits_stand_beside_their_drafts_and_are_learnt_from(negotiations: Negotiations, sessions: SessionFactory, tmp_path: Path) -> None:
    jobs = list(simulated_jobs(n=2, seed=11, today=TODAY))
    held = [negotiate_with_a_colleague(negotiations, job, seed=11) for job in jobs]
    assert [negotiate_with_a_colleague(negotiations, job, seed=11) for job in jobs] == held, "found, not held again"
    assert all(negotiations.view(conversation_id).is_end for conversation_id in held)
    with sessions() as session:
        drafts = session.scalars(select(Draft).where(Draft.conversation_id.in_(held), Draft.status != DraftStatus.SUPERSEDED)).all()
    edited = [draft for draft in drafts if draft.status is DraftStatus.EDITED]
    assert len(edited) > 0.5 * len(drafts)
    assert all(draft.edited_text and draft.edited_text != draft.text and draft.decided_by is not None for draft in edited)
    rated = rate_conversations(sessions, held, panel(3, seed=9))
    stars = [star for one in rated.values() for star in one.stars]
    assert sum(stars) / len(stars) > 3.5, "experts see whose words went out"
    take(sessions, tmp_path / "snapshot", SnapshotSettings(judged_only=True, validation_share=0.0, allow_one_rater=True))
    snapshot = open_snapshot(tmp_path / "snapshot")
    shown = [row for row in snapshot.demonstrations(Split.TRAIN).to_list() if row["source"] == "edit"]
    assert len(shown) > 0.25 * len(edited)
    assert len(snapshot.preferences(Split.TRAIN).to_list()) >= len(shown)
