"""Single sign-on by OpenID Connect, where an operator has configured it: the provider says who somebody is, we say what they may do.

What it ends in is the same session as a password makes, kept and revoked in the same place. A person is known by the provider's subject;
the first time, a verified e-mail ties it to an account that an administrator has made, or makes one where the settings say so.
"""

from functools import cache
from typing import Any

import httpx2
import structlog
from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth
from joserfc.errors import JoseError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from db.errors import ParleyError
from db.models import User
from db.repositories import audit_events, users
from webapp import database
from webapp.auth.responses import page, safe_path, welcome
from webapp.auth.sign_in import start_session
from webapp.settings import web_settings

_LOG = structlog.get_logger("parley.web.auth")
_NEXT = "parley_next"


class NotKnownHere(ParleyError):
    """The provider vouches for somebody who has no account here."""


async def depart(request: Request) -> Response:
    """Send the browser to the provider."""
    settings = web_settings()
    if not settings.has_oidc:
        return page(request, status=404, error="Single sign-on is not set up here.", hint="Sign in with your e-mail and password.")
    request.session[_NEXT] = safe_path(request.query_params.get("next", "/"))
    base = settings.public_url.rstrip("/") or str(request.base_url).rstrip("/")
    try:
        return await _provider().authorize_redirect(request, f"{base}/login/oidc/callback")
    except (httpx2.HTTPError, OAuthError) as error:
        _LOG.warning("the identity provider is away", reason=str(error))
        return page(request, status=502, error=f"{settings.oidc_name} cannot be reached.", hint="Try again in a minute.")


async def arrive(request: Request) -> Response:
    """Take the browser back from the provider, and let it in."""
    settings = web_settings()
    if not settings.has_oidc:
        return RedirectResponse("/login", status_code=303)
    next_path = str(request.session.pop(_NEXT, "/"))
    try:
        token = await _provider().authorize_access_token(request)
        claims: dict[str, Any] = token.get("userinfo") or {}
        session_token = await run_in_threadpool(_let_in, claims)
    except (OAuthError, JoseError, httpx2.HTTPError) as error:
        _LOG.warning("single sign-on failed", reason=str(error))
        hint = "Start again; if it keeps failing, tell your administrator."
        return page(request, status=401, next_path=next_path, error=f"{settings.oidc_name} did not confirm who you are.", hint=hint)
    except NotKnownHere as error:
        return page(request, status=403, next_path=next_path, error=str(error), hint="Ask your administrator for an account.")
    return welcome(session_token, next_path)


def _let_in(claims: dict[str, Any]) -> str:
    with database.sessions().begin() as session:
        return start_session(session, _person_of(session, claims).id)


def _person_of(session: Session, claims: dict[str, Any]) -> User:
    settings = web_settings()
    subject = f"{settings.oidc_issuer.rstrip('/')}|{claims['sub']}"
    email = str(claims.get("email") or "")
    known = users.find_by_external_subject(session, subject)
    if known is None and email and claims.get("email_verified") is True:
        known = users.find_by_email(session, email)
        if known is None and settings.oidc_new_people:
            name = str(claims.get("name") or email.partition("@")[0])
            known, _ = users.create(session, email=email, name=name, roles=settings.oidc_new_people)
            audit_events.record(session, actor_id=known.id, action="user.arrive", subject_type="app_user", subject_id=known.id)
        if known is not None and known.external_subject is None:
            known.external_subject = subject
    if known is None or known.disabled_at is not None or known.external_subject != subject:
        raise NotKnownHere(f"{email or 'This account'} is not known here.")
    return known


def forget_provider() -> None:
    """Read the provider's description anew the next time: after its settings changed."""
    _provider.cache_clear()


@cache
def _provider() -> Any:
    settings = web_settings()
    secret = settings.oidc_client_secret
    registry = OAuth()
    registry.register(
        "provider",
        server_metadata_url=settings.oidc_issuer.rstrip("/") + "/.well-known/openid-configuration",
        client_id=settings.oidc_client_id,
        client_secret=secret.get_secret_value() if secret else None,
        client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256"},
    )
    return registry.create_client("provider")
