"""The gate before the app: a page is only served to someone who is signed in, and every answer carries the headers that browsers honour.

This is the first of two checks. It turns document requests away to ``/login``; each Streamlit run asks again (``webapp.shell.identity``),
because a page stays open for longer than a sign-in may last.
"""

from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webapp.auth.cookies import SESSION_COOKIE
from webapp.auth.identity import identify

_OPEN = ("/login", "/_stcore/", "/static/", "/media/", "/component/", "/healthz", "/metrics")
"""Paths that need no sign-in: the page that makes one, Streamlit's machinery (which shows nothing without a run), its assets,
and what Prometheus reads, whose own door is ``webapp.metrics``."""
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Gate:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or send its browser to the sign-in page."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if _is_document(scope) and await run_in_threadpool(identify, session_cookie(Headers(scope=scope).get("cookie"))) is None:
            query = scope["query_string"].decode("latin-1")
            wanted = scope["path"] + (f"?{query}" if query else "")
            target = "/login" if wanted == "/" else f"/login?next={quote(wanted, safe='')}"
            await RedirectResponse(target, status_code=303)(scope, receive, with_headers)
            return
        await self._app(scope, receive, with_headers)


def session_cookie(header: str | None) -> str | None:
    """The session cookie's value in a ``Cookie`` header; None where it is missing or the header cannot be read."""
    try:
        cookies = SimpleCookie(header or "")
    except CookieError:
        return None
    return cookies[SESSION_COOKIE].value if SESSION_COOKIE in cookies else None


def _is_document(scope: Scope) -> bool:
    if scope["method"] not in {"GET", "HEAD"} or scope["path"].startswith(_OPEN):
        return False
    last = scope["path"].rsplit("/", 1)[-1]
    return "." not in last  # icons, manifests and scripts are the same for everybody
