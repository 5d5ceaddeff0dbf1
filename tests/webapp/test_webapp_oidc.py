"""Single sign-on against a small identity provider that speaks real OpenID Connect over HTTP."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from web_site import add_people

from db.embedded import free_port
from db.engine import SessionFactory
from db.repositories import users
from db.vocabulary import Role
from webapp.auth import oidc
from webapp.auth.cookies import SESSION_COOKIE
from webapp.auth.identity import identify
from webapp.auth.routes import routes
from webapp.settings import web_settings


@dataclass
class Provider:
    """An identity provider that vouches for whomever ``claims`` describes; the code it is handed back is the nonce."""

    port: int = field(default_factory=free_port)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1"}))
    claims: dict[str, Any] = field(default_factory=dict[str, Any])
    signs_with: RSAKey | None = None
    """Another key than the published one."""

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._metadata),
                Route("/keys", self._keys),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    async def _metadata(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": "parley", "iat": now, "exp": now + 60, "nonce": str(form["code"]), **self.claims}
        signed = jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self.signs_with or self.key)
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": signed})


@pytest.fixture
def provider(web_database: SessionFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    add_people(web_database)
    serving = Provider()
    server = uvicorn.Server(uvicorn.Config(serving.app(), port=serving.port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    monkeypatch.setenv("PARLEY_OIDC_ISSUER", serving.issuer)
    monkeypatch.setenv("PARLEY_OIDC_CLIENT_ID", "parley")
    monkeypatch.setenv("PARLEY_OIDC_CLIENT_SECRET", "of the client")
    monkeypatch.setenv("PARLEY_OIDC_NAME", "Hotel Group ID")
    web_settings.cache_clear()
    oidc.forget_provider()
    yield serving
    server.should_exit = True
    thread.join()
    oidc.forget_provider()


@pytest.fixture
def browser() -> TestClient:
    app = Starlette(routes=routes(), middleware=[Middleware(SessionMiddleware, secret_key="of the test")])
    return TestClient(app, base_url="http://parley.test", follow_redirects=False)


def go_round(browser: TestClient, *, next_path: str = "/") -> Any:
    """To the provider and back."""
    sent = browser.get("/login/oidc", params={"next": next_path})
    asked = parse_qs(urlsplit(sent.headers["location"]).query)
    return browser.get("/login/oidc/callback", params={"code": asked["nonce"][0], "state": asked["state"][0]})


def test_the_page_offers_it_only_where_it_is_configured(provider: Provider, browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Continue with Hotel Group ID" in browser.get("/login").text
    monkeypatch.delenv("PARLEY_OIDC_CLIENT_SECRET")
    web_settings.cache_clear()
    assert "Continue with" not in browser.get("/login").text
    assert browser.get("/login/oidc").status_code == 404


def test_a_verified_e_mail_ties_the_provider_to_an_account_and_then_the_subject_counts(
    provider: Provider, browser: TestClient, web_database: SessionFactory
) -> None:
    provider.claims = {"sub": "42", "email": "BD@parley.test", "email_verified": True}
    answer = go_round(browser, next_path="/conversations")
    assert (answer.status_code, answer.headers["location"]) == (303, "/conversations")
    person = identify(answer.cookies[SESSION_COOKIE])
    assert person is not None
    assert person.email == "bd@parley.test"
    provider.claims = {"sub": "42", "email": "renamed@elsewhere.test", "email_verified": True}
    again = identify(go_round(browser).cookies[SESSION_COOKIE])
    assert again is not None
    assert again.user_id == person.user_id
    provider.claims = {"sub": "another", "email": "bd@parley.test", "email_verified": True}
    assert go_round(browser).status_code == 403


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "1", "email": "stranger@parley.test", "email_verified": True},
        {"sub": "1", "email": "bd@parley.test", "email_verified": False},
        {"sub": "1", "email": "bd@parley.test"},
        {"sub": "1"},
    ],
)
def test_whoever_is_not_known_or_not_verified_stays_outside(provider: Provider, browser: TestClient, claims: dict[str, Any]) -> None:
    provider.claims = claims
    answer = go_round(browser)
    assert answer.status_code == 403
    assert "Ask your administrator" in answer.text
    assert SESSION_COOKIE not in answer.cookies


def test_newcomers_get_the_roles_that_the_operator_chose(
    provider: Provider, browser: TestClient, web_database: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_OIDC_NEW_PEOPLE", '["bd"]')
    web_settings.cache_clear()
    provider.claims = {"sub": "7", "email": "new@parley.test", "email_verified": True, "name": "Nia New"}
    assert go_round(browser).status_code == 303
    with web_database.begin() as session:
        user = users.find_by_email(session, "new@parley.test")
    assert user is not None
    assert (user.name, user.roles, user.password_hash) == ("Nia New", [Role.BD], None)


def test_an_answer_that_was_not_asked_for_is_refused(provider: Provider, browser: TestClient) -> None:
    provider.claims = {"sub": "42", "email": "bd@parley.test", "email_verified": True}
    assert browser.get("/login/oidc/callback", params={"code": "x", "state": "forged"}).status_code == 401
    sent = browser.get("/login/oidc")
    state = parse_qs(urlsplit(sent.headers["location"]).query)["state"][0]
    assert browser.get("/login/oidc/callback", params={"code": "another nonce", "state": state}).status_code == 401


def test_a_token_that_another_key_signed_is_refused(provider: Provider, browser: TestClient) -> None:
    provider.claims = {"sub": "42", "email": "bd@parley.test", "email_verified": True}
    provider.signs_with = RSAKey.generate_key(2048, {"kid": "k1"})
    assert go_round(browser).status_code == 401


def test_a_provider_that_is_away_is_a_sentence(provider: Provider, browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_OIDC_ISSUER", f"http://127.0.0.1:{free_port()}")
    web_settings.cache_clear()
    oidc.forget_provider()
    answer = browser.get("/login/oidc")
    assert answer.status_code == 502
    assert "Hotel Group ID cannot be reached" in answer.text
