"""The reports of training runs as pages of their own: ``/report/ID``, for operations who are signed in.

A report is written by the training process from what models and people have said. It is escaped there, and served here so that nothing in
it could run or reach out all the same.
"""

from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from db.errors import ParleyError
from db.repositories import training_runs
from db.vocabulary import Role
from webapp import database
from webapp.auth.cookies import SESSION_COOKIE
from webapp.auth.identity import identify
from webapp.run_files import report_path

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'",
    "Cache-Control": "no-store",
}


def routes() -> list[BaseRoute]:
    """The one route."""
    return [Route("/report/{run_id:uuid}", _serve, methods=["GET"])]


async def _serve(request: Request) -> Response:
    return await run_in_threadpool(_answer, request, request.path_params["run_id"])


def _answer(request: Request, run_id: UUID) -> Response:
    try:
        person = identify(request.cookies.get(SESSION_COOKIE))
        if person is None or not person.may(Role.OPS):
            return PlainTextResponse("Reports are for operations. Sign in with that role, then open the report again.", status_code=403)
        with database.sessions().begin() as session:
            folder = training_runs.get(session, run_id).folder
    except ParleyError as error:
        return PlainTextResponse(str(error), status_code=404)
    path = report_path(folder)
    if path is None:
        return PlainTextResponse(f"The report of this run is not on this machine; it was written to {folder}.", status_code=404)
    return FileResponse(path, media_type="text/html", headers=_HEADERS)
