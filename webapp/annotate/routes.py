"""The desk's routes, under ``/annotate``: JSON in, JSON out, and an answer to a save only after its commit.

Each request is one call of ``training.ratings.desk``. What goes wrong is an ``{"error": sentence, "code": name}``: 4xx will not get better
by trying again, 5xx may. Nothing here tells which version wrote a reply.
"""

from collections.abc import Callable
from secrets import token_hex
from typing import Any, TypeVar

import structlog
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from db.engine import DatabaseBusy, DatabaseUnreachable
from db.errors import ParleyError
from db.vocabulary import Role
from training.ratings.views import Progress, Saved, Task
from webapp.annotate import assets
from webapp.annotate.guard import LARGEST_BODY, Refused, require_own_page, require_person
from webapp.annotate.ratings import rating_desk
from webapp.annotate.requests import Next, Nothing, Revise, Save, Skip, Undo, in_words
from webapp.annotate.words import language_name, meant
from webapp.auth.identity import Identity
from webapp.components.words import STAGE_WORDS

_LOG = structlog.get_logger("parley.web.annotate")
_TASK = TypeAdapter(Task)
_SAVED = TypeAdapter(Saved)
_PROGRESS = TypeAdapter(Progress)
_ANNOTATOR = (Role.ANNOTATOR, Role.OPS)
_DECIDER = (Role.OPS,)
_CASE_MAKER = (Role.OPS,)

Sent = TypeVar("Sent", bound=BaseModel)
Answer = dict[str, Any]


def routes() -> list[BaseRoute]:
    """All routes of the desk."""
    return [
        _api("next", Next, _next),
        _api("save", Save, _save),
        _api("skip", Skip, _skip),
        _api("undo", Undo, _undo),
        _api("revise", Revise, _revise),
        _api("release", Nothing, _release),
        _api("progress", Nothing, _progress),
        _api("dispute", Nothing, _dispute, roles=_DECIDER),
        Route("/annotate/page/{version}/{name}", assets.serve, methods=["GET"]),
    ]


def _next(person: Identity, sent: Next) -> Answer:
    desk = rating_desk()
    tasks = desk.next(person.user_id, n=sent.n)
    return {"tasks": [_task(task, person) for task in tasks], "progress": _PROGRESS.dump_python(desk.progress(person.user_id), mode="json")}


def _save(person: Identity, sent: Save) -> Answer:
    saved = rating_desk().save(person.user_id, sent.assignment_id, sent.judgement.judgement(), key=sent.key)
    return _SAVED.dump_python(saved, mode="json")


def _skip(person: Identity, sent: Skip) -> Answer:
    rating_desk().skip(person.user_id, sent.assignment_id, sent.reason, key=sent.key)
    return {}


def _undo(person: Identity, sent: Undo) -> Answer:
    task = rating_desk().undo(person.user_id, assignment_id=sent.assignment_id)
    return {"task": _task(task, person) if task is not None else None}


def _revise(person: Identity, sent: Revise) -> Answer:
    saved = rating_desk().revise(person.user_id, sent.rating_id, sent.judgement.judgement(), key=sent.key)
    return _SAVED.dump_python(saved, mode="json")


def _release(person: Identity, _: Nothing) -> Answer:
    return {"released": rating_desk().release(person.user_id)}


def _progress(person: Identity, _: Nothing) -> Answer:
    return {"progress": _PROGRESS.dump_python(rating_desk().progress(person.user_id), mode="json")}


def _dispute(person: Identity, _: Nothing) -> Answer:
    task = rating_desk().next_dispute(person.user_id)
    return {"task": _task(task, person) if task is not None else None}


def _task(task: Task, person: Identity) -> Answer:
    """A task as the page takes it: words instead of the codes that it does not need; its turn only for who may make a bad case of it."""
    fields = _TASK.dump_python(task, mode="json")
    for code in ("move", "topic", *(() if person.may(*_CASE_MAKER) else ("turn_id",))):
        del fields[code]
    fields["stage"] = STAGE_WORDS[task.stage] if task.stage is not None else ""
    fields["meant"] = meant(task.move, task.topic)
    fields["language_name"] = language_name(task.language)
    return fields


def _api(name: str, form: type[Sent], act: Callable[[Identity, Sent], Answer], *, roles: tuple[Role, ...] = _ANNOTATOR) -> Route:
    """A POST route: the guard, the form, one call, and errors as JSON."""

    def answer(request: Request, body: bytes) -> Response:
        try:
            person = require_person(request, *roles)
            return _json(act(person, form.model_validate_json(body or b"{}")))
        except ValidationError as error:
            return _json({"error": in_words(error), "code": "Malformed"}, status=422)
        except ParleyError as error:
            return _refusal(error)
        except Exception as error:  # the page must get JSON, and the person a sentence, whatever broke
            reference = token_hex(4)
            _LOG.error("a request to the desk broke", reference=reference, route=name, exc_info=error)
            return _json({"error": f"Something went wrong on our side (reference {reference}).", "code": "Broken"}, status=500)

    async def endpoint(request: Request) -> Response:
        try:
            require_own_page(request)
            body = await _body(request)
        except Refused as error:
            return _refusal(error)
        return await run_in_threadpool(answer, request, body)

    return Route(f"/annotate/api/{name}", endpoint, methods=["POST"])


async def _body(request: Request) -> bytes:
    read = b""
    async for part in request.stream():
        read += part
        if len(read) > LARGEST_BODY:
            raise Refused("That is more than one judgement may have. Shorten the texts.", status=413)
    return read


def _refusal(error: ParleyError) -> Response:
    passing = isinstance(error, (DatabaseUnreachable, DatabaseBusy))
    status = error.status if isinstance(error, Refused) else 503 if passing else 409
    return _json({"error": str(error), "code": type(error).__name__}, status=status)


def _json(content: Answer, *, status: int = 200) -> Response:
    return JSONResponse(content, status_code=status, headers={"Cache-Control": "no-store"})
