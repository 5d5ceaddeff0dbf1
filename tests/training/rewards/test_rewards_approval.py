"""Versions of the reward spec: who may bring which one into force, and what the database keeps whatever anybody does."""

import threading
from uuid import UUID

import pytest
from reward_talks import person
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.engine import SessionFactory
from db.models import AuditEvent
from db.models import RewardSpec as Row
from db.repositories import reward_specs
from db.repositories.reward_specs import SpecNotFound
from db.vocabulary import SpecStatus
from training.rewards.approval import ApprovalRefused, ProposalRefused, approve, changes, in_force, propose, read, retire
from training.rewards.patterns import PatternRule
from training.rewards.spec import SpecError, shipped_spec
from training.settings import TrainingSettings

WHY = "Hotels complained about promises of rank."
STRICTER = shipped_spec().with_weight("promises", -80)
PUSHY = PatternRule(name="last_chance", weight=-60, pattern="last offer", says="pushes")


def refused(session: Session, statement: str, why: str = "is refused") -> None:
    with pytest.raises(IntegrityError, match=why), session.begin_nested():
        session.execute(text(statement))


def trail(session: Session) -> list[tuple[str, UUID | None]]:
    events = session.scalars(select(AuditEvent).where(AuditEvent.subject_type == "reward_spec").order_by(AuditEvent.id))
    return [(event.action, event.actor_id) for event in events]


def test_what_ships_is_in_force_until_something_is_approved(session: Session, ops: UUID) -> None:
    assert in_force(session) == shipped_spec()
    propose(session, STRICTER, note=WHY, actor=ops)
    assert in_force(session) == shipped_spec()


def test_from_a_proposal_to_force(session: Session, ops: UUID, admin: UUID) -> None:
    version = propose(session, STRICTER.with_pattern(PUSHY), note=f"  {WHY} ", actor=ops)
    assert version == 2
    assert str(changes(session, version)[0]) == "rules.promises: -60 → -80"
    assert approve(session, version, actor=admin) == in_force(session) == STRICTER.with_pattern(PUSHY).with_version(2)
    row = reward_specs.get(session, version)
    assert (row.status, row.parent, row.note, row.created_by, row.approved_by) == (SpecStatus.APPROVED, 1, WHY, ops, admin)
    assert row.approved_at is not None
    assert row.author is not None
    assert row.author.name == "Olive Ops"
    assert read(row) == in_force(session)
    assert changes(session, 1) == []
    assert [row.version for row in reward_specs.list_all(session)] == [2, 1]


def test_every_act_is_in_the_trail(session: Session, ops: UUID, admin: UUID) -> None:
    approve(session, propose(session, STRICTER, note=WHY, actor=ops), actor=admin)
    retire(session, 2, actor=ops)
    assert trail(session) == [
        ("reward_spec.ship", None),
        ("reward_spec.propose", ops),
        ("reward_spec.approve", admin),
        ("reward_spec.retire", ops),
    ]
    event = session.scalars(select(AuditEvent).where(AuditEvent.action == "reward_spec.approve")).one()
    assert (event.before, event.after) == ({"in_force": 1}, {"in_force": 2, "changes": ["rules.promises: -60 → -80"]})


def test_nobody_approves_their_own(session: Session, ops: UUID, admin: UUID) -> None:
    version = propose(session, STRICTER, note=WHY, actor=ops)
    with pytest.raises(ApprovalRefused, match=r"proposed version 2 yourself.*PARLEY_TRAINING_APPROVE_OWN_SPECS"):
        approve(session, version, actor=ops)
    assert in_force(session) == shipped_spec()
    approve(session, version, actor=ops, settings=TrainingSettings(approve_own_specs=True))
    assert in_force(session).version == 2


def test_the_setting_is_read_from_the_environment(session: Session, ops: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_TRAINING_APPROVE_OWN_SPECS", "1")
    approve(session, propose(session, STRICTER, note=WHY, actor=ops), actor=ops)
    assert in_force(session).version == 2


def test_an_approval_undoes_nobody_elses(session: Session, ops: UUID, admin: UUID) -> None:
    first = propose(session, STRICTER, note=WHY, actor=ops)
    second = propose(session, shipped_spec().with_pattern(PUSHY), note=WHY, actor=ops)
    approve(session, first, actor=admin)
    with pytest.raises(ApprovalRefused, match="Version 3 was made from version 1, but 2 is in force now"):
        approve(session, second, actor=admin)
    both = propose(session, in_force(session).with_pattern(PUSHY), note=WHY, actor=ops)
    assert approve(session, both, actor=admin).rules["promises"] == -80.0


def test_only_a_draft_is_approved(session: Session, ops: UUID, admin: UUID) -> None:
    version = propose(session, STRICTER, note=WHY, actor=ops)
    approve(session, version, actor=admin)
    with pytest.raises(ApprovalRefused, match="Version 2 is approved already"):
        approve(session, version, actor=admin)
    refused_draft = propose(session, in_force(session).with_pattern(PUSHY), note=WHY, actor=ops)
    retire(session, refused_draft, actor=admin)
    with pytest.raises(ApprovalRefused, match="Version 3 is retired already"):
        approve(session, refused_draft, actor=admin)


def test_retiring_puts_the_one_before_back_in_force(session: Session, ops: UUID, admin: UUID) -> None:
    approve(session, propose(session, STRICTER, note=WHY, actor=ops), actor=admin)
    retire(session, 2, actor=admin)
    assert in_force(session) == shipped_spec()
    retire(session, 2, actor=admin)
    assert trail(session).count(("reward_spec.retire", admin)) == 1
    with pytest.raises(ApprovalRefused, match="Version 1 is the only approved one"):
        retire(session, 1, actor=admin)


def test_a_version_that_is_not_there_is_named(session: Session, ops: UUID) -> None:
    with pytest.raises(SpecNotFound, match="no version 7"):
        approve(session, 7, actor=ops)
    with pytest.raises(SpecNotFound, match="no version 7"):
        retire(session, 7, actor=ops)
    with pytest.raises(SpecNotFound, match="no version 7"):
        changes(session, 7)


@pytest.mark.parametrize("note", ["", "   because   ", "x" * 2001, "because of \0 it"])
def test_a_proposal_says_why(session: Session, ops: UUID, note: str) -> None:
    with pytest.raises(ProposalRefused, match="why the reward is to change"):
        propose(session, STRICTER, note=note, actor=ops)


def test_a_proposal_changes_something(session: Session, ops: UUID) -> None:
    with pytest.raises(ProposalRefused, match="This is version 1 of the reward spec"):
        propose(session, shipped_spec().with_version(5), note=WHY, actor=ops)


def test_a_stored_spec_of_another_release_is_refused_by_name_and_can_be_replaced(session: Session, ops: UUID, admin: UUID) -> None:
    body = shipped_spec().body()
    del body["rules"]["promises"]
    reward_specs.add(session, Row(version=1, body=body))
    reward_specs.approve(session, 1, None)
    with pytest.raises(SpecError, match=r"Version 1 of the reward spec is not .*no weight: promises"):
        in_force(session)
    version = propose(session, shipped_spec(), note=WHY, actor=ops)
    assert [str(change) for change in changes(session, version)] == ["rules.promises: new, -60"]
    assert approve(session, version, actor=admin) == in_force(session)


def test_a_draft_that_cannot_be_used_is_not_approved(session: Session, ops: UUID, admin: UUID) -> None:
    body = shipped_spec().with_version(2).body() | {"n": 0}
    propose(session, STRICTER.with_pattern(PUSHY), note=WHY, actor=ops)
    reward_specs.add(session, Row(version=3, body=body | {"version": 3}, parent=1, created_by=ops))
    with pytest.raises(SpecError, match="Version 3"):
        approve(session, 3, actor=admin)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE reward_spec SET body = jsonb_set(body, '{n}', '50') WHERE version = 2",
        "UPDATE reward_spec SET version = 9 WHERE version = 2",
        "UPDATE reward_spec SET note = 'another reason' WHERE version = 2",
        "UPDATE reward_spec SET created_by = NULL WHERE version = 2",
        "UPDATE reward_spec SET parent = NULL WHERE version = 2",
        "UPDATE reward_spec SET status = 'draft' WHERE version = 1",
        "DELETE FROM reward_spec",
        "TRUNCATE reward_spec",
    ],
)
def test_what_was_proposed_stays_as_it_is(session: Session, ops: UUID, statement: str) -> None:
    propose(session, STRICTER, note=WHY, actor=ops)
    refused(session, statement)


@pytest.mark.parametrize("status", ["draft", "approved"])
def test_there_is_no_way_back(session: Session, ops: UUID, admin: UUID, status: str) -> None:
    approve(session, propose(session, STRICTER, note=WHY, actor=ops), actor=admin)
    refused(session, "UPDATE reward_spec SET approved_by = NULL WHERE version = 2")
    refused(session, "UPDATE reward_spec SET status = 'draft', approved_at = NULL WHERE version = 2")
    retire(session, 2, actor=admin)
    refused(session, f"UPDATE reward_spec SET status = '{status}' WHERE version = 2")


def test_an_approved_version_has_a_time_and_a_body_its_own_number(session: Session, ops: UUID) -> None:
    propose(session, STRICTER, note=WHY, actor=ops)
    refused(session, "UPDATE reward_spec SET status = 'approved' WHERE version = 2", "ck_reward_spec_approved")
    with pytest.raises(IntegrityError, match="ck_reward_spec_body_version"), session.begin_nested():
        reward_specs.add(session, Row(version=3, body=shipped_spec().body(), parent=2))
    with pytest.raises(IntegrityError, match="uq_reward_spec_version"), session.begin_nested():
        reward_specs.add(session, Row(version=2, body=shipped_spec().with_version(2).body(), parent=1))


def test_people_who_act_at_once_get_one_number_each_and_one_approval(sessions: SessionFactory) -> None:
    with sessions.begin() as session:
        authors = [person(session, f"Author {number}") for number in range(4)]
        approver = person(session, "Approver")
    numbers: list[int] = []
    refusals: list[str] = []

    def suggest(number: int) -> None:
        with sessions.begin() as session:
            numbers.append(propose(session, shipped_spec().with_weight("promises", -61 - number), note=WHY, actor=authors[number]))

    def agree(version: int) -> None:
        try:
            with sessions.begin() as session:
                approve(session, version, actor=approver)
        except ApprovalRefused as error:
            refusals.append(str(error))

    for act, arguments in ((suggest, range(4)), (agree, range(2, 6))):
        threads = [threading.Thread(target=act, args=(argument,)) for argument in arguments]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
    assert sorted(numbers) == [2, 3, 4, 5]
    assert len(refusals) == 3
    with sessions() as session:
        approved = [row.version for row in reward_specs.list_all(session) if row.status is SpecStatus.APPROVED]
        assert len(approved) == 2
        assert in_force(session).version == max(approved)
