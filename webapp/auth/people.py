"""Accounts: the first administrator, and what an administrator may do to the others. Every change is in the audit trail."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session

from db.errors import ParleyError
from db.models import User
from db.repositories import audit_events, user_sessions, users
from db.vocabulary import Role
from webapp.auth.identity import Identity, forget_all
from webapp.auth.passwords import generate_password, hash_password, matches

FIRST_ADMIN_EMAIL = "admin@parley.local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A login to be told once; the password is nowhere else."""

    email: str
    password: str = field(repr=False)


class AccountWrong(ParleyError):
    """An account cannot be made or changed in this way."""


def ensure_first_admin(session: Session, *, email: str = FIRST_ADMIN_EMAIL) -> Credentials | None:
    """Create the first administrator with a generated password, where there is nobody yet; None where there is somebody."""
    if users.anyone_exists(session):
        return None
    password = generate_password()
    user, added = users.create(
        session, email=email, name="Administrator", roles=(Role.BD, Role.ADMIN), password_hash=hash_password(password)
    )
    if not added:
        return None
    audit_events.record(session, actor_id=None, action="user.create_first", subject_type="app_user", subject_id=user.id)
    return Credentials(email=user.email, password=password)


def create_person(session: Session, *, email: str, name: str, roles: Iterable[Role], actor: Identity) -> Credentials:
    """Add somebody, with a generated password to hand over.

    Raises:
        AccountWrong: the e-mail or name cannot be used, or the e-mail is taken.
    """
    address, called, given = users.normal_email(email), " ".join(name.split()), sorted(set(roles))
    local, at, domain = address.partition("@")
    if not (local and at and domain) or any(character.isspace() or not character.isprintable() for character in address):
        raise AccountWrong(f"“{email.strip()}” is not an e-mail address. Write it like name@company.com.")
    if not called or not called.isprintable():
        raise AccountWrong("A person needs a name: colleagues see it beside what they send.")
    password = generate_password()
    user, added = users.create(session, email=address, name=called, roles=given, password_hash=hash_password(password))
    if not added:
        raise AccountWrong(f"{address} has an account already ({user.name}). Choose it in the list to change it.")
    _record(session, "user.create", user.id, actor=actor, after={"email": address, "roles": [str(role) for role in given]})
    return Credentials(email=address, password=password)


def set_roles(session: Session, user_id: UUID, roles: Iterable[Role], *, actor: Identity) -> None:
    """Replace somebody's roles.

    Raises:
        AccountWrong: there is no such person, or an administrator would lock themselves out.
    """
    user, given = _person(session, user_id), sorted(set(roles))
    if user.id == actor.user_id and Role.ADMIN not in given:
        raise AccountWrong("You cannot take the administrator role from yourself: ask another administrator to do it.")
    _record(
        session,
        "user.set_roles",
        user.id,
        actor=actor,
        before={"roles": [str(role) for role in user.roles]},
        after={"roles": [str(role) for role in given]},
    )
    users.set_roles(session, user_id, given)
    forget_all()


def reset_password(session: Session, user_id: UUID, *, actor: Identity) -> Credentials:
    """Give somebody a new generated password and end their sign-ins.

    Raises:
        AccountWrong: there is no such person.
    """
    user, password = _person(session, user_id), generate_password()
    users.set_password_hash(session, user_id, hash_password(password))
    _end_sign_ins(session, user_id)
    _record(session, "user.reset_password", user.id, actor=actor)
    return Credentials(email=user.email, password=password)


def change_own_password(session: Session, *, present: str, wanted: str, actor: Identity) -> None:
    """Set one's own password; every sign-in ends with it, this one too.

    Raises:
        AccountWrong: the present password is another one.
        WeakPassword: too short or too long.
    """
    if not matches(present, _person(session, actor.user_id).password_hash):
        raise AccountWrong("The present password is another one. Ask an administrator for a new one if you do not know it.")
    users.set_password_hash(session, actor.user_id, hash_password(wanted))
    _end_sign_ins(session, actor.user_id)
    _record(session, "user.change_password", actor.user_id, actor=actor)


def set_locked(session: Session, user_id: UUID, *, locked: bool, actor: Identity) -> None:
    """Lock somebody out, or let them in again.

    Raises:
        AccountWrong: there is no such person, or it is oneself.
    """
    user = _person(session, user_id)
    if user.id == actor.user_id:
        raise AccountWrong("You cannot lock your own account: ask another administrator to do it.")
    if locked:
        users.disable(session, user_id)
        _end_sign_ins(session, user_id)
    else:
        users.enable(session, user_id)
    _record(session, "user.lock" if locked else "user.unlock", user.id, actor=actor)


def _person(session: Session, user_id: UUID) -> User:
    user = users.find_by_id(session, user_id)
    if user is None:
        raise AccountWrong(f"There is no person {user_id}. Reload the page to see who is there.")
    return user


def _end_sign_ins(session: Session, user_id: UUID) -> None:
    user_sessions.revoke_all_of_user(session, user_id)
    forget_all()


def _record(
    session: Session,
    action: str,
    user_id: UUID,
    *,
    actor: Identity,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    audit_events.record(
        session, actor_id=actor.user_id, action=action, subject_type="app_user", subject_id=user_id, before=before, after=after
    )
