"""Who may come in: people, logins by hashed token, the window of failed attempts, and the trail of what they did."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from db_rows import Rows
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.models import User
from db.repositories import audit_events, login_attempts, user_sessions, users
from db.vocabulary import Role

HOUR = timedelta(hours=1)


@pytest.fixture
def now(session: Session) -> datetime:
    """The instant of the test's transaction."""
    return session.execute(text("SELECT now()")).scalar_one()


def test_a_person_is_found_by_address_in_any_case(session: Session, rows: Rows) -> None:
    assert not users.anyone_exists(session)
    ada = rows.user(email="Ada@Example.com", roles=(Role.BD, Role.ADMIN))
    session.expire_all()
    assert users.find_by_email(session, " ADA@example.com") is ada
    assert users.find_by_id(session, ada.id) is ada
    assert ada.roles == [Role.BD, Role.ADMIN]
    assert users.find_by_email(session, "bob@example.com") is None
    assert users.anyone_exists(session)


def test_a_person_is_found_as_the_identity_provider_knows_them(session: Session) -> None:
    ada, _ = users.create(session, email="ada@example.com", name="Ada", roles=[Role.BD], external_subject="https://id.example|42")
    assert users.find_by_external_subject(session, "https://id.example|42") is ada
    assert users.find_by_external_subject(session, "https://id.example|43") is None


def test_roles_and_passwords_are_replaced(session: Session, rows: Rows) -> None:
    ada, bob = rows.user(name="ada"), rows.user(name="Bob")
    users.set_roles(session, ada.id, [Role.OPS])
    users.set_password_hash(session, ada.id, "argon2…")
    assert (ada.roles, ada.password_hash) == ([Role.OPS], "argon2…")
    assert list(users.list_all(session)) == [ada, bob]


@pytest.mark.parametrize("column", ["roles = ARRAY['owner']", "email = 'ADA@example.com'"])
def test_a_role_that_does_not_exist_or_an_upper_case_address_is_refused(session: Session, rows: Rows, column: str) -> None:
    rows.user()
    with pytest.raises(IntegrityError, match="ck_app_user"):
        session.execute(text(f"UPDATE app_user SET {column}"))


def test_a_login_is_found_by_the_hash_of_its_token(session: Session, rows: Rows, now: datetime) -> None:
    ada = rows.user()
    user_sessions.start(session, user_id=ada.id, token_hash="h1", expires_at=now + HOUR)
    session.expire_all()
    found = user_sessions.find_active(session, "h1", now=now)
    assert found is not None
    assert found.user is ada
    assert user_sessions.find_active(session, "h2", now=now) is None
    assert user_sessions.find_active(session, "h1", now=now + HOUR) is None


def test_a_login_ends_when_it_is_revoked_or_the_person_is_disabled(session: Session, rows: Rows, now: datetime) -> None:
    ada = rows.user()
    for token in ("h1", "h2", "h3"):
        user_sessions.start(session, user_id=ada.id, token_hash=token, expires_at=now + HOUR)

    def active() -> list[str]:
        return [token for token in ("h1", "h2", "h3") if user_sessions.find_active(session, token, now=now)]

    user_sessions.revoke(session, "h1")
    assert active() == ["h2", "h3"]
    users.disable(session, ada.id)
    assert active() == []
    users.enable(session, ada.id)
    assert active() == ["h2", "h3"]
    user_sessions.revoke_all_of_user(session, ada.id)
    assert active() == []


def test_old_logins_are_swept(session: Session, rows: Rows, now: datetime) -> None:
    ada = rows.user()
    user_sessions.start(session, user_id=ada.id, token_hash="old", expires_at=now - HOUR)
    user_sessions.start(session, user_id=ada.id, token_hash="new", expires_at=now + HOUR)
    assert user_sessions.delete_expired(session, before=now) == 1
    assert user_sessions.find_active(session, "new", now=now) is not None


def test_failed_attempts_are_counted_by_account_and_by_address_within_the_window(session: Session, now: datetime) -> None:
    for email, address, succeeded in [
        ("ada@example.com", "10.0.0.1", False),
        ("ADA@example.com", "10.0.0.2", False),
        ("ada@example.com", "10.0.0.1", True),
        ("bob@example.com", "10.0.0.1", False),
        ("bob@example.com", None, False),
    ]:
        login_attempts.record(session, email=email, remote_address=address, succeeded=succeeded)
    assert login_attempts.count_failures_by_email(session, "Ada@example.com", since=now) == 2
    assert login_attempts.count_failures_by_address(session, "10.0.0.1", since=now) == 2
    assert login_attempts.count_failures_by_email(session, "ada@example.com", since=now + HOUR) == 0
    assert login_attempts.delete_old(session, before=now + HOUR) == 5
    assert login_attempts.count_failures_by_address(session, "10.0.0.1", since=now) == 0


def test_the_trail_tells_who_did_what_to_which_row(session: Session, rows: Rows) -> None:
    ada = rows.user(name="Ada")
    subject = uuid4()
    first = audit_events.record(
        session, actor_id=ada.id, action="ticket.edit", subject_type="ticket", subject_id=subject, before={"rooms": 1}, after={"rooms": 2}
    )
    second = audit_events.record(session, actor_id=None, action="ticket.close", subject_type="ticket", subject_id=subject)
    audit_events.record(session, actor_id=ada.id, action="user.create", subject_type="app_user", subject_id=ada.id)
    assert list(audit_events.list_of_subject(session, "ticket", subject)) == [first, second]
    assert (first.before, first.after, second.before) == ({"rooms": 1}, {"rooms": 2}, None)
    assert [event.actor.name if event.actor else None for event in audit_events.list_newest(session)] == ["Ada", None, "Ada"]
    assert list(audit_events.list_newest(session, actor_id=ada.id, action="ticket.edit")) == [first]
    assert list(audit_events.list_newest(session, limit=1, offset=1)) == [second]
    assert isinstance(first.actor, User)
