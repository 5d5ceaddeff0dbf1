"""Signing in: who is let in, who is held back, and what the cookie is worth."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient
from web_site import PASSWORD, add_people

from db.engine import SessionFactory
from db.models import AuditEvent, LoginAttempt, User, UserSession
from db.repositories import users
from db.vocabulary import Role
from webapp.auth import ensure_first_admin, identity, people
from webapp.auth.cookies import FORM_COOKIE, SESSION_COOKIE, seal
from webapp.auth.gate import Gate
from webapp.auth.identity import Identity, identify
from webapp.auth.passwords import WeakPassword, hash_password, matches
from webapp.auth.responses import safe_path
from webapp.auth.routes import routes
from webapp.auth.sign_in import TooManyAttempts, WrongCredentials, sign_in, sign_out
from webapp.settings import SecretKeyUnusable, WebSettings, web_settings

ADDRESS = "198.51.100.7"


@pytest.fixture
def people_in(web_database: SessionFactory) -> SessionFactory:
    add_people(web_database)
    return web_database


@pytest.fixture
def browser(people_in: SessionFactory) -> TestClient:
    app = Starlette(routes=routes(), middleware=[Middleware(Gate)])
    return TestClient(app, base_url="http://parley.test", follow_redirects=False)


def cookie_of(token: str) -> str:
    return seal(token, key=web_settings().signing_key())


def form_token_on(page: str) -> str:
    return page.split('name="form_token" value="')[1].split('"')[0]


class TestPasswords:
    def test_a_hash_is_argon2_and_matches_only_its_password(self) -> None:
        hashed = hash_password(PASSWORD)
        assert hashed.startswith("$argon2id$")
        assert matches(PASSWORD, hashed)
        assert not matches(PASSWORD + "!", hashed)

    def test_nobody_has_no_password(self) -> None:
        assert not matches("", None)

    @pytest.mark.parametrize("password", ["short", "x" * 201])
    def test_a_password_has_a_length(self, password: str) -> None:
        with pytest.raises(WeakPassword, match="10 to 200 characters"):
            hash_password(password)


class TestSigningIn:
    def test_the_right_password_makes_a_session_that_names_the_person(self, people_in: SessionFactory) -> None:
        person = identify(cookie_of(sign_in("BD@parley.test ", PASSWORD, address=ADDRESS)))
        assert person is not None
        assert (person.email, person.roles) == ("bd@parley.test", frozenset({Role.BD}))

    def test_only_a_hash_of_the_session_is_kept(self, people_in: SessionFactory) -> None:
        token = sign_in("bd@parley.test", PASSWORD, address=ADDRESS)
        with people_in.begin() as session:
            kept = session.scalars(select(UserSession.token_hash)).one()
        assert token not in kept
        assert len(kept) == 64

    @pytest.mark.parametrize(
        ("email", "password"), [("bd@parley.test", "wrong"), ("nobody@parley.test", PASSWORD), ("", ""), ("a\0b", "x")]
    )
    def test_anything_else_is_refused_in_the_same_words(self, people_in: SessionFactory, email: str, password: str) -> None:
        with pytest.raises(WrongCredentials, match="do not go together"):
            sign_in(email, password, address=ADDRESS)

    def test_whoever_is_locked_out_is_refused(self, people_in: SessionFactory) -> None:
        with people_in.begin() as session:
            session.execute(update(User).where(User.email == "bd@parley.test").values(disabled_at=datetime.now(UTC)))
        with pytest.raises(WrongCredentials):
            sign_in("bd@parley.test", PASSWORD, address=ADDRESS)


class TestHoldingBack:
    def test_an_account_is_held_back_after_five_wrong_passwords_even_with_the_right_one(self, people_in: SessionFactory) -> None:
        for _ in range(5):
            with pytest.raises(WrongCredentials):
                sign_in("bd@parley.test", "wrong", address=ADDRESS)
        with pytest.raises(TooManyAttempts, match="15 minutes"):
            sign_in("bd@parley.test", PASSWORD, address="203.0.113.9")
        assert sign_in("ops@parley.test", PASSWORD, address="203.0.113.9")

    def test_an_address_is_held_back_whatever_account_it_tries(self, people_in: SessionFactory, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PARLEY_LOGIN_FAILURES_PER_ADDRESS", "3")
        web_settings.cache_clear()
        for number in range(3):
            with pytest.raises(WrongCredentials):
                sign_in(f"guess{number}@parley.test", "wrong", address=ADDRESS)
        with pytest.raises(TooManyAttempts, match="your network"):
            sign_in("bd@parley.test", PASSWORD, address=ADDRESS)

    def test_the_pause_ends(self, people_in: SessionFactory) -> None:
        for _ in range(5):
            with pytest.raises(WrongCredentials):
                sign_in("bd@parley.test", "wrong", address=ADDRESS)
        with people_in.begin() as session:
            session.execute(update(LoginAttempt).values(created_at=datetime.now(UTC) - timedelta(minutes=16)))
        assert sign_in("bd@parley.test", PASSWORD, address=ADDRESS)


class TestTheCookie:
    def test_a_forged_or_damaged_cookie_is_nobody(self, people_in: SessionFactory) -> None:
        token = sign_in("bd@parley.test", PASSWORD, address=ADDRESS)
        good = cookie_of(token)
        for bad in (None, "", token, good[:-2], "x" + good, "é.ü", seal(token, key="another key of more than thirty-two characters")):
            assert identify(bad) is None

    def test_signing_out_ends_the_session_at_once(self, people_in: SessionFactory) -> None:
        cookie = cookie_of(sign_in("bd@parley.test", PASSWORD, address=ADDRESS))
        assert identify(cookie)
        sign_out(cookie)
        assert identify(cookie) is None

    def test_a_session_expires_even_while_it_is_remembered(self, people_in: SessionFactory, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PARLEY_SESSION_HOURS", "0.00001")
        web_settings.cache_clear()
        cookie = cookie_of(sign_in("bd@parley.test", PASSWORD, address=ADDRESS))
        with people_in.begin() as session:
            session.execute(update(UserSession).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
        assert identify(cookie) is None

    def test_a_person_who_is_known_is_not_looked_up_on_every_run(self, people_in: SessionFactory) -> None:
        cookie = cookie_of(sign_in("bd@parley.test", PASSWORD, address=ADDRESS))
        first = identify(cookie)
        assert identify(cookie) is first
        identity.forget_all()
        assert identify(cookie) is not first


class TestTheForm:
    def test_a_page_is_only_served_to_whoever_is_signed_in(self, browser: TestClient) -> None:
        answer = browser.get("/tickets?q=Aurora")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/login?next=%2Ftickets%3Fq%3DAurora"

    def test_signing_in_sets_a_cookie_that_scripts_and_other_sites_cannot_use(self, browser: TestClient) -> None:
        token = form_token_on(browser.get("/login").text)
        form = {"email": "bd@parley.test", "password": PASSWORD, "form_token": token, "next": "/tickets"}
        answer = browser.post("/login", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/tickets")
        cookie = next(line for line in answer.headers.get_list("set-cookie") if line.startswith(SESSION_COOKIE))
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert browser.get("/login").status_code == 303

    def test_a_wrong_password_keeps_the_e_mail_and_says_what_to_do(self, browser: TestClient) -> None:
        token = form_token_on(browser.get("/login").text)
        answer = browser.post("/login", data={"email": 'b"d@parley.test', "password": "wrong", "form_token": token})
        assert answer.status_code == 401
        assert 'value="b&#34;d@parley.test"' in answer.text
        assert "caps lock" in answer.text
        assert "wrong" not in answer.text.split("<form")[1]

    def test_a_form_that_we_did_not_serve_is_refused(self, browser: TestClient) -> None:
        form = {"email": "bd@parley.test", "password": PASSWORD}
        for token in ("", "0" * 64, "é"):
            assert browser.post("/login", data=form | {"form_token": token}).status_code == 403
        browser.get("/login")
        good = form_token_on(browser.get("/login").text)
        elsewhere = browser.post("/login", data=form | {"form_token": good}, headers={"origin": "https://elsewhere.test"})
        assert elsewhere.status_code == 403
        browser.cookies.delete(FORM_COOKIE)
        assert browser.post("/login", data=form | {"form_token": good}).status_code == 403

    def test_too_much_is_refused_before_it_is_read(self, browser: TestClient) -> None:
        assert browser.post("/login", data={"email": "x" * 20_000}).status_code == 413

    @pytest.mark.parametrize(
        "elsewhere", ["https://elsewhere.test", "//elsewhere.test", "/\\elsewhere.test", "javascript:alert(1)", "", "/login", "/a\nb"]
    )
    def test_one_never_lands_on_another_site(self, elsewhere: str) -> None:
        assert safe_path(elsewhere) == "/"


class TestAccounts:
    def test_the_first_administrator_is_made_once(self, web_database: SessionFactory) -> None:
        with web_database.begin() as session:
            first = ensure_first_admin(session)
        assert first is not None
        assert first.password not in repr(first)
        with web_database.begin() as session:
            assert ensure_first_admin(session) is None
        person = identify(cookie_of(sign_in(first.email, first.password, address=None)))
        assert person is not None
        assert person.may(Role.OPS)

    def test_an_administrator_adds_people_and_changes_their_roles(self, people_in: SessionFactory) -> None:
        admin = admin_of(people_in)
        with people_in.begin() as session:
            made = people.create_person(session, email=" New@Hotel.test", name=" Nia  New ", roles=[Role.BD], actor=admin)
            user = users.find_by_email(session, "new@hotel.test")
            assert user is not None
            assert user.name == "Nia New"
        cookie = cookie_of(sign_in(made.email, made.password, address=None))
        with people_in.begin() as session:
            people.set_roles(session, user.id, [Role.OPS], actor=admin)
        changed = identify(cookie)
        assert changed is not None
        assert changed.roles == {Role.OPS}
        with people_in.begin() as session:
            actions = set(session.scalars(select(AuditEvent.action).where(AuditEvent.subject_id == user.id)))
        assert actions >= {"user.create", "user.set_roles", "user.sign_in"}

    @pytest.mark.parametrize(
        ("email", "name"), [("nonsense", "Nia"), ("a b@c.d", "Nia"), ("nia@hotel.test", "  "), ("bd@parley.test", "Nia")]
    )
    def test_an_account_needs_an_unused_address_and_a_name(self, people_in: SessionFactory, email: str, name: str) -> None:
        with people_in.begin() as session, pytest.raises(people.AccountWrong):
            people.create_person(session, email=email, name=name, roles=[], actor=admin_of(people_in))

    def test_a_new_password_ends_every_sign_in_of_that_person(self, people_in: SessionFactory) -> None:
        cookie = cookie_of(sign_in("bd@parley.test", PASSWORD, address=None))
        with people_in.begin() as session:
            user = users.find_by_email(session, "bd@parley.test")
            assert user is not None
            made = people.reset_password(session, user.id, actor=admin_of(people_in))
        assert identify(cookie) is None
        assert sign_in("bd@parley.test", made.password, address=None)

    def test_one_changes_ones_own_password_by_knowing_the_present_one(self, people_in: SessionFactory) -> None:
        cookie = cookie_of(sign_in("bd@parley.test", PASSWORD, address=None))
        person = identify(cookie)
        assert person is not None
        with people_in.begin() as session, pytest.raises(people.AccountWrong, match="present password"):
            people.change_own_password(session, present="a guess", wanted="another four words", actor=person)
        with people_in.begin() as session, pytest.raises(WeakPassword):
            people.change_own_password(session, present=PASSWORD, wanted="short", actor=person)
        with people_in.begin() as session:
            people.change_own_password(session, present=PASSWORD, wanted="another four words", actor=person)
        assert identify(cookie) is None
        assert sign_in("bd@parley.test", "another four words", address=None)

    def test_administrators_cannot_lock_themselves_out(self, people_in: SessionFactory) -> None:
        admin = admin_of(people_in)
        with people_in.begin() as session, pytest.raises(people.AccountWrong, match="administrator role"):
            people.set_roles(session, admin.user_id, [Role.BD], actor=admin)
        with people_in.begin() as session, pytest.raises(people.AccountWrong, match="your own account"):
            people.set_locked(session, admin.user_id, locked=True, actor=admin)

    def test_whoever_is_locked_out_is_out_at_once(self, people_in: SessionFactory) -> None:
        cookie = cookie_of(sign_in("bd@parley.test", PASSWORD, address=None))
        person = identify(cookie)
        assert person is not None
        with people_in.begin() as session:
            people.set_locked(session, person.user_id, locked=True, actor=admin_of(people_in))
        assert identify(cookie) is None


class TestTheSigningKey:
    def test_it_is_made_once_and_kept_for_its_owner_alone(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        home = tmp_path_factory.mktemp("home") / "deep"
        settings = WebSettings(home=home)
        assert settings.signing_key() == WebSettings(home=home).signing_key()
        assert (home / "web-secret.key").stat().st_mode & 0o077 == 0

    def test_a_short_one_is_refused_with_its_origin(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PARLEY_SECRET_KEY", "short")
        with pytest.raises(SecretKeyUnusable, match=r"PARLEY_SECRET_KEY has 5 characters"):
            WebSettings().signing_key()


def admin_of(sessions: SessionFactory) -> Identity:
    with sessions.begin() as session:
        user = users.find_by_email(session, "admin@parley.test")
        assert user is not None
        later = datetime.now(UTC) + timedelta(hours=1)
        return Identity(user_id=user.id, name=user.name, email=user.email, roles=frozenset(user.roles), expires_at=later)
