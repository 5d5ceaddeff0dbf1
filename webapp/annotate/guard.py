"""Who may talk to the desk's routes: a signed-in person with the role, on a page of this very site.

Decided here: the guard against forged requests. A request must come from our own origin, as JSON, with a header that no form and no other
site's script can send without asking first; the session cookie is SameSite besides.
"""

from urllib.parse import urlsplit

from starlette.requests import Request

from db.errors import ParleyError
from db.vocabulary import Role
from webapp.auth.cookies import SESSION_COOKIE
from webapp.auth.identity import Identity, identify
from webapp.settings import web_settings

CALLER = "parley-desk"
"""What the page sends as ``X-Requested-With``."""
LARGEST_BODY = 65_536
"""Bytes."""


class Refused(ParleyError):
    """A request that is not served; ``status`` is HTTP's."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


def require_own_page(request: Request) -> None:
    """Check that a page of ours sent this.

    Raises:
        Refused: it came from elsewhere, or does not say where from; or it is no JSON, or too much of it.
    """
    own = {urlsplit(web_settings().public_url).netloc, request.headers.get("host", "")} - {""}
    if urlsplit(request.headers.get("origin", "")).netloc not in own or request.headers.get("x-requested-with") != CALLER:
        raise Refused("This request did not come from the rating page. Open the page and try again.", status=403)
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Refused("The desk takes JSON only.", status=415)
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > LARGEST_BODY:
        raise Refused(f"That is more than the {LARGEST_BODY:,} bytes that one judgement may have. Shorten the texts.", status=413)


def require_person(request: Request, *roles: Role) -> Identity:
    """The person behind a request, who has one of ``roles``.

    Raises:
        Refused: nobody is signed in, or the role is missing.
        ParleyError: the database cannot be reached.
    """
    person = identify(request.cookies.get(SESSION_COOKIE))
    if person is None:
        raise Refused("Your sign-in has ended. Sign in again to go on; what you judged is kept in this browser.", status=401)
    if not person.may(*roles):
        raise Refused("Your account may not do this. An administrator can change your roles.", status=403)
    return person
