"""The page's scripts as the browser fetches them: under an address that changes with their content, so that they may be kept for ever."""

import hashlib
from functools import cache

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from webapp.annotate.page import FOLDER


@cache
def scripts() -> dict[str, str]:
    """All modules by file name."""
    return {path.name: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.js"))}


@cache
def style() -> str:
    """The style sheet."""
    return (FOLDER / "desk.css").read_text("utf-8")


@cache
def address() -> str:
    """Folder of the modules as the browser sees it."""
    content = hashlib.sha256("\0".join(f"{name}\0{text}" for name, text in scripts().items()).encode()).hexdigest()
    return f"/annotate/page/{content[:16]}"


async def serve(request: Request) -> Response:
    """One module. An older page that asks under an older address gets the present one, yet does not keep it."""
    text = scripts().get(request.path_params["name"])
    if text is None:
        return PlainTextResponse("There is no such file.", status_code=404)
    current = address().endswith(request.path_params["version"])
    caching = "public, max-age=31536000, immutable" if current else "no-store"
    return Response(text, media_type="text/javascript; charset=utf-8", headers={"Cache-Control": caching})
