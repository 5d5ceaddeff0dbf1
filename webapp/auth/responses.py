"""The two answers of the sign-in: its page, and the way in for a browser that has proved who it is."""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from webapp.auth.cookies import FORM_COOKIE, SESSION_COOKIE, form_token, new_token, seal
from webapp.auth.page import sign_in_page
from webapp.settings import web_settings

_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def safe_path(wanted: str) -> str:
    """Where to go after the sign-in: a path of this site; the start page for anything else."""
    parts = urlsplit(wanted)
    inside = wanted.startswith("/") and not wanted.startswith(("//", "/\\", "/login")) and not parts.scheme and not parts.netloc
    return wanted if inside and wanted.isprintable() else "/"


def welcome(token: str, next_path: str) -> Response:
    """Send a browser that has proved who it is on its way, with its session cookie."""
    settings = web_settings()
    response = RedirectResponse(safe_path(next_path), status_code=303)
    response.set_cookie(
        SESSION_COOKIE,
        seal(token, key=settings.signing_key()),
        max_age=int(settings.session_hours * 3600),
        httponly=True,
        samesite="lax",
        secure=settings.cookie_secure,
        path="/",
    )
    response.delete_cookie(FORM_COOKIE, path="/")
    return response


def page(
    request: Request, *, status: int = 200, next_path: str = "/", email: str = "", error: str = "", hint: str = "", notice: str = ""
) -> HTMLResponse:
    """The sign-in page, with a form token bound to this browser."""
    settings = web_settings()
    nonce = request.cookies.get(FORM_COOKIE) or new_token()
    html = sign_in_page(
        form_token=form_token(nonce, key=settings.signing_key()),
        next_path=safe_path(next_path),
        email=email,
        error=error,
        hint=hint,
        notice=notice,
        oidc_name=settings.oidc_name if settings.has_oidc else "",
    )
    response = HTMLResponse(html, status_code=status, headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"})
    if SESSION_COOKIE in request.cookies:  # whoever sees this page has no use for it any more
        response.delete_cookie(SESSION_COOKIE, path="/")
    response.set_cookie(FORM_COOKIE, nonce, httponly=True, samesite="lax", secure=settings.cookie_secure, path="/")
    return response
