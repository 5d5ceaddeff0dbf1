"""Versions of the reward spec in the database: proposed, read as a list of changes, approved by somebody else, in force.

Decided here: who may approve what. A draft is approved by another person than its author (``PARLEY_TRAINING_APPROVE_OWN_SPECS`` says
otherwise), and only while the version that it was made from is still in force, so that no approval undoes another unseen. A body is never
changed: a better idea is a further version. Every act is an audit event. Each function works in the caller's transaction.
"""

import uuid

from sqlalchemy.orm import Session

from db import models
from db.errors import ParleyError
from db.models import Json
from db.repositories import audit_events, reward_specs
from db.vocabulary import SpecStatus
from training.rewards.spec import Change, RewardSpec, diff_bodies, parse_spec, shipped_spec
from training.settings import TrainingSettings

FEWEST_NOTE_CHARS = 10
MOST_NOTE_CHARS = 2_000


class ProposalRefused(ParleyError):
    """A spec that is not worth a version: it changes nothing, or nobody says why."""


class ApprovalRefused(ParleyError):
    """A version that may not be approved or retired, by this person or at all."""


def in_force(session: Session) -> RewardSpec:
    """The spec that a run takes: the highest approved version, or the one that ships where none is stored.

    Raises:
        SpecError: where the stored one cannot be used any more, such as after an update that brought a new rule.
    """
    stored = reward_specs.find_in_force(session)
    return read(stored) if stored is not None else shipped_spec()


def read(row: models.RewardSpec) -> RewardSpec:
    """A stored version. Raises SpecError."""
    return parse_spec(row.body, source=f"Version {row.version} of the reward spec")


def changes(session: Session, version: int) -> list[Change]:
    """What a version changes in the one that it was made from; for the one that ships, nothing.

    Raises:
        SpecNotFound: there is no such version.
    """
    row = reward_specs.get(session, version)
    return diff_bodies(reward_specs.get(session, row.parent).body, row.body) if row.parent is not None else []


def propose(session: Session, spec: RewardSpec, *, note: str, actor: uuid.UUID) -> int:
    """Write a draft, made from the version in force, and return its number; the number in ``spec`` does not count.

    Raises:
        ProposalRefused: for a note that does not say why, or a spec that changes nothing.
    """
    why = note.strip()
    if not FEWEST_NOTE_CHARS <= len(why) <= MOST_NOTE_CHARS or "\0" in why:
        raise ProposalRefused(f"Say in {FEWEST_NOTE_CHARS} to {MOST_NOTE_CHARS:,} characters why the reward is to change.")
    reward_specs.lock(session)
    parent = reward_specs.find_in_force(session) or _store_shipped(session)
    version = reward_specs.newest_version(session) + 1
    body = spec.with_version(version).body()
    differences = diff_bodies(parent.body, body)
    if not differences:
        raise ProposalRefused(f"This is version {parent.version} of the reward spec, which is in force. Change something, then propose it.")
    row = reward_specs.add(session, models.RewardSpec(version=version, body=body, parent=parent.version, note=why, created_by=actor))
    after = {"version": version, "parent": parent.version, "note": why, "changes": [str(change) for change in differences]}
    _record(session, "reward_spec.propose", row, actor, before=None, after=after)
    return version


def approve(session: Session, version: int, *, actor: uuid.UUID, settings: TrainingSettings | None = None) -> RewardSpec:
    """Put a draft in force.

    Raises:
        SpecNotFound: there is no such version.
        ApprovalRefused: it is no draft, it is the person's own, or another version has come into force since it was made.
        SpecError: it cannot be used (any more).
    """
    reward_specs.lock(session)
    row = reward_specs.get(session, version)
    spec = read(row)
    if row.status is not SpecStatus.DRAFT:
        raise ApprovalRefused(f"Version {version} is {row.status} already. Only a draft can be approved.")
    if row.created_by == actor and not (settings or TrainingSettings()).approve_own_specs:
        raise ApprovalRefused(
            f"You have proposed version {version} yourself, and somebody else must approve it. "
            "Where one person works alone, PARLEY_TRAINING_APPROVE_OWN_SPECS=1 allows it."
        )
    current = reward_specs.find_in_force(session)
    if current is not None and current.version != row.parent:
        raise ApprovalRefused(
            f"Version {version} was made from version {row.parent}, but {current.version} is in force now, and its changes would be lost. "
            f"Make the same change to version {current.version} and propose that."
        )
    reward_specs.approve(session, version, actor)
    before = {"in_force": row.parent}
    after = {"in_force": version, "changes": [str(change) for change in changes(session, version)]}
    _record(session, "reward_spec.approve", row, actor, before=before, after=after)
    return spec


def retire(session: Session, version: int, *, actor: uuid.UUID) -> None:
    """Refuse a draft, or take an approved version out of force; the approved one before it is then in force again. Twice is as once.

    Raises:
        SpecNotFound: there is no such version.
        ApprovalRefused: it is the only approved one.
    """
    reward_specs.lock(session)
    row = reward_specs.get(session, version)
    approved = [other.version for other in reward_specs.list_all(session) if other.status is SpecStatus.APPROVED]
    if approved == [version]:
        raise ApprovalRefused(f"Version {version} is the only approved one. Approve another before it is retired.")
    was = row.status
    if reward_specs.retire(session, version):
        _record(session, "reward_spec.retire", row, actor, before={"status": str(was)}, after={"status": str(SpecStatus.RETIRED)})


def _store_shipped(session: Session) -> models.RewardSpec:
    """The spec that ships as the first row, so that the first draft has something it was made from."""
    spec = shipped_spec()
    row = reward_specs.add(session, models.RewardSpec(version=spec.version, body=spec.body(), note="Ships with Parley."))
    reward_specs.approve(session, spec.version, None)
    _record(session, "reward_spec.ship", row, None, before=None, after={"in_force": spec.version})
    return row


def _record(session: Session, action: str, row: models.RewardSpec, actor: uuid.UUID | None, *, before: Json | None, after: Json) -> None:
    audit_events.record(session, actor_id=actor, action=action, subject_type="reward_spec", subject_id=row.id, before=before, after=after)
