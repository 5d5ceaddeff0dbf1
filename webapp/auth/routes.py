"""The sign-in routes: plain HTTP forms beside the Streamlit app, because a script can read cookies but never set one.

A form is only taken with the token that we served to the same browser; a browser that says where it comes from must come from here.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from webapp.auth import oidc
from webapp.auth.cookies import FORM_COOKIE, SESSION_COOKIE, form_token_fits
from webapp.auth.identity import identify
from webapp.auth.page import FOLDER
from webapp.auth.responses import page, safe_path, welcome
from webapp.auth.sign_in import TooManyAttempts, WrongCredentials, sign_in
from webapp.settings import web_settings

_LARGEST_FORM = 16_384


def routes() -> list[BaseRoute]:
    """All routes of the sign-in."""
    return [
        Route("/login", _form, methods=["GET"]),
        Route("/login", _submit, methods=["POST"]),
        Route("/login/style.css", _asset("style.css")),
        Route("/login/mark.svg", _asset("mark.svg")),
        Route("/login/oidc", oidc.depart),
        Route("/login/oidc/callback", oidc.arrive),
    ]


async def _form(request: Request) -> Response:
    next_path = request.query_params.get("next", "/")
    if await run_in_threadpool(identify, request.cookies.get(SESSION_COOKIE)) is not None:
        return RedirectResponse(safe_path(next_path), status_code=303)
    notice = "You are signed out." if "out" in request.query_params else ""
    return page(request, next_path=next_path, notice=notice)


async def _submit(request: Request) -> Response:
    if int(request.headers.get("content-length") or 0) > _LARGEST_FORM:
        return page(request, status=413, error="That was too much for a sign-in form.", hint="Type your e-mail and password and try again.")
    form = await request.form(max_files=0, max_fields=10)
    email, password, next_path = (str(form.get(name, "")) for name in ("email", "password", "next"))
    nonce, key = request.cookies.get(FORM_COOKIE), web_settings().signing_key()
    if not form_token_fits(nonce, str(form.get("form_token", "")), key=key) or not _same_site(request):
        return page(
            request,
            status=403,
            next_path=next_path,
            email=email,
            error="This page had been open for too long.",
            hint="Please sign in again now. If it keeps happening, allow cookies for this site.",
        )
    address = request.client.host if request.client else None
    try:
        token = await run_in_threadpool(sign_in, email, password, address=address)
    except WrongCredentials as error:
        hint = "Check the spelling and whether caps lock is on; your administrator can set a new password."
        return page(request, status=401, next_path=next_path, email=email, error=str(error), hint=hint)
    except TooManyAttempts as error:
        return page(request, status=429, next_path=next_path, email=email, error=str(error))
    return welcome(token, next_path)


def _same_site(request: Request) -> bool:
    origin = request.headers.get("origin")
    if origin is None or origin == "null":
        return origin is None
    own = {urlsplit(web_settings().public_url).netloc, request.headers.get("host", "")}
    return urlsplit(origin).netloc in own


def _asset(name: str) -> Callable[[Request], Awaitable[Response]]:
    path: Path = FOLDER / name

    async def serve(_: Request) -> Response:
        return FileResponse(path, headers={"Cache-Control": "public, max-age=3600"})

    return serve
